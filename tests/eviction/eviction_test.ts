/** A real server keeps its limits: on its disk, and in what it says. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { rejectsWith, until } from "../support/status.ts";

const NS = "tests.eviction";
const KIB = 1024;
const VALUE = new Uint8Array(10 * KIB).fill(7);

async function publish(remote: RemoteClient, key: string): Promise<void> {
  const { id } = await remote.assigned(NS, key);
  await remote.set(id, VALUE);
}

/** grpc-js returns a Buffer, Deno an Uint8Array. */
function assertValue(bytes: Uint8Array): void {
  assert.deepEqual(new Uint8Array(bytes), VALUE);
}

/** Bytes of the published files of a namespace. */
function bytesOnDisk(root: string, namespace = NS): number {
  const folder = `${root}/${namespace}`;
  return [...Deno.readDirSync(folder)].reduce((sum, { name }) => {
    try {
      return sum + Deno.statSync(`${folder}/${name}`).size;
    } catch {
      return sum; // It went as we looked.
    }
  }, 0);
}

Deno.test("the disk never holds more than --max-bytes, and the newest stay", async () => {
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root, {
      args: ["--max-bytes", "200KiB"],
    });
    using remote = new RemoteClient(server.remote);
    const count = 100;
    let unassigned = 0;
    for (let i = 0; i < count; i++) {
      const { assign } = await until(
        () => remote.get(NS, `${i}`),
        ({ assign }) => assign !== undefined || ++unassigned > 1_000,
      );
      await remote.set(assign!.id, VALUE);
      assert.ok(bytesOnDisk(root) <= 200 * KIB, `after ${i}`);
    }
    for (const key of [count - 1, count - 5]) {
      assertValue(await remote.value(NS, `${key}`));
    }
    const first = await remote.get(NS, "0", { assign: false });
    assert.equal(
      first.entryStatus,
      "unassigned",
      "it went, and can be made anew",
    );
  });
});

Deno.test("a file that a client holds stays, and its quota is full", async () => {
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root, {
      // Three values are below the watermark, and four above the limit.
      args: ["--quotas", `${NS}=32KiB`],
    });
    using remote = new RemoteClient(server.remote);
    using local = new LocalClient(server.local);
    const held: { id: string; path: string }[] = [];
    for (const key of ["a", "b"]) {
      await publish(remote, key);
      held.push(await local.handle(NS, key));
    }
    const { id } = await remote.assigned(NS, "c");
    await rejectsWith(
      "RESOURCE_EXHAUSTED",
      remote.set(id, new Uint8Array(33 * KIB)),
      /quota of tests\.eviction allows 32768 bytes in all, and the value has 33792/,
    );
    await remote.set(id, VALUE);
    held.push(await local.handle(NS, "c"));
    for (let i = 0; i < 3; i++) {
      const { entryStatus } = await remote.get(NS, `more ${i}`);
      assert.equal(entryStatus, "unassigned");
    }
    for (const { path } of held) {
      assertValue(await Deno.readFile(path));
    }
    await local.drop(held[0]!.id);
    await until(
      () => remote.get(NS, "d"),
      ({ entryStatus }) => entryStatus === "assign",
    );
    // The work is given out as soon as it is decided what goes.
    await until(
      () => Deno.lstat(held[0]!.path).then(() => true, () => false),
      (isThere) => !isThere,
    );
    assertValue(await remote.value(NS, "b"));
  });
});

