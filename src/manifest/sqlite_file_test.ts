import assert from "node:assert/strict";
import { sha256Hex } from "../../workers/digest.ts";
import { OPERATIONS } from "../../workers/manifest_operations.ts";
import { SCHEMA_VERSION } from "../../workers/manifest_check.ts";
import { openManifest } from "../../workers/manifest_schema.ts";
import { FakeClock, systemClock } from "../clock.ts";
import { StartError } from "../errors.ts";
import { collect, digestOf, entryOf } from "./testing/manifest_contract.ts";
import { SqliteManifest } from "./sqlite_manifest.ts";
import { spawnManifestWorker, WorkerSession } from "./worker_session.ts";
import {
  freshRoot,
  makeOriginal,
  openPlain,
  ORIGINAL_INSERT,
} from "./testing/test_root.ts";

const { wallMs } = systemClock;
const A = entryOf("A");

/** Expects that a root is refused with a message like this. */
function refuses(root: string, message: RegExp): Promise<void> {
  return assert.rejects(
    SqliteManifest.open({ root, wallMs }),
    (error) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/, "one line");
      return true;
    },
  );
}

Deno.test("SqliteManifest opens a root of the original server unchanged", async () => {
  using fresh = freshRoot();
  const { root } = fresh;
  const [B, C] = [entryOf("B"), entryOf("C")];
  {
    using original = makeOriginal(root);
    const insert = original.prepare(ORIGINAL_INSERT);
    insert.run("a.b", A.key, 1);
    insert.run("a.b", B.key, 0);
    insert.run("a.b", C.key, 2);
  }
  const clock = new FakeClock();
  await using manifest = await SqliteManifest.open({
    root,
    wallMs: () => clock.wallMs(),
  });
  assert.equal(manifest.servedBefore, true);
  assert.deepEqual(await manifest.find(A), { ...A, status: "ready" });
  // Nobody knows since when.
  const loading = { ...B, status: "loading", assignedMs: clock.wallMs() };
  assert.deepEqual(await manifest.find(B), loading);
  assert.deepEqual(await manifest.find(C), { ...C, status: "evicting" });
  assert.deepEqual(
    await collect((cursor) => manifest.unsettled(cursor)),
    [loading, { ...C, status: "evicting" }],
  );
  assert.deepEqual(await manifest.names("a.b"), {
    items: [A, B, C].map((entry) => sha256Hex(entry.key)),
  });

  const opened = clock.wallMs();
  assert.deepEqual((await manifest.stale(opened)).items, []);
  assert.equal((await manifest.stale(opened + 1)).items.length, 1);

  const digest = digestOf("x");
  assert.equal(await manifest.complete(A, "1", digest), true);
  assert.equal(await manifest.complete(A, "2", digest), false);
  assert.deepEqual(await manifest.findId("1"), {
    ...A,
    status: "ready",
    id: "1",
    digest,
  });
  const nobody = { status: "loading", id: undefined } as const;
  assert.equal(await manifest.reassign(B, nobody, { id: "3" }), true);
  assert.equal((await manifest.findId("3"))?.name, B.name);
  const gone = { status: "evicting", id: undefined } as const;
  assert.equal(await manifest.remove(C, gone), true);
});

Deno.test("SqliteManifest evicts a row of the original by its lack of an id", async () => {
  using fresh = freshRoot();
  {
    using original = makeOriginal(fresh.root);
    original.prepare(ORIGINAL_INSERT).run("a.b", A.key, 1);
  }
  await using manifest = await SqliteManifest.open({
    root: fresh.root,
    wallMs,
  });
  assert.equal(await manifest.evict(A, "1"), false);
  assert.equal(await manifest.evict(A, undefined), true);
  assert.deepEqual(await manifest.find(A), { ...A, status: "evicting" });
});

Deno.test("SqliteManifest leaves a root that the original server reads and writes", async () => {
  using fresh = freshRoot();
  const { root } = fresh;
  const B = entryOf("B");
  {
    await using manifest = await SqliteManifest.open({ root, wallMs });
    await manifest.claim(A, { id: "1" });
    await manifest.publish(A, "1", digestOf("x"));
  }
  assert.deepEqual(
    [...Deno.readDirSync(root)].map((file) => file.name),
    ["cache.sqlite"],
    "neither -wal nor -shm stays behind",
  );
  {
    using plain = openPlain(root);
    const insert = plain.prepare(ORIGINAL_INSERT);
    assert.equal(insert.run("a.b", B.key, 0), 1);
    assert.throws(() => insert.run("a.b", B.key, 0), /UNIQUE/);
    const select = plain.prepare(
      "SELECT namespace, key, status FROM manifest ORDER BY key",
    );
    assert.deepEqual(select.all(), [["a.b", A.key, 1n], ["a.b", B.key, 0n]]);
    plain.prepare("UPDATE manifest SET status = 1 WHERE key = ?").run(B.key);
    assert.equal(plain.value("PRAGMA integrity_check"), "ok");
  }
  await using manifest = await SqliteManifest.open({ root, wallMs });
  assert.deepEqual(await manifest.find(B), { ...B, status: "ready" });
  assert.equal((await manifest.find(A))?.status, "ready");
});

