/** Whatever fails on the server's side is in its log, with its cause. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/status.ts";
import { CacheClient } from "../v1/client.ts";

const PROGRAM = fileURLToPath(new URL("./refusing_server.ts", import.meta.url));
const NS = "tests.logged";
/** Comes in pieces. */
const LARGE = new Uint8Array(600_000);

/** Clients of each kind, and a ready value. */
class Scene implements Disposable {
  readonly local: LocalClient;
  readonly remote: RemoteClient;
  readonly cache: CacheClient;
  readonly #control: string;

  constructor(server: ServerProcess, control: string) {
    this.local = new LocalClient(server.local);
    this.remote = new RemoteClient(server.remote);
    this.cache = new CacheClient(server.remote);
    this.#control = control;
  }

  /** From now on this step fails; empty: none. */
  async fail(step: string): Promise<void> {
    await Deno.writeTextFile(this.#control, step);
  }

  /** A key that nobody has asked for. */
  newKey(): string {
    return crypto.randomUUID();
  }

  /** A value that is ready; its key. */
  async ready(value: Uint8Array = Uint8Array.of(1)): Promise<string> {
    const key = this.newKey();
    await this.cache.put(NS, key, value);
    return key;
  }

  /** Work with its file written. */
  async file(): Promise<string> {
    const { id, path } = await this.local.assigned(NS, this.newKey());
    await Deno.writeTextFile(path, "file");
    return id;
  }

  /** Gets until the lease that is on the key has ended. */
  async getExpired(client: LocalClient | RemoteClient, key: string) {
    await until(
      () => client.get(NS, key),
      ({ entryStatus }) => entryStatus !== "loading",
    );
  }

  entry(key: string): { namespace: string; key: Uint8Array } {
    return { namespace: NS, key: new TextEncoder().encode(key) };
  }

  [Symbol.dispose](): void {
    for (const client of [this.local, this.remote]) client.close();
    this.cache[Symbol.dispose]();
  }
}

/** What has the server take a step; it is prepared before the step fails. */
const ACTS: Record<
  string,
  (scene: Scene) => Promise<() => Promise<unknown>> | (() => Promise<unknown>)
> = {
  "manifest.find": ({ remote, newKey }) => () =>
    remote.get(NS, newKey(), { assign: false }),
  "manifest.claim": ({ remote, newKey }) => () => remote.get(NS, newKey()),
  "manifest.findId": ({ remote }) => () => remote.heartbeat("123"),
  "manifest.publish": async ({ remote, newKey }) => {
    const { id } = await remote.assigned(NS, newKey());
    return () => remote.set(id, "value");
  },
  "manifest.record": async (scene) => {
    const id = await scene.file();
    return () => scene.local.done(id);
  },
  "manifest.reassign": async (scene) => {
    const key = scene.newKey();
    await scene.remote.assigned(NS, key);
    return () => scene.getExpired(scene.remote, key);
  },
  "manifest.remove": async ({ cache, newKey }) => {
    const { id } = await cache.assigned(NS, newKey());
    return () => cache.call("Abandon", { id });
  },
  "manifest.evict": async (scene) => {
    const entry = scene.entry(await scene.ready());
    return () => scene.cache.call("Delete", entry);
  },
  "manifest.touch": async ({ local, ready }) => {
    const key = await ready();
    return () => local.get(NS, key);
  },
  "manifest.stat": (scene) => () =>
    scene.cache.call("Stat", scene.entry(scene.newKey())),
  "manifest.list": ({ cache }) => () => cache.call("List", { namespace: NS }),
  "manifest.usagePage": ({ cache }) => () => cache.call("Usage"),
  "manifest.usage": ({ cache }) => () => cache.call("Sweep"),
  "blobs.put": async ({ remote, newKey }) => {
    const { id } = await remote.assigned(NS, newKey());
    return () => remote.set(id, "value");
  },
  "blobs.read": async ({ remote, ready }) => {
    const key = await ready();
    return () => remote.get(NS, key);
  },
  "blobs.readRange": async ({ cache, ready }) => {
    const key = await ready(LARGE);
    return () => cache.fetched(NS, key);
  },
  "blobs.verify": async ({ local, ready }) => {
    const key = await ready();
    return () => local.get(NS, key);
  },
  "blobs.remove": async (scene) => {
    const entry = scene.entry(await scene.ready());
    return () => scene.cache.call("Delete", entry);
  },
  "blobs.removeEmpty": async (scene) => {
    const entry = scene.entry(await scene.ready());
    return () => scene.cache.call("Delete", entry);
  },
  "local.capture": async (scene) => {
    const id = await scene.file();
    return () => scene.local.done(id);
  },
  "local.install": async (scene) => {
    const id = await scene.file();
    return () => scene.local.done(id);
  },
  "local.probe": async (scene) => {
    const key = scene.newKey();
    await scene.local.assigned(NS, key);
    return () => scene.getExpired(scene.local, key);
  },
  "local.append": async ({ cache, newKey }) => {
    const { id } = await cache.assigned(NS, newKey());
    return () => cache.publish(id, [LARGE]);
  },
  "local.hash": async ({ cache, newKey }) => {
    const { id } = await cache.assigned(NS, newKey());
    return () => cache.publish(id, [LARGE]);
  },
  // The value comes another way than by the file that was written.
  "local.discard": async (scene) => {
    const id = await scene.file();
    return () => scene.remote.set(id, "value");
  },
};

Deno.test("each step that fails is in the log, with its cause", async (context) => {
  await using folder = await temporaryFolder();
  const control = `${folder.path}/control`;
  await Deno.writeTextFile(control, "");
  await using server = await ServerProcess.start(`${folder.path}/root`, {
    program: [PROGRAM, control],
    // Values are read from the disk, and leases end soon.
    args: [
      "--memory-cache-bytes=0",
      ...["--heartbeat-interval=100ms", "--heartbeat-timeout=1s"],
    ],
  });
  using scene = new Scene(server, control);
  scene.ready = scene.ready.bind(scene);
  for (const [step, prepare] of Object.entries(ACTS)) {
    await context.step(step, async () => {
      const act = await prepare(scene);
      await scene.fail(step);
      // What the client is told is another test's matter.
      await act().catch(() => {});
      await until(
        () => Promise.resolve(server.stderr),
        (log) => log.includes(`a fault at ${step}`),
        10_000,
      ).catch(() => assert.fail(`nothing of ${step} in:\n${server.stderr}`));
      await scene.fail("");
    });
  }
});

Deno.test("a value that finds no room is in the log, with the limit, and so is an upload", async () => {
  await using folder = await temporaryFolder();
  await using server = await ServerProcess.start(`${folder.path}/root`, {
    args: ["--max-bytes=100KiB"],
  });
  {
    using remote = new RemoteClient(server.remote);
    using cache = new CacheClient(server.remote);
    const { id } = await remote.assigned(NS, "set");
    await assert.rejects(remote.set(id, new Uint8Array(200_000)));
    await assert.rejects(cache.publish(id, [LARGE]));
  }
  await server.stop();
  const all =
    "an assignment: --max-bytes allows 102400 bytes in all, and the value has";
  assert(server.stderr.includes(`${all} 200000`), server.stderr);
  assert(
    server.stderr.includes(`an upload was refused: Cannot publish ${all}`),
  );
});
