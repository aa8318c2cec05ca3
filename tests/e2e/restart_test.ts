/** What survives a stop, a crash, and a second server. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { LocalClient, RemoteClient, textOf } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import {
  type ClientsHere,
  ServerHere,
  withClientsHere,
} from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { rejectsWith, until } from "../support/status.ts";

const NS = "tests.restart";
const GRACE = ["--restart-grace", "1s"];
const LONG = ["--heartbeat-interval", "10s", "--heartbeat-timeout", "60s"];

function start(root: string, ...args: string[]): Promise<ServerProcess> {
  return ServerProcess.start(root, {
    args: [...LONG, ...args],
  });
}

/** Runs against a server whose leases last. */
function serving(
  root: string,
  run: (served: ClientsHere) => Promise<void>,
  ...args: string[]
): Promise<void> {
  return withClientsHere(root, run, ...LONG, ...args);
}

Deno.test("ready and loading entries survive a stop", async () => {
  await withRoot(async (root) => {
    const id: Record<string, string> = {};
    let path = "";
    let handle = "";
    await serving(
      root,
      async ({ local, remote }) => {
        for (const key of ["ready", "remote"]) {
          id[key] = (await remote.assigned(NS, key)).id;
        }
        ({ id: id["local"], path } = await local.assigned(NS, "local"));
        await remote.set(id["ready"]!, "kept");
        handle = (await local.handle(NS, "ready")).id;
        await Deno.writeTextFile(path, "half");
      },
      "--drain-timeout",
      "50ms",
    );
    await serving(
      root,
      async ({ local, remote }) => {
        assert.equal(textOf(await remote.value(NS, "ready")), "kept");
        await remote.set(id["ready"]!, "again");
        assert.equal(textOf(await remote.value(NS, "ready")), "kept");
        for (const key of ["remote", "local"]) {
          const { entryStatus } = await remote.get(NS, key);
          assert.equal(entryStatus, "loading", `${key} is in its grace`);
          await remote.heartbeat(id[key]!);
        }
        await Deno.writeTextFile(path, "whole");
        await local.done(id["local"]!);
        await remote.set(id["remote"]!, "published");
        assert.equal(textOf(await remote.value(NS, "local")), "whole");
        assert.equal(textOf(await remote.value(NS, "remote")), "published");
        await local.drop(handle);
      },
      "--drain-timeout",
      "50ms",
    );
  });
});

Deno.test("after the grace an abandoned assignment goes to the next", async () => {
  await withRoot(async (root) => {
    let stale = "";
    const short = ["--heartbeat-interval", "50ms", "--heartbeat-timeout"];
    await serving(
      root,
      async ({ remote }) => {
        stale = (await remote.assigned(NS, "key")).id;
      },
      "--drain-timeout",
      "50ms",
    );
    await serving(
      root,
      async ({ remote }) => {
        const { assign } = await until(
          () => remote.get(NS, "key"),
          ({ assign }) => assign !== undefined,
        );
        await rejectsWith("INVALID_ARGUMENT", remote.set(stale, "stale"));
        await remote.set(assign!.id, "fresh");
        await rejectsWith("INVALID_ARGUMENT", remote.set(stale, "stale"));
        assert.equal(textOf(await remote.value(NS, "key")), "fresh");
      },
      ...GRACE,
      ...short,
      "200ms",
    );
  });
});

Deno.test("a second start does not make the grace of the first longer", async () => {
  await withRoot(async (root) => {
    const args = [
      "--heartbeat-interval",
      "50ms",
      "--heartbeat-timeout",
      "200ms",
    ];
    let heard = "";
    {
      await using server = await start(root, ...args);
      using remote = new RemoteClient(server.remote);
      await remote.assigned(NS, "silent");
      heard = (await remote.assigned(NS, "heard")).id;
      await server.kill();
    }
    {
      await using server = await start(root, ...args, ...GRACE);
      using remote = new RemoteClient(server.remote);
      await remote.heartbeat(heard);
      // The note of it may come after the reply, but not after this one's.
      await remote.assigned(NS, "another");
      await server.kill();
    }
    const hour = ["--restart-grace", "1h"];
    await using server = await start(root, ...args, ...hour);
    using remote = new RemoteClient(server.remote);
    await until(
      () => remote.get(NS, "silent"),
      ({ assign }) => assign !== undefined,
    );
    assert.equal((await remote.get(NS, "heard")).entryStatus, "loading");
  });
});

Deno.test("a stop lets running work be published, and gives out no more", async () => {
  await withRoot(async (root) => {
    const lease = ["--heartbeat-interval", "1s", "--heartbeat-timeout", "3s"];
    const limit = ["--drain-timeout", "60s"];
    await using server = await ServerHere.start(root, {
      args: [...lease, ...limit],
    });
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote);
    const set = await remote.assigned(NS, "set");
    const done = await local.assigned(NS, "done");
    // Keeps the stop waiting until its lease ends: by then the clients are
    // closed, for Deno's HTTP/2 client may abort on a late GOAWAY.
    await remote.assigned(NS, "abandoned");
    const stopped = server.stop();
    let asked = 0;
    await until(
      () => remote.get(NS, `no more ${asked++}`),
      ({ entryStatus, assign }) => {
        // It was asked before the stop arrived: give it back at once.
        if (assign) void remote.set(assign.id, "given back");
        return entryStatus === "unassigned";
      },
    );
    await remote.heartbeat(set.id);
    await Deno.writeTextFile(done.path, "by done");
    await local.done(done.id);
    assert.equal(textOf(await remote.value(NS, "done")), "by done");
    await remote.set(set.id, "by set");
    local.close();
    remote.close();
    await stopped;
    await serving(root, async ({ remote }) => {
      assert.equal(textOf(await remote.value(NS, "set")), "by set");
      assert.equal(textOf(await remote.value(NS, "done")), "by done");
    });
  });
});