Deno.test("SqliteManifest lets no status stand that the original would panic on", async () => {
  using fresh = freshRoot();
  {
    using original = makeOriginal(fresh.root);
    const insert = original.prepare(ORIGINAL_INSERT);
    insert.run("a.b", A.key, 7);
    insert.run("a.b", entryOf("B").key, null);
  }
  {
    await using manifest = await SqliteManifest.open({
      root: fresh.root,
      wallMs,
    });
    assert.equal((await manifest.find(A))?.status, "evicting");
    assert.equal((await manifest.unsettled()).items.length, 2);
  }
  using plain = openPlain(fresh.root);
  const select = plain.prepare("SELECT DISTINCT status FROM manifest");
  assert.deepEqual(select.all(), [[2n]]);
});

Deno.test("SqliteManifest completes a migration that was cut short", async () => {
  using fresh = freshRoot();
  {
    using half = makeOriginal(fresh.root);
    half.run("ALTER TABLE manifest ADD COLUMN id INTEGER");
    half.run("ALTER TABLE manifest ADD COLUMN staging TEXT");
    half.run("PRAGMA user_version = 1");
  }
  for (let opening = 0; opening < 2; opening++) {
    await using manifest = await SqliteManifest.open({
      root: fresh.root,
      wallMs,
    });
    const entry = entryOf(`${opening}`);
    await manifest.claim(entry, { id: `${opening + 1}` });
    assert.equal(
      await manifest.publish(entry, `${opening + 1}`, digestOf("x")),
      true,
    );
  }
});

