/**
 * Every row of the semantics tables, on a real server over real sockets, on
 * both services and across them.
 */

import assert from "node:assert/strict";
import { LocalClient, RemoteClient, textOf } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { rejectsWith, until } from "../support/status.ts";

const NS = "tests.e2e";

async function withServer(
  args: readonly string[],
  run: (
    clients: { local: LocalClient; remote: RemoteClient; root: string },
  ) => Promise<void>,
  log = /^$/,
): Promise<void> {
  await withRoot(async (root) => {
    await using server = await ServerHere.start(root, {
      args,
    });
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote);
    await run({ local, remote, root });
    assert.match(server.stderr, log);
  });
}

/** Leases that end soon: for what happens after their end. */
const SHORT_LEASE_MS = 200;
/** A file's time of change may be so much too early. */
const CLOCK_TICK_MS = 10;
const SHORT = [
  ...["--heartbeat-interval", "50ms"],
  ...["--heartbeat-timeout", `${SHORT_LEASE_MS}ms`],
];
/** Leases that do not end while a test runs, however slow the machine. */
const LONG = ["--heartbeat-interval", "10s", "--heartbeat-timeout", "60s"];

Deno.test("an absent entry is assigned to whoever wants it", async (t) => {
  await withServer(LONG, async ({ local, remote }) => {
    await t.step("nobody who does not want it", async () => {
      for (const client of [local, remote]) {
        const reply = await client.get(NS, "absent", { assign: false });
        assert.equal(reply.entryStatus, "unassigned");
      }
    });
    await t.step("remotely, with an id and the interval", async () => {
      const assign = await remote.assigned(NS, "remote");
      assert.match(assign.id, /^[1-9][0-9]{0,18}$/);
      assert.equal(assign.heartbeatIntervalMs, "10000");
    });
    await t.step("locally, with an absolute path too", async () => {
      const { id, path, heartbeatIntervalMs } = await local.assigned(
        NS,
        "local",
      );
      assert.match(id, /^[1-9][0-9]{0,18}$/);
      assert.equal(heartbeatIntervalMs, "10000");
      assert(path.startsWith("/"), path);
      assert(!path.includes(id), "the path says nothing of the id");
    });
    await t.step("and is loading for all others", async () => {
      for (const client of [local, remote]) {
        for (const key of ["remote", "local"]) {
          for (const assign of [true, false]) {
            const reply = await client.get(NS, key, { assign });
            assert.equal(reply.entryStatus, "loading");
          }
        }
      }
    });
  });
});

Deno.test("what one service publishes the other one reads", async (t) => {
  await withServer(LONG, async ({ local, remote, root }) => {
    await t.step("Set, then Get on both", async () => {
      const { id } = await remote.assigned(NS, "set");
      await remote.set(id, "hello");
      assert.equal(textOf(await remote.value(NS, "set")), "hello");
      const handle = await local.handle(NS, "set");
      assert.equal(await Deno.readTextFile(handle.path), "hello");
      assert(handle.path.startsWith(`${await Deno.realPath(root)}/${NS}/`));
      const { mode } = await Deno.stat(handle.path);
      assert.equal(mode! & 0o777, 0o444);
      await local.drop(handle.id);
    });
    await t.step("Done, then Get on both", async () => {
      const { id, path } = await local.assigned(NS, "done");
      await Deno.writeTextFile(path, "a file");
      await local.done(id);
      assert.equal(textOf(await remote.value(NS, "done")), "a file");
      const handle = await local.handle(NS, "done");
      assert.equal(await Deno.readTextFile(handle.path), "a file");
      await local.drop(handle.id);
    });
    await t.step("Set of a local assignment", async () => {
      const { id } = await local.assigned(NS, "crossed");
      await remote.set(id, "crossed");
      assert.equal(textOf(await remote.value(NS, "crossed")), "crossed");
    });
    await t.step("empty keys, binary keys, empty values, 5 MiB", async () => {
      const big = crypto.getRandomValues(new Uint8Array(65_536));
      const cases: [Uint8Array, Uint8Array][] = [
        [new Uint8Array(), new Uint8Array()],
        [Uint8Array.of(0, 255, 10, 0), Uint8Array.of(0)],
        [Uint8Array.of(1), new Uint8Array(5 * 2 ** 20).fill(7)],
        [Uint8Array.of(2), big],
      ];
      for (const [key, value] of cases) {
        const { id } = await remote.assigned(NS, key);
        await remote.set(id, value);
        const read = await remote.value(NS, key);
        assert(Buffer.from(value).equals(read), `${value.length} bytes`);
      }
    });
    await t.step("namespaces are apart", async () => {
      const { id } = await remote.assigned(`${NS}.other`, "set");
      await remote.set(id, "other");
      assert.equal(textOf(await remote.value(NS, "set")), "hello");
    });
  });
});