Deno.test("what was handed out before a kill stays for one lease", async () => {
  await withRoot(async (root) => {
    const args = ["--max-entries", "4"];
    const held = await (async () => {
      await using server = await ServerProcess.start(root, { args });
      using remote = new RemoteClient(server.remote);
      using local = new LocalClient(server.local);
      await publish(remote, "held");
      const handle = await local.handle(NS, "held");
      for (const key of ["1", "2"]) await publish(remote, key);
      remote.close();
      local.close();
      await server.kill();
      return handle;
    })();
    await using server = await ServerHere.start(root, { args });
    using remote = new RemoteClient(server.remote);
    using local = new LocalClient(server.local);
    for (let i = 0; i < 6; i++) {
      const { assign } = await until(
        () => remote.get(NS, `new ${i}`),
        ({ assign }) => assign !== undefined,
      );
      await remote.set(assign!.id, VALUE);
    }
    assertValue(await Deno.readFile(held.path));
    const gone = await remote.get(NS, "1", { assign: false });
    assert.equal(gone.entryStatus, "unassigned");
    await local.drop(held.id);
  });
});

Deno.test("a client that sends heartbeats for ever loses its work, and the log says who", async () => {
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root, {
      args: ["--max-compute-time", "300ms"],
    });
    using wedged = new RemoteClient(server.remote);
    using other = new RemoteClient(server.remote);
    const { id } = await wedged.assigned(NS, "slow");
    await wedged.heartbeat(id);
    const { assign } = await until(
      async () => {
        await wedged.heartbeat(id).catch(() => {});
        return await other.get(NS, "slow");
      },
      ({ assign }) => assign !== undefined,
    );
    await other.set(assign!.id, VALUE);
    await rejectsWith("INVALID_ARGUMENT", wedged.set(id, "late"));
    assertValue(await other.value(NS, "slow"));
    assert.match(
      server.stderr,
      /goes to another client: .*--max-compute-time namespace=\S+ key=\S+ client=127\.0\.0\.1:\d+ call=\d+ seconds=\d/,
    );
  });
});

Deno.test("what the original server left is measured, and goes by the age of its files", async () => {
  await withRoot(async (root) => {
    const database = new DatabaseSync(`${root}/cache.sqlite`);
    database.exec(
      "CREATE TABLE manifest(namespace TEXT, key BLOB NOT NULL, status INTEGER, PRIMARY KEY(namespace, key))",
    );
    const insert = database.prepare("INSERT INTO manifest VALUES(?, ?, 1)");
    await Deno.mkdir(`${root}/${NS}`);
    for (let i = 0; i < 10; i++) {
      const key = Uint8Array.of(i);
      insert.run(NS, key);
      const digest = await crypto.subtle.digest("SHA-256", key);
      const path = `${root}/${NS}/${new Uint8Array(digest).toHex()}`;
      await Deno.writeFile(path, VALUE);
      // The one of key 9 is the oldest.
      await Deno.utime(path, 1_700_000_000 - i, 1_700_000_000 - i);
    }
    database.close();
    await using server = await ServerHere.start(root, {
      args: ["--max-bytes", "60KiB"],
    });
    await until(
      () => Promise.resolve(bytesOnDisk(root)),
      (bytes) => bytes <= 60 * KIB,
    );
    using remote = new RemoteClient(server.remote);
    assertValue(await remote.value(NS, Uint8Array.of(0)));
    const oldest = await remote.get(NS, Uint8Array.of(9), { assign: false });
    assert.equal(oldest.entryStatus, "unassigned");
  });
});

Deno.test("limits that would keep nothing are refused at the start", async () => {
  const refusals: [flag: string, message: RegExp][] = [
    ["--max-bytes=0", /--max-bytes 0: out of range: 1 to/],
    ["--quotas=a=0", /a=0 keeps nothing/],
    ["--min-free=5", /--min-free 5: 5% or 5GiB\? Write the unit/],
    [
      "--min-free=5000TiB",
      /--min-free asks for 4\.9 PiB .* has [\d.]+ [GT]iB in all/,
    ],
  ];
  await withRoot(async (root) => {
    for (const [flag, message] of refusals) {
      await assert.rejects(
        ServerProcess.start(root, { args: [flag] }),
        (error: Error) => {
          assert.match(error.message, message);
          return true;
        },
      );
    }
    assert.deepEqual([...Deno.readDirSync(root)], []);
  });
});