Deno.test("SqliteManifest needs no table scan for anything it asks", async () => {
  using fresh = freshRoot();
  await (await SqliteManifest.open({ root: fresh.root, wallMs })).close();
  using plain = openPlain(fresh.root);
  const all = Object.entries(OPERATIONS).flatMap(([name, { sql }]) =>
    sql.map((statement) => [name, statement] as const)
  );
  for (const [name, sql] of all) {
    const plan = plain.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
      .map((row) => `${row[3]}`).join("; ");
    // Of one row a namespace, of what is unsettled, which is bounded, and of rows
    // that a limit has counted.
    const scans = plan.replaceAll(
      /SCAN (larder_usage|manifest USING INDEX manifest_unsettled|\(subquery-\d+\))/g,
      "",
    );
    // From the first id on are all that have one: a scan by another name.
    const isSlow = /SCAN|TEMP B-TREE|manifest_id \(id>/;
    assert.doesNotMatch(scans, isSlow, `${name}: ${plan}`);
  }
});

Deno.test("SqliteManifest syncs every commit in strict mode only", () => {
  for (
    const [durability, level] of [["relaxed", 1n], ["strict", 2n]] as const
  ) {
    using fresh = freshRoot();
    const { database } = openManifest(fresh.root, { durability, nowMs: 0 });
    using _database = database;
    assert.equal(database.value("PRAGMA synchronous"), level);
    assert.equal(database.value("PRAGMA journal_mode"), "wal");
  }
});

Deno.test("SqliteManifest refuses a table without the original's key", async () => {
  using fresh = freshRoot();
  {
    using other = openPlain(fresh.root);
    other.run(
      "CREATE TABLE manifest(namespace TEXT, key BLOB, status INTEGER)",
    );
  }
  await refuses(
    fresh.root,
    /Cannot open .*cache\.sqlite: .* another primary key/,
  );
});

Deno.test("SqliteManifest refuses the manifest of a newer server and leaves it alone", async () => {
  using fresh = freshRoot();
  {
    using newer = openPlain(fresh.root);
    newer.run("CREATE TABLE manifest(everything_else)");
    newer.run(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  }
  const before = Deno.readFileSync(`${fresh.root}/cache.sqlite`);
  const version = `manifest version ${SCHEMA_VERSION + 1}`;
  const message = new RegExp(`newer Larder wrote it \\(${version}`);
  await refuses(fresh.root, message);
  assert.deepEqual(Deno.readFileSync(`${fresh.root}/cache.sqlite`), before);
});

Deno.test("SqliteManifest refuses a table that is not the original's", async () => {
  using fresh = freshRoot();
  {
    using other = openPlain(fresh.root);
    other.run("CREATE TABLE manifest(namespace TEXT, value BLOB)");
  }
  await refuses(fresh.root, /no column key, status/);
});

Deno.test("SqliteManifest refuses a damaged file and does not reset it", async () => {
  using fresh = freshRoot();
  const path = `${fresh.root}/cache.sqlite`;
  const noise = crypto.getRandomValues(new Uint8Array(20_000));
  Deno.writeFileSync(path, noise);
  await refuses(
    fresh.root,
    /cache\.sqlite is damaged .*: run `larder recover ROOT` to move it aside/,
  );
  assert.deepEqual(Deno.readFileSync(path), noise);
});

Deno.test("SqliteManifest refuses a file whose schema is torn", async () => {
  using fresh = freshRoot();
  makeOriginal(fresh.root).close();
  const path = `${fresh.root}/cache.sqlite`;
  const bytes = Deno.readFileSync(path);
  // The header stays; the page that lists the tables does not.
  bytes.fill(0xa5, 100, 4096);
  Deno.writeFileSync(path, bytes);
  await refuses(fresh.root, /cache\.sqlite is damaged/);
});

Deno.test("SqliteManifest says what to do when it meets damage while it serves", async () => {
  using fresh = freshRoot();
  const { root } = fresh;
  {
    using original = makeOriginal(root);
    const insert = original.prepare(ORIGINAL_INSERT);
    original.run("BEGIN");
    for (let i = 0; i < 20_000; i++) {
      insert.run("a.b", new TextEncoder().encode(`key ${i}`), 1);
    }
    original.run("COMMIT");
  }
  await (await SqliteManifest.open({ root, wallMs })).close();
  const path = `${root}/cache.sqlite`;
  const bytes = Deno.readFileSync(path);
  // Whole pages of rows; what is read at the start is elsewhere.
  const at = Math.floor(bytes.length / 4096 / 2) * 4096;
  Deno.writeFileSync(path, bytes.fill(0xa5, at, at + 10 * 4096));
  await using manifest = await SqliteManifest.open({ root, wallMs });
  await assert.rejects(
    collect((cursor) => manifest.names("a.b", cursor)),
    ({ cause }: Error) => {
      assert.match(
        `${cause}`,
        /manifest is damaged .*: stop the server and run `larder recover ROOT`/,
      );
      return true;
    },
  );
});

for (const suffix of ["", "-wal", "-shm", "-journal"]) {
  Deno.test(`SqliteManifest refuses a symlink at cache.sqlite${suffix}`, async () => {
    using fresh = freshRoot();
    using outside = freshRoot();
    if (suffix !== "") makeOriginal(fresh.root).close();
    const target = `${outside.root}/target`;
    Deno.symlinkSync(target, `${fresh.root}/cache.sqlite${suffix}`);
    await refuses(fresh.root, /is a symbolic link; move it aside/);
    assert.throws(() => Deno.lstatSync(target), Deno.errors.NotFound);
  });
}

Deno.test("SqliteManifest refuses a folder at cache.sqlite", async () => {
  using fresh = freshRoot();
  Deno.mkdirSync(`${fresh.root}/cache.sqlite`);
  await refuses(fresh.root, /is not a regular file/);
});

Deno.test("SqliteManifest's worker reaches nothing outside its root", async () => {
  using fresh = freshRoot();
  using outside = freshRoot();
  const session = new WorkerSession(spawnManifestWorker(fresh.root), () => {});
  const answer = await session.ask({
    kind: "open",
    root: outside.root,
    durability: "relaxed",
    makes: "anywhere",
    nowMs: 0,
  });
  session.end("The test is over");
  assert.ok(answer.kind === "refused");
  assert.match(answer.message, /Requires read access/);
  assert.deepEqual([...Deno.readDirSync(outside.root)], []);
});

Deno.test("SqliteManifest refuses a root that another process writes to", async () => {
  using fresh = freshRoot();
  using other = makeOriginal(fresh.root);
  other.run("BEGIN EXCLUSIVE");
  await refuses(fresh.root, /another process holds it/);
  other.run("ROLLBACK");
});
