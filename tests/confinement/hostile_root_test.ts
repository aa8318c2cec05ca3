/**
 * Whoever can write to the root lays links and worse there while it is served.
 * The server answers, lives, and neither reads nor writes what they lead to.
 */

import assert from "node:assert/strict";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { ServerProcess } from "../support/server_process.ts";
import { rejectsWith } from "../support/status.ts";
import { makeWorld, type World } from "./support.ts";

const NS = "tests.hostile";
const VALUE = "the value that was published";
/** Nothing is answered from memory: each Get looks at the file. */
const ARGS = [
  ...["-l", "127.0.0.1:0", "-r", "127.0.0.1:0"],
  "--memory-cache-bytes=0",
];

/** A server and its clients in a world. */
class Scene implements AsyncDisposable {
  readonly world: World;
  readonly server: ServerProcess;
  readonly local: LocalClient;
  readonly remote: RemoteClient;

  private constructor(world: World, server: ServerProcess) {
    this.world = world;
    this.server = server;
    this.local = new LocalClient(server.local);
    this.remote = new RemoteClient(server.remote);
  }

  static async open(world?: World): Promise<Scene> {
    const where = world ?? await makeWorld();
    return new Scene(
      where,
      await ServerProcess.start(where.root, { args: ARGS }),
    );
  }

  /** Publishes a value; where it lies. */
  async publish(namespace: string, key: string): Promise<string> {
    const { id } = await this.remote.assigned(namespace, key);
    await this.remote.set(id, VALUE);
    const { id: handle, path } = await this.local.handle(namespace, key);
    await this.local.drop(handle);
    return path;
  }

  /** The same process still serves both APIs, as if nothing had been. */
  async assertServes(pid: number): Promise<void> {
    const key = crypto.randomUUID();
    await this.publish("tests.healthy", key);
    const value = await this.remote.value("tests.healthy", key);
    assert.equal(new TextDecoder().decode(value), VALUE);
    assert.equal(await this.server.serverPid(), pid);
    await this.world.assertUntouched();
  }