Deno.test("publishing twice changes nothing", async (t) => {
  await withServer(LONG, async ({ local, remote }) => {
    await t.step("Set", async () => {
      const { id } = await remote.assigned(NS, "set");
      await remote.set(id, "first");
      await remote.set(id, "second");
      await remote.heartbeat(id);
      assert.equal(textOf(await remote.value(NS, "set")), "first");
    });
    await t.step("Done", async () => {
      const { id, path } = await local.assigned(NS, "done");
      await Deno.writeTextFile(path, "first");
      await local.done(id);
      await local.done(id);
      await local.heartbeat(id);
      assert.equal(textOf(await remote.value(NS, "done")), "first");
    });
    await t.step("at the same time", async () => {
      const { id } = await remote.assigned(NS, "both");
      const calls = Array.from({ length: 8 }, () => remote.set(id, "same"));
      await Promise.all(calls);
      assert.equal(textOf(await remote.value(NS, "both")), "same");
    });
  });
});

Deno.test("Done without a file leaves the assignment with its client", async (t) => {
  await withServer(LONG, async ({ local, remote }) => {
    const { id, path } = await local.assigned(NS, "none");
    await t.step("nothing there", async () => {
      await rejectsWith("FAILED_PRECONDITION", local.done(id));
    });
    await t.step("a folder, a symlink, a FIFO", async () => {
      await Deno.mkdir(path);
      await rejectsWith("FAILED_PRECONDITION", local.done(id));
      await Deno.symlink("/etc/passwd", path);
      await rejectsWith("FAILED_PRECONDITION", local.done(id));
      await new Deno.Command("mkfifo", { args: [path] }).output();
      await rejectsWith("FAILED_PRECONDITION", local.done(id));
    });
    await t.step("then a file", async () => {
      assert.equal((await remote.get(NS, "none")).entryStatus, "loading");
      await Deno.writeTextFile(path, "at last");
      await local.done(id);
      assert.equal(textOf(await remote.value(NS, "none")), "at last");
    });
    await t.step("Done of a remote assignment has no path", async () => {
      const { id } = await remote.assigned(NS, "remote");
      await rejectsWith("FAILED_PRECONDITION", local.done(id), /Set/);
      await remote.set(id, "still mine");
    });
  });
});

Deno.test("ids that name nothing are refused", async () => {
  await withServer(LONG, async ({ local, remote }) => {
    const assignment = /invalid assignment id/;
    for (
      const id of ["0", "1", "9223372036854775807", "18446744073709551615"]
    ) {
      for (const client of [local, remote]) {
        await rejectsWith("INVALID_ARGUMENT", client.heartbeat(id), assignment);
      }
      await rejectsWith("INVALID_ARGUMENT", remote.set(id, "x"), assignment);
      await rejectsWith("INVALID_ARGUMENT", local.done(id), assignment);
      await rejectsWith(
        "INVALID_ARGUMENT",
        local.drop(id),
        /invalid handle id/,
      );
    }
    const { id } = await remote.assigned(NS, "mine");
    await rejectsWith("INVALID_ARGUMENT", local.drop(id), /invalid handle id/);
    await remote.set(id, "x");
    const handle = await local.handle(NS, "mine");
    await local.heartbeat(handle.id);
    await local.drop(handle.id);
    await rejectsWith("INVALID_ARGUMENT", local.drop(handle.id));
    await rejectsWith("INVALID_ARGUMENT", local.heartbeat(handle.id));
  });
});

Deno.test("namespaces and keys that cannot be are refused", async () => {
  await withServer(LONG, async ({ local, remote }) => {
    const refused = [
      "",
      ".",
      "a.",
      ".a",
      "a..b",
      "1a",
      "a/b",
      "../a",
      "a-b",
      "ä",
      "a\n",
      "a\0",
      "Cache.toml",
      "cache.sqlite",
      "n".repeat(256),
    ];
    for (const namespace of refused) {
      for (const client of [local, remote]) {
        const call = client.get(namespace, "k", { assign: false });
        await rejectsWith("INVALID_ARGUMENT", call, /invalid namespace/);
      }
    }
    for (const namespace of ["a", "_", "A1._b.c", "n".repeat(255)]) {
      const reply = await remote.get(namespace, "k", { assign: false });
      assert.equal(reply.entryStatus, "unassigned");
    }
    const key = new Uint8Array(64 * 1024 + 1);
    await rejectsWith("INVALID_ARGUMENT", remote.get(NS, key), /key/);
    await remote.assigned(NS, key.subarray(1));
  });
});

