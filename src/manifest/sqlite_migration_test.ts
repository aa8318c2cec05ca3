import assert from "node:assert/strict";
import { isCopyOnWrite } from "../../workers/copy_on_write.ts";
import { SCHEMA_VERSION } from "../../workers/manifest_check.ts";
import type { Database } from "../../workers/sqlite.ts";
import { systemClock } from "../clock.ts";
import { collect, digestOf, entryOf } from "./testing/manifest_contract.ts";
import { SqliteManifest } from "./sqlite_manifest.ts";
import {
  freshRoot,
  makeOriginal,
  openPlain,
  ORIGINAL_INSERT,
} from "./testing/test_root.ts";

const { wallMs } = systemClock;
const [A, B, C] = [entryOf("A"), entryOf("B"), entryOf("C", "a.c")];
const X = digestOf("x");

/** What version 1 added to the original's table, word for word. */
const VERSION_1 = [
  "ALTER TABLE manifest ADD COLUMN id INTEGER",
  "ALTER TABLE manifest ADD COLUMN staging TEXT",
  "ALTER TABLE manifest ADD COLUMN size INTEGER",
  "ALTER TABLE manifest ADD COLUMN sha256 BLOB",
  "ALTER TABLE manifest ADD COLUMN assigned_ms INTEGER",
  "ALTER TABLE manifest ADD COLUMN created_ms INTEGER",
  "ALTER TABLE manifest ADD COLUMN accessed_ms INTEGER",
  "CREATE UNIQUE INDEX manifest_id ON manifest(id) WHERE id IS NOT NULL",
  "CREATE INDEX manifest_unsettled ON manifest(assigned_ms) WHERE status IS NOT 1",
  "PRAGMA user_version = 1",
];

/** A root of version 1: a ready row with everything, one of the original's, one loading. */
function makeVersion1(root: string): void {
  using database = makeOriginal(root);
  for (const sql of VERSION_1) database.run(sql);
  database.prepare(
    "INSERT INTO manifest(namespace, key, status, id, size, sha256, created_ms, accessed_ms) " +
      "VALUES('a.b', ?, 1, 1, 7, unhex(?), 50, 60)",
  ).run(A.key, X.sha256);
  database.prepare(ORIGINAL_INSERT).run("a.c", C.key, 1);
  database.prepare(
    "INSERT INTO manifest(namespace, key, status, id, size, assigned_ms) VALUES('a.b', ?, 0, 2, 99, 70)",
  ).run(B.key);
}

/** What version 2 added to that, word for word, but for what counts usage. */
const VERSION_2 = [
  "ALTER TABLE manifest ADD COLUMN handed_ms INTEGER",
  "CREATE INDEX manifest_oldest ON manifest(namespace, accessed_ms) " +
  "WHERE accessed_ms IS NOT NULL AND status = 1",
  "PRAGMA user_version = 2",
];

function open(root: string): Promise<SqliteManifest> {
  return SqliteManifest.open({ root, wallMs });
}

/** What the triggers say, and what there is. */
function usages(database: Database): [unknown, unknown] {
  const kept = "SELECT namespace, entries, bytes FROM larder_usage";
  const counted =
    "SELECT namespace, count(*), sum(coalesce(size, 0)) FROM manifest " +
    "WHERE status = 1 AND namespace IS NOT NULL GROUP BY namespace";
  return [database.prepare(kept).all(), database.prepare(counted).all()];
}

Deno.test("SqliteManifest brings a root of version 1 up, once", async () => {
  using fresh = freshRoot();
  makeVersion1(fresh.root);
  for (let opening = 0; opening < 2; opening++) {
    await using manifest = await open(fresh.root);
    assert.deepEqual(await manifest.usage(), [
      { namespace: "a.b", entries: 1, bytes: 7 },
      { namespace: "a.c", entries: 1, bytes: 0 },
    ]);
    const digest = { size: 7, sha256: X.sha256 };
    assert.deepEqual(await manifest.find(A), {
      ...A,
      status: "ready",
      id: "1",
      digest,
    });
    assert.deepEqual((await manifest.oldest("a.b", { limit: 9 })).items, [
      { ...A, size: 7, accessedMs: 60 },
    ]);
    assert.deepEqual(
      await collect((cursor) => manifest.unmeasured(cursor)),
      [C],
    );
    assert.equal((await manifest.findId("2"))?.status, "loading");
  }
  using plain = openPlain(fresh.root);
  const version = plain.value("PRAGMA user_version");
  assert.equal(version, BigInt(SCHEMA_VERSION));
});