  /** Stops the server when nobody is connected any more. */
  async stop(): Promise<void> {
    this.local.close();
    this.remote.close();
    await this.server[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.world[Symbol.asyncDispose]();
  }
}

for (const when of ["while it is served", "before a restart"]) {
  Deno.test(`a namespace folder that is a link is not followed, though the manifest vouches for what is behind (${when})`, async () => {
    let scene = await Scene.open();
    const { world } = scene;
    for (const key of ["remote", "local"]) await scene.publish(NS, key);
    if (when === "before a restart") await scene.stop();
    // The very files: name, size, SHA-256 and mtime are what the manifest says.
    await Deno.rename(`${world.root}/${NS}`, `${world.outside}/${NS}`);
    await Deno.symlink(`${world.outside}/${NS}`, `${world.root}/${NS}`);
    await world.remember();
    if (when === "before a restart") scene = await Scene.open(world);
    await using open = scene;
    const { local, remote, server } = open;
    const pid = await server.serverPid();

    for (
      const [client, key] of [[remote, "remote"], [local, "local"]] as const
    ) {
      for (const assign of [false, true]) {
        const { entryStatus } = await client.get(NS, key, { assign });
        assert.notEqual(entryStatus, "ready", `${key} ${assign}`);
      }
    }
    // New work in that namespace is refused when it is handed in, cleanly.
    const { id } = await remote.assigned(NS, "new");
    await rejectsWith("UNAVAILABLE", remote.set(id, VALUE));
    const assigned = await local.assigned(NS, "new file");
    await Deno.writeTextFile(assigned.path, VALUE);
    await rejectsWith("UNAVAILABLE", local.done(assigned.id));
    await open.assertServes(pid);

    // The link goes: the same ids publish.
    await Deno.remove(`${world.root}/${NS}`);
    await remote.set(id, VALUE);
    await local.done(assigned.id);
    assert.equal((await remote.value(NS, "new file")).length, VALUE.length);
  });
}

Deno.test("a value that is a link, a FIFO or a folder is a miss, and is assigned again", async () => {
  await using scene = await Scene.open();
  const { world, local, remote, server } = scene;
  const pid = await server.serverPid();
  const copy = `${world.outside}/copy`;
  await Deno.writeTextFile(copy, VALUE);
  await world.remember();
  const lay = {
    link: (path: string) => Deno.symlink(copy, path),
    fifo: async (path: string) => {
      await new Deno.Command("mkfifo", { args: [path] }).output();
    },
    folder: (path: string) => Deno.mkdir(path),
  };
  for (const [key, at] of Object.entries(lay)) {
    for (const client of [local, remote]) {
      const path = await scene.publish(NS, key);
      await Deno.remove(path);
      await at(path);
      const { entryStatus } = await client.get(NS, key, { assign: false });
      assert.equal(entryStatus, "unassigned", key);
    }
  }
  await scene.assertServes(pid);
});

Deno.test("Done with a link, a FIFO or a folder fails, and the work stays with its client", async () => {
  await using scene = await Scene.open();
  const { world, local, remote, server } = scene;
  const pid = await server.serverPid();
  const { id, path } = await local.assigned(NS, "staged");
  const lay = [
    () => Deno.symlink(world.secret, path),
    () => Deno.symlink(world.outside, path),
    () => Deno.symlink("/dev/zero", path),
    () => new Deno.Command("mkfifo", { args: [path] }).output(),
    () => Deno.mkdir(`${path}/deep`, { recursive: true }),
  ];
  for (const at of lay) {
    await at();
    await rejectsWith("FAILED_PRECONDITION", local.done(id));
  }
  await rejectsWith("FAILED_PRECONDITION", local.done(id));
  await Deno.writeTextFile(path, VALUE);
  await local.done(id);
  assert.equal((await remote.value(NS, "staged")).length, VALUE.length);
  await scene.assertServes(pid);
});

Deno.test("Done with a hard link publishes a copy: the other name is not ours", async () => {
  await using scene = await Scene.open();
  const { world, local, remote, server } = scene;
  const pid = await server.serverPid();
  const mine = `${world.outside}/mine`;
  await Deno.writeTextFile(mine, VALUE);
  const { id, path } = await local.assigned(NS, "hard");
  await Deno.link(mine, path);
  await local.done(id);
  // It was not made read-only, and what is written to it changes no value.
  await Deno.writeTextFile(mine, "something else, written later");
  assert.equal((await Deno.lstat(mine)).nlink, 1);
  await world.remember();
  const value = await remote.value(NS, "hard");
  assert.equal(new TextDecoder().decode(value), VALUE);
  await scene.assertServes(pid);
});

for (const folder of [".staging", ".private", ".quarantine"]) {
  Deno.test(`${folder} that becomes a link while it is served leads nowhere`, async () => {
    await using scene = await Scene.open();
    const { world, local, remote, server } = scene;
    const pid = await server.serverPid();
    const damaged = await scene.publish(NS, "damaged");
    const { id: fileId, path } = await local.assigned(NS, "file");
    const { id } = await remote.assigned(NS, "bytes");
    await Deno.writeTextFile(path, VALUE);
    const real = `${world.root}/${folder}`;
    await Deno.rename(real, `${real}.away`);
    await Deno.symlink(world.outside, real);
    // What the client finds at its path now is outside: that is its own write.
    const name = path.slice(path.lastIndexOf("/"));
    await Deno.writeTextFile(world.outside + name, VALUE);
    await world.remember();

    const done = local.done(fileId);
    const set = remote.set(id, VALUE);
    // Either may end first.
    await Promise.all([
      folder === ".quarantine" ? done : rejectsWith("UNAVAILABLE", done),
      folder === ".private" ? rejectsWith("UNAVAILABLE", set) : set,
    ]);
    await Deno.chmod(damaged, 0o600);
    await Deno.writeTextFile(damaged, VALUE.toUpperCase());
    const { entryStatus } = await remote.get(NS, "damaged", { assign: false });
    assert.notEqual(entryStatus, "ready");
    await world.assertUntouched();

    await Deno.remove(real);
    await Deno.rename(`${real}.away`, real);
    await local.done(fileId);
    await remote.set(id, VALUE);
    await scene.assertServes(pid);
  });
}
