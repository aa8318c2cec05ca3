/** A value that is not what was published is a miss, and never served. */

import assert from "node:assert/strict";
import { textOf } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { whileServed } from "../support/served.ts";
import { type ClientsHere, withClientsHere } from "../support/server_here.ts";
import { whyNoTracer } from "../support/strace.ts";
import { trace } from "../support/syscalls.ts";

const NS = "tests.integrity";
const MIB = 1024 * 1024;
/** Nothing is answered from memory: each Get looks at the file. */
const ARGS = ["--memory-cache-bytes=0"];

function serving(
  root: string,
  run: (scene: ClientsHere) => Promise<void>,
): Promise<void> {
  return withClientsHere(root, run, ...ARGS);
}

/** Publishes a value; where it lies. */
async function publish(
  { local, remote }: ClientsHere,
  key: string,
  value: string,
): Promise<string> {
  const { id } = await remote.assigned(NS, key);
  await remote.set(id, value);
  const { id: handle, path } = await local.handle(NS, key);
  await local.drop(handle);
  return path;
}

/** Changes bytes so that neither size nor mtime tell. */
async function changeSilently(path: string): Promise<void> {
  const { mtime, size } = await Deno.stat(path);
  await Deno.chmod(path, 0o644);
  await Deno.writeFile(path, new Uint8Array(size).fill(66));
  await Deno.utime(path, mtime!, mtime!);
  await Deno.chmod(path, 0o444);
}

/** The lines of the log that say so. */
function removals({ stderr }: ClientsHere["server"]): number {
  return stderr.split("\n").filter((line) => /entry is removed/.test(line))
    .length;
}

Deno.test("what was changed while nobody served is not handed out, by neither API", async () => {
  await withRoot(async (root) => {
    const paths: Record<string, string> = {};
    await serving(root, async (scene) => {
      for (const key of ["local", "remote"]) {
        paths[key] = await publish(scene, key, "the value");
      }
    });
    for (const path of Object.values(paths)) await changeSilently(path);
    await serving(root, async (scene) => {
      const { local, remote, server } = scene;
      for (
        const [client, key] of [[local, "local"], [remote, "remote"]] as const
      ) {
        const { entryStatus } = await client.settled(NS, key, {
          assign: false,
        });
        assert.equal(entryStatus, "unassigned");
        assert.equal(await publish(scene, key, "again"), paths[key]);
        assert.equal(textOf(await remote.value(NS, key)), "again");
      }
      assert.equal([...Deno.readDirSync(`${root}/.quarantine`)].length, 2);
      assert.equal(removals(server), 2);
    });
  });
});

Deno.test("damage is logged once, however many ask", async () => {
  await withRoot(async (root) => {
    await serving(root, async (scene) => {
      const { local, remote, server } = scene;
      const path = await publish(scene, "key", "the value");
      await Deno.chmod(path, 0o644);
      await Deno.writeTextFile(path, "longer than the value");
      const gets = Array.from(
        { length: 20 },
        (_, i) =>
          (i % 2 ? local : remote).settled(NS, "key", { assign: false }),
      );
      for (const { entryStatus } of await Promise.all(gets)) {
        assert.equal(entryStatus, "unassigned");
      }
      assert.equal((await remote.settled(NS, "key")).entryStatus, "assign");
      assert.equal(removals(server), 1);
      assert.equal([...Deno.readDirSync(`${root}/.quarantine`)].length, 1);
    });
  });
});

Deno.test("published files are read-only, whichever way they came", async () => {
  await withRoot(async (root) => {
    await serving(root, async (scene) => {
      const { local } = scene;
      const modes: Record<string, number> = {};
      const modeOf = async (path: string) =>
        (await Deno.lstat(path)).mode! & 0o777;
      modes["set"] = await modeOf(await publish(scene, "set", "value"));
      for (
        const [key, size, links] of [
          ["copied", 10, 1],
          ["in place", 2 * MIB, 1],
          ["linked", 2 * MIB, 2],
        ] as const
      ) {
        const { id, path } = await local.assigned(NS, key);
        await Deno.writeFile(path, new Uint8Array(size), { mode: 0o666 });
        if (links === 2) await Deno.link(path, `${root}/other`);
        await local.done(id);
        modes[key] = await modeOf((await local.handle(NS, key)).path);
      }
      assert.deepEqual(
        modes,
        { set: 0o444, copied: 0o444, "in place": 0o444, linked: 0o444 },
      );
    });
  });
});

Deno.test("a local hit reads its file once after a start, and again when it changed", async () => {
  const missing = await whyNoTracer();
  if (missing !== undefined) return console.log(`skipped: ${missing}`);
  await withRoot(async (root) => {
    let path = "";
    await serving(root, async (scene) => {
      path = await publish(scene, "key", "the value");
    });
    await whileServed(root, async ({ server, local }) => {
      const tracing = await trace(await server.serverPid(), ["openat"], [
        ...["-P", path],
      ]);
      for (let i = 0; i < 5; i++) await local.handle(NS, "key");
      // A change of a moment ago would be looked at until it is older.
      const before = new Date(Date.now() - 60_000);
      await Deno.utime(path, before, before);
      for (let i = 0; i < 5; i++) await local.handle(NS, "key");
      assert.equal((await tracing.stop()).length, 2);
    }, ...ARGS);
  });
});