Deno.test("SqliteManifest gives work in a root of version 2 its grace, and none to the original's", async () => {
  using fresh = freshRoot();
  makeVersion1(fresh.root);
  {
    using older = openPlain(fresh.root);
    for (const sql of VERSION_2) older.run(sql);
    older.prepare(ORIGINAL_INSERT).run("a.c", A.key, 0);
  }
  for (const endsMs of [1_000, 2_000]) {
    await using manifest = await open(fresh.root);
    await manifest.grace(endsMs);
    const rows = await collect((cursor) => manifest.unsettled(cursor));
    const graces = rows.map((row) =>
      row.status === "loading" && [row.id, row.graceEndsMs]
    );
    assert.deepEqual(graces, [["2", 1_000], [undefined, undefined]]);
  }
});

Deno.test("SqliteManifest counts the ready rows of the original, whatever else is there", async () => {
  using fresh = freshRoot();
  {
    using original = makeOriginal(fresh.root);
    const insert = original.prepare(ORIGINAL_INSERT);
    for (const [index, status] of [1, 1, 0, 2, 7, null].entries()) {
      insert.run("a.b", Uint8Array.of(index), status);
    }
    insert.run("a.c", A.key, 0);
    insert.run(null, A.key, 1);
  }
  await using manifest = await open(fresh.root);
  assert.deepEqual(await manifest.usage(), [
    { namespace: "a.b", entries: 2, bytes: 0 },
  ]);
});

Deno.test("SqliteManifest counts what another program changes while it serves", async () => {
  using fresh = freshRoot();
  if (isCopyOnWrite(fresh.root)) {
    return console.log("skipped: nobody else can open it on this file system");
  }
  await using manifest = await open(fresh.root);
  await manifest.claim(A, { id: "1" });
  await manifest.publish(A, "1", { ...X, size: 7 });
  using plain = openPlain(fresh.root);
  const insert = plain.prepare(ORIGINAL_INSERT);
  const expect = async (entries: number, bytes: number) => {
    const all = entries === 0 ? [] : [{ namespace: "a.b", entries, bytes }];
    assert.deepEqual(await manifest.usage(), all);
    const [kept, counted] = usages(plain);
    assert.deepEqual(kept, counted);
  };
  assert.equal(insert.run("a.b", B.key, 1), 1);
  await expect(2, 7);
  assert.throws(() => insert.run("a.b", B.key, 1), /UNIQUE/);
  assert.equal(insert.run("a.b", C.key, 0), 1);
  assert.equal(insert.run(null, C.key, 1), 1, "never seen, but possible");
  await expect(2, 7);
  assert.equal(plain.prepare("UPDATE manifest SET size = 5").run(), 4);
  await expect(2, 10);
  const settle = plain.prepare("UPDATE manifest SET status = ? WHERE key = ?");
  settle.run(1, C.key);
  settle.run(2, A.key);
  settle.run(1, B.key);
  await expect(2, 10);
  plain.run("DELETE FROM manifest WHERE status = 1");
  await expect(0, 0);
});

Deno.test("SqliteManifest counts anew where the table was made anew", async () => {
  using fresh = freshRoot();
  {
    await using manifest = await open(fresh.root);
    await manifest.claim(A, { id: "1" });
    await manifest.publish(A, "1", X);
  }
  {
    using plain = openPlain(fresh.root);
    plain.run("DROP TABLE manifest");
    makeOriginal(fresh.root).close();
    plain.prepare(ORIGINAL_INSERT).run("a.c", C.key, 1);
  }
  await using manifest = await open(fresh.root);
  assert.deepEqual(await manifest.usage(), [
    { namespace: "a.c", entries: 1, bytes: 0 },
  ]);
});

/** Stops in the middle of the migration, at the last of its changes. */
const MIGRATOR = `
  const [root, sqlite, schema] = Deno.args;
  const { Database } = await import(sqlite);
  const run = Database.prototype.run;
  Database.prototype.run = function (sql) {
    if (sql === "COMMIT") Deno.kill(Deno.pid, "SIGKILL");
    run.call(this, sql);
  };
  const { openManifest } = await import(schema);
  openManifest(root, { durability: "relaxed", nowMs: 1 });
`;

Deno.test("SqliteManifest opens a root whose migration was killed", async () => {
  using fresh = freshRoot();
  const { root } = fresh;
  makeVersion1(root);
  const script = `${root}/migrator.ts`;
  Deno.writeTextFileSync(script, MIGRATOR);
  const workers = new URL("../../workers/", import.meta.url);
  const { signal } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "-A", script, root],
      new URL("sqlite.ts", workers).href,
      new URL("manifest_schema.ts", workers).href,
    ],
  }).output();
  assert.equal(signal, "SIGKILL");
  {
    using plain = openPlain(root);
    assert.equal(plain.value("PRAGMA user_version"), 1n, "nothing of it holds");
  }
  await using manifest = await open(root);
  assert.deepEqual(await manifest.usage(), [
    { namespace: "a.b", entries: 1, bytes: 7 },
    { namespace: "a.c", entries: 1, bytes: 0 },
  ]);
  assert.equal((await manifest.find(A))?.status, "ready");
});
