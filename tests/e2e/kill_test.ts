/** SIGKILL in the middle of publishing: what was acknowledged is kept, whole. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { currentBootId } from "../../src/launch/boot_id.ts";
import { ServerProcess, type StartOptions } from "../support/server_process.ts";
import { assertSlowFile, writeSlowFile } from "../support/slow_file.ts";
import { until } from "../support/status.ts";

const NS = "tests.kill";
const ROUNDS = 2;
const CALLERS = 8;
/** From a few bytes to more than one write and one message. */
const SIZES = [1, 1_000, 70_000, 1_500_000];

/** The one value that a key may have. */
function valueOf(key: string): Uint8Array {
  let seed = 0;
  for (const char of key) seed = (seed * 31 + char.charCodeAt(0)) >>> 0;
  const value = new Uint8Array(SIZES[seed % SIZES.length]!);
  for (let i = 0; i < value.length; i++) {
    value[i] = seed = (seed * 1_103_515_245 + 12_345) & 0xff;
  }
  return value;
}

/** Publishes one key after the other until the server is gone. */
async function publish(
  { local, remote }: { local: LocalClient; remote: RemoteClient },
  caller: string,
  published: { asked: string[]; acknowledged: string[]; killed: boolean },
): Promise<void> {
  for (let i = 0;; i++) {
    const key = `${caller} ${i}`;
    try {
      published.asked.push(key);
      if (i % 2) {
        const { id } = await remote.assigned(NS, key);
        await remote.set(id, valueOf(key));
      } else {
        const { id, path } = await local.assigned(NS, key);
        await Deno.writeFile(path, valueOf(key));
        await local.done(id);
      }
      published.acknowledged.push(key);
    } catch (error) {
      if (published.killed) return;
      throw error;
    }
  }
}

Deno.test("a file that grew after its Done, and is larger than may be kept, is its client's after a kill", async () => {
  await withRoot(async (root) => {
    const options = { args: ["--restart-grace=100ms", "--max-bytes=2GiB"] };
    {
      await using server = await ServerProcess.start(root, options);
      using local = new LocalClient(server.local);
      const { id, path } = await local.assigned(NS, "slow");
      await writeSlowFile(path);
      await local.done(id);
      await server.kill();
    }
    const taken = [...Deno.readDirSync(`${root}/.private`)]
      .find(({ name }) => name.startsWith("taken-"));
    assert(taken, "the file was not being hashed any more");
    // As whoever has it open may do.
    await Deno.truncate(`${root}/.private/${taken.name}`, 8 * 1024 ** 4);

    await using server = await ServerProcess.start(root, options);
    using local = new LocalClient(server.local);
    const { assign } = await until(
      () => local.get(NS, "slow"),
      ({ assign }) => assign !== undefined,
    );
    assert(assign);
    assert.deepEqual([...Deno.readDirSync(`${root}/.private`)], []);
  });
});

Deno.test("a killed server serves every acknowledged value, whole", async () => {
  const published = {
    asked: [] as string[],
    acknowledged: [] as string[],
    killed: false,
  };
  await withRoot(async (root) => {
    for (let round = 0; round < ROUNDS; round++) {
      const server = await ServerProcess.start(root);
      using local = new LocalClient(server.local);
      using remote = new RemoteClient(server.remote);
      published.killed = false;
      const callers = Array.from(
        { length: CALLERS },
        (_, i) => publish({ local, remote }, `${round}.${i}`, published),
      );
      const enough = (round + 1) * 40;
      while (published.acknowledged.length < enough) {
        await Promise.race([
          new Promise((done) => setTimeout(done, 5)),
          Promise.any(callers).then(() => assert.fail("the server is gone")),
        ]);
      }
      published.killed = true;
      await server.kill();
      await Promise.all(callers);
    }

    await using server = await ServerProcess.start(root);
    using remote = new RemoteClient(server.remote);
    const acknowledged = new Set(published.acknowledged);
    assert(acknowledged.size >= ROUNDS * 40);
    for (const key of published.asked) {
      const reply = await remote.get(NS, key, { assign: false });
      if (acknowledged.has(key)) assert.equal(reply.entryStatus, "ready", key);
      if (reply.ready instanceof Uint8Array) {
        assert(Buffer.from(valueOf(key)).equals(reply.ready), `${key} is torn`);
      }
    }
    assert.equal(server.stderr, "");
  });
});

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Ways to serve, and what the file is called that a kill leaves. */
const SERVED: Record<string, { start: StartOptions; left: RegExp }> = {
  "in relaxed mode": {
    start: {},
    left: new RegExp(`^taken-${await currentBootId() ?? ""}`),
  },
  "in strict mode": {
    start: { args: ["--durability=strict"] },
    left: /^captured-/,
  },
  "in relaxed mode, not told which boot it is,": {
    start: { program: [MAIN] },
    left: /^captured-/,
  },
};

for (const [mode, { start, left }] of Object.entries(SERVED)) {
  Deno.test(`killed ${mode} while it hashes: a Done that was answered is kept`, async () => {
    await withRoot(async (root) => {
      {
        await using server = await ServerProcess.start(root, start);
        using local = new LocalClient(server.local);
        const { id, path } = await local.assigned(NS, "slow");
        await writeSlowFile(path);
        await local.done(id);
        await server.kill();
      }
      for await (const { name } of Deno.readDir(`${root}/.private`)) {
        assert.match(name, left);
      }
      await using server = await ServerProcess.start(root, start);
      using local = new LocalClient(server.local);
      const { ready, entryStatus } = await until(
        () => local.get(NS, "slow", { assign: false }),
        ({ entryStatus }) => entryStatus !== "loading",
        60_000,
      );
      assert(ready && !(ready instanceof Uint8Array), entryStatus);
      await assertSlowFile(ready.path);
    });
  });
}