Deno.test("an expired assignment", async (t) => {
  await withServer(SHORT, async ({ local, remote }) => {
    await t.step(
      "goes to the next one who asks, and its id is void",
      async () => {
        const first = await remote.assigned(NS, "taken");
        const next = await until(
          () => remote.get(NS, "taken"),
          ({ assign }) => assign !== undefined,
        );
        assert.notEqual(next.assign!.id, first.id);
        await rejectsWith("INVALID_ARGUMENT", remote.heartbeat(first.id));
        await rejectsWith("INVALID_ARGUMENT", remote.set(first.id, "late"));
        await remote.set(next.assign!.id, "in time");
        await rejectsWith("INVALID_ARGUMENT", remote.set(first.id, "late"));
        assert.equal(textOf(await remote.value(NS, "taken")), "in time");
      },
    );
    await t.step("is removed by a Get that does not want it", async () => {
      const { id } = await remote.assigned(NS, "removed");
      await until(
        () => remote.get(NS, "removed", { assign: false }),
        ({ entryStatus }) => entryStatus === "unassigned",
      );
      await rejectsWith("INVALID_ARGUMENT", remote.set(id, "late"));
    });
    await t.step("is its holder's until somebody asks", async () => {
      const probe = await remote.assigned(NS, "probe");
      const { id } = await remote.assigned(NS, "kept");
      // When the one has expired, so has the other.
      await until(
        () => remote.get(NS, "probe"),
        ({ assign }) => assign !== undefined && assign.id !== probe.id,
      );
      await remote.heartbeat(id);
      await remote.set(id, "kept");
      assert.equal(textOf(await remote.value(NS, "kept")), "kept");
    });
    await t.step("is alive while its file still grows", async () => {
      // A busy machine may hold us up between two writes for longer than a lease.
      await until(() => growsFor(600, { local, remote }), (isAlive) => isAlive);
    });
  });
});

/** Writes to a file that all find loading; `false`: not often enough to tell. */
async function growsFor(
  ms: number,
  { local, remote }: {
    readonly local: LocalClient;
    readonly remote: RemoteClient;
  },
): Promise<boolean> {
  const key = crypto.getRandomValues(new Uint8Array(8));
  const { id, path } = await local.assigned(NS, key);
  using file = await Deno.open(path, { write: true, create: true });
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    const beganMs = performance.now();
    await file.write(new Uint8Array(8));
    const { entryStatus } = await remote.get(NS, key);
    const isLate =
      performance.now() - beganMs >= SHORT_LEASE_MS - CLOCK_TICK_MS;
    if (isLate && entryStatus !== "loading") return false;
    assert.equal(entryStatus, "loading");
  }
  await local.done(id);
  return true;
}

Deno.test("a client that has gone takes no assignment", async () => {
  await withServer(LONG, async ({ remote }) => {
    for (let round = 0; round < 20; round++) {
      const gone = new AbortController();
      const call = remote.get(NS, `gone ${round}`, { signal: gone.signal });
      gone.abort();
      await rejectsWith("CANCELLED", call);
    }
    // Whatever became of the cancelled calls, this one is served.
    const assigned = await remote.assigned(NS, "here");
    await remote.set(assigned.id, "x");
  });
});

Deno.test("fifty clients ask for one key and one is assigned", async () => {
  await withServer(LONG, async ({ local, remote }) => {
    const clients = Array.from(
      { length: 50 },
      (_, i) => (i % 2 ? local : remote),
    );
    const replies = await Promise.all(
      clients.map((client) => client.get(NS, "one")),
    );
    const statuses = replies.map(({ entryStatus }) => entryStatus);
    assert.equal(statuses.filter((status) => status === "assign").length, 1);
    assert.equal(statuses.filter((status) => status === "loading").length, 49);
  });
});

Deno.test("a message over the limit is refused and the connection lives on", async () => {
  const args = [...LONG, "--max-message-bytes", "1MiB"];
  await withServer(args, async ({ local, remote }) => {
    const { id } = await remote.assigned(NS, "big");
    const big = new Uint8Array(2 ** 20 + 1);
    await rejectsWith("RESOURCE_EXHAUSTED", remote.set(id, big));
    await remote.heartbeat(id);
    await remote.set(id, big.subarray(0, 2 ** 20 - 100));
    const stored = await remote.value(NS, "big");
    assert.equal(stored.length, 2 ** 20 - 100);

    const file = await local.assigned(NS, "bigger");
    await Deno.writeFile(file.path, big);
    await local.done(file.id);
    const reply = await remote.get(NS, "bigger");
    assert.equal(reply.entryStatus, "unassigned");
    const handle = await local.handle(NS, "bigger");
    assert.equal((await Deno.stat(handle.path)).size, big.length);
    const again = await remote.get(NS, "bigger");
    assert.equal(again.entryStatus, "unassigned");
  }, /^\S+ warn {2}a value is larger than --max-reply-bytes.*\n$/);
});