Deno.test("a stale id can never publish under another key", async () => {
  await withRoot(async (root) => {
    const stale: string[] = [];
    await serving(root, async ({ remote }) => {
      for (let i = 0; i < 20; i++) {
        const { id } = await remote.assigned(NS, `old ${i}`);
        await remote.set(id, "old");
        stale.push(id);
      }
    });
    // The original gives ids from 0 on after each start.
    stale.push(...Array.from({ length: 20 }, (_, i) => String(i)));
    await serving(root, async ({ remote }) => {
      const fresh = [];
      for (let i = 0; i < 20; i++) {
        fresh.push(await remote.assigned(NS, `new ${i}`));
      }
      await Promise.allSettled(stale.map((id) => remote.set(id, "stale")));
      for (const [i, { id }] of fresh.entries()) {
        assert.equal((await remote.get(NS, `new ${i}`)).entryStatus, "loading");
        await remote.set(id, `new ${i}`);
        const value = await remote.value(NS, `new ${i}`);
        assert.equal(textOf(value), `new ${i}`);
      }
    });
  });
});

Deno.test("an eviction that was cut off is finished at start", async () => {
  await withRoot(async (root) => {
    let path = "";
    await serving(root, async ({ local, remote }) => {
      const { id } = await remote.assigned(NS, "evicting");
      await remote.set(id, "going");
      ({ path } = await local.handle(NS, "evicting"));
    });
    const db = new DatabaseSync(`${root}/cache.sqlite`);
    db.exec("UPDATE manifest SET status = 2");
    db.close();
    await serving(root, async ({ local, remote }) => {
      await until(
        () => remote.get(NS, "evicting", { assign: false }),
        () => !exists(path),
      );
      const { id, path: staging } = await until(
        () => local.get(NS, "evicting"),
        ({ assign }) => assign !== undefined,
      ).then(({ assign }) => assign!);
      await Deno.writeTextFile(staging, "back");
      await local.done(id);
      assert.equal(textOf(await remote.value(NS, "evicting")), "back");
    });
  });
});

Deno.test("a second server on a root is refused and disturbs nothing", async () => {
  await withRoot(async (root) => {
    await serving(
      root,
      async ({ remote }) => {
        const before = await Deno.readTextFile(`${root}/Cache.toml`);
        assert.match(before, /remote_addr/);
        await assert.rejects(start(root), /in use/);
        assert.equal(await Deno.readTextFile(`${root}/Cache.toml`), before);
        await remote.assigned(NS, "still here");
      },
      "--drain-timeout",
      "50ms",
    );
  });
});

Deno.test("a root of the original server opens, and stays readable by it", async () => {
  await withRoot(async (root) => {
    const key = new TextEncoder().encode("original");
    const hex = Array.from(
      new Uint8Array(await crypto.subtle.digest("SHA-256", key)),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
    await Deno.mkdir(`${root}/${NS}`);
    await Deno.writeTextFile(`${root}/${NS}/${hex}`, "from the original");
    const db = new DatabaseSync(`${root}/cache.sqlite`);
    db.exec(
      "CREATE TABLE manifest (namespace TEXT NOT NULL, key BLOB NOT NULL, " +
        "status INTEGER NOT NULL, PRIMARY KEY (namespace, key))",
    );
    const insert = db.prepare("INSERT INTO manifest VALUES (?, ?, ?)");
    insert.run(NS, key, 1);
    insert.run(NS, Uint8Array.of(1), 1); // Its blob is missing.
    insert.run(NS, Uint8Array.of(2), 0); // Its client died with the original.
    insert.run(NS, Uint8Array.of(3), 2); // Its eviction was cut off.
    db.close();

    await serving(root, async ({ local, remote }) => {
      assert.equal(
        textOf(await remote.value(NS, "original")),
        "from the original",
      );
      const { path, id } = await local.handle(NS, "original");
      assert.equal(await Deno.readTextFile(path), "from the original");
      await local.drop(id);
      for (const key of [1, 2, 3].map((byte) => Uint8Array.of(byte))) {
        const { assign } = await until(
          () => remote.get(NS, key),
          ({ assign }) => assign !== undefined,
        );
        await remote.set(assign!.id, `new ${key[0]}`);
      }
    });

    assert(!exists(`${root}/cache.sqlite-wal`), "no write-ahead log is left");
    const after = new DatabaseSync(`${root}/cache.sqlite`);
    const rows = after.prepare("SELECT namespace, key, status FROM manifest")
      .all();
    assert.deepEqual(rows.map(({ status }) => status), [1, 1, 1, 1]);
    // What the original writes itself goes in as ever.
    after.prepare(
      "INSERT INTO manifest (namespace, key, status) VALUES (?, ?, ?)",
    ).run(NS, Uint8Array.of(9), 0);
    after.close();
  });
});

Deno.test("what nobody owns is swept", async () => {
  await withRoot(async (root) => {
    // Only in a root of Larder's.
    await serving(root, () => Promise.resolve());
    const orphan = `${root}/${NS}/${"ab".repeat(32)}`;
    await Deno.mkdir(`${root}/${NS}`, { recursive: true });
    await Deno.writeTextFile(orphan, "nobody's");
    await Deno.writeTextFile(`${root}/.staging/left`, "over");
    await serving(root, async () => {
      await until(
        () => Promise.resolve(exists(orphan)),
        (there) => !there,
      );
      assert(!exists(`${root}/.staging/left`));
    });
  });
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
