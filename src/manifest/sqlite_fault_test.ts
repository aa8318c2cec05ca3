import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { PackedOperation } from "../../workers/manifest_protocol.ts";
import { openManifest } from "../../workers/manifest_schema.ts";
import { ManifestSession } from "../../workers/manifest_session.ts";
import { systemClock } from "../clock.ts";
import type { LarderError } from "../errors.ts";
import { settle } from "./batch.ts";
import { digestOf, entryOf, withCode } from "./testing/manifest_contract.ts";
import { SqliteManifest } from "./sqlite_manifest.ts";
import { freshRoot } from "./testing/test_root.ts";
import { spawnManifestWorker } from "./worker_session.ts";

const { wallMs } = systemClock;
const A = entryOf("A");
const B = entryOf("B");

/** A manifest whose workers the test can reach. */
async function openReachable(
  root: string,
): Promise<{ manifest: SqliteManifest; workers: Worker[] }> {
  const workers: Worker[] = [];
  const spawn = (root: string) => {
    const worker = spawnManifestWorker(root);
    workers.push(worker);
    return worker;
  };
  return {
    manifest: await SqliteManifest.open({ root, wallMs, spawn }),
    workers,
  };
}

/** Sends what the worker does not understand: it throws and dies. */
function poison(worker: Worker | undefined): void {
  worker?.postMessage(null);
}

/** Runs the timers of this turn, so that what waits for it is sent. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("SqliteManifest replaces a worker that dies and fails only what it had", async () => {
  using fresh = freshRoot();
  const { manifest, workers } = await openReachable(fresh.root);
  await using _manifest = manifest;
  await manifest.claim(A, { id: "1" });

  poison(workers[0]);
  const lost = assert.rejects(
    manifest.publish(A, "1", digestOf("x")),
    withCode("manifest-failed"),
  );
  await nextTurn();
  const waiting = manifest.claim(B, { id: "2" });
  await lost;
  assert.equal(await waiting, undefined, "what was not sent yet goes through");
  const row = await manifest.findId("1");
  assert.deepEqual([row?.name, row?.status], [A.name, "loading"]);
  assert.equal(await manifest.publish(A, "1", digestOf("x")), true);
  assert.equal(manifest.stats.workers, 2);
});

Deno.test("SqliteManifest closes cleanly after its worker died", async () => {
  using fresh = freshRoot();
  const { manifest, workers } = await openReachable(fresh.root);
  await manifest.claim(A, { id: "1" });
  poison(workers[0]);
  await assert.rejects(manifest.find(A), withCode("manifest-failed"));
  await manifest.close();
  assert.deepEqual(
    [...Deno.readDirSync(fresh.root)].map((file) => file.name),
    ["cache.sqlite"],
  );
});

Deno.test("SqliteManifest stops replacing a worker that dies before it does anything", async () => {
  using fresh = freshRoot();
  const { manifest, workers } = await openReachable(fresh.root);
  poison(workers[0]);
  await assert.rejects(manifest.find(A), withCode("manifest-failed"));
  await assert.rejects(manifest.find(A), withCode("manifest-failed"));
  assert.equal(workers.length, 1, "not before the pause is over");
  await manifest.close();
});

Deno.test("SqliteManifest fails every operation while its file cannot be reopened", async () => {
  using fresh = freshRoot();
  const { manifest, workers } = await openReachable(fresh.root);
  await manifest.claim(A, { id: "1" });
  const file = `${fresh.root}/cache.sqlite`;
  Deno.renameSync(file, `${file}.aside`);
  Deno.symlinkSync(`${file}.aside`, file);
  poison(workers[0]);
  await assert.rejects(manifest.find(A), withCode("manifest-failed"));
  await assert.rejects(manifest.find(A), (error: LarderError) => {
    assert.match(String((error.cause as Error).message), /symbolic link/);
    assert.doesNotMatch(error.message, /\//, "no paths for clients");
    return error.code === "manifest-failed";
  });
  await manifest.close();
});

Deno.test("ManifestSession rolls a batch back that finds the disk full, and goes on", () => {
  using fresh = freshRoot();
  const { database } = openManifest(fresh.root, {
    durability: "relaxed",
    nowMs: 0,
  });
  const session = new ManifestSession(database);
  const big = new Uint8Array(60_000);
  const claim = (
    namespace: string,
    id: string,
  ): PackedOperation => [
    "claim",
    big.length,
    namespace,
    id,
    null,
    null,
    null,
    0,
  ];
  const find = (
    namespace: string,
  ): PackedOperation => ["find", big.length, namespace];
  const keys = (count: number) => new Uint8Array(big.length * count);

  database.run(
    `PRAGMA max_page_count = ${
      Number(database.value("PRAGMA page_count")) + 40
    }`,
  );
  const operations = [claim("a", "1"), claim("b", "2"), find("a")];
  const answer = session.run(operations, keys(3));
  assert.ok(answer.kind === "failed");
  assert.equal(answer.fault, "full");
  assert.deepEqual(session.run([find("a")], keys(1)), {
    kind: "done",
    outcomes: [null],
  }, "nothing of the batch was kept");
  assert.deepEqual(session.run([claim("a", "1")], keys(1)), {
    kind: "done",
    outcomes: [true],
  });
  session.close();
});

Deno.test("settle maps a full disk and other faults to their codes", async () => {
  const settled = (answer: Parameters<typeof settle>[1]) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const operation: PackedOperation = ["findId", 0, "1"];
    settle(
      [{ operation, key: new Uint8Array(0), beganMs: 0, resolve, reject }],
      answer,
    );
    return promise;
  };
  const message = "what SQLite said";
  await assert.rejects(
    settled({ kind: "failed", fault: "full", message }),
    withCode("storage-full"),
  );
  await assert.rejects(
    settled({ kind: "failed", fault: "failed", message }),
    withCode("manifest-failed"),
  );
  await assert.rejects(
    settled({ kind: "done", outcomes: [{ fault: message }] }),
    withCode("manifest-failed"),
  );
  await assert.rejects(
    settled({ kind: "done", outcomes: [] }),
    withCode("manifest-failed"),
  );
});

Deno.test("SqliteManifest keeps the -wal bounded while it is written to", async () => {
  using fresh = freshRoot();
  await using manifest = await SqliteManifest.open({
    root: fresh.root,
    wallMs,
  });
  const digest = digestOf("x");
  let largest = 0;
  let id = 0;
  for (let turn = 0; turn < 150; turn++) {
    const cycles = Array.from({ length: 200 }, () => {
      const mine = String(++id);
      const entry = entryOf(`key ${mine}`);
      return [
        manifest.claim(entry, { id: mine }),
        manifest.publish(entry, mine, digest),
      ];
    });
    await Promise.all(cycles.flat());
    const { size } = Deno.lstatSync(`${fresh.root}/cache.sqlite-wal`);
    largest = Math.max(largest, size);
  }
  assert.ok(largest < 16 * 1024 * 1024, `${largest} bytes`);
});

/** Acknowledges on stdout what the manifest has acknowledged, until it is killed. */
const WRITER = `
  const [manifest, contract] = Deno.args.slice(1);
  const { SqliteManifest } = await import(manifest);
  const { digestOf, entryOf } = await import(contract);
  const opened = await SqliteManifest.open({ root: Deno.args[0], wallMs: Date.now });
  const encoder = new TextEncoder();
  let id = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (;;) {
      const mine = String(++id);
      const entry = entryOf(mine);
      await opened.claim(entry, { id: mine, staging: "s" });
      Deno.stdout.writeSync(encoder.encode("claimed " + mine + "\\n"));
      await opened.publish(entry, mine, digestOf(mine));
      Deno.stdout.writeSync(encoder.encode("published " + mine + "\\n"));
    }
  }));
`;

Deno.test("SqliteManifest serves every acknowledged row after SIGKILL", async () => {
  using fresh = freshRoot();
  const modules = ["./sqlite_manifest.ts", "./testing/manifest_contract.ts"]
    .map((
      path,
    ) => import.meta.resolve(path));
  const script = `${fresh.root}/writer.ts`;
  Deno.writeTextFileSync(script, WRITER);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "-A", "--unstable-worker-options"],
      ...[
        "--config",
        fileURLToPath(new URL("../../deno.json", import.meta.url)),
      ],
      ...[script, fresh.root, ...modules],
    ],
    stdout: "piped",
  }).spawn();
  let output = "";
  let killed = false;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += chunk;
    if (killed || output.length < 40_000) continue;
    killed = true;
    child.kill("SIGKILL");
  }
  await child.status;

  const published = new Set<string>();
  const claimed = new Set<string>();
  // What follows the last newline was cut off in the middle.
  for (const line of output.split("\n").slice(0, -1)) {
    const [what, id = ""] = line.split(" ");
    (what === "published" ? published : claimed).add(id);
  }
  assert.ok(published.size > 500);
  await using manifest = await SqliteManifest.open({
    root: fresh.root,
    wallMs,
  });
  assert.equal(manifest.servedBefore, true);
  const rows = await Promise.all(
    claimed.values().map((id) => manifest.findId(id)),
  );
  for (const row of rows) {
    assert.ok(row?.id !== undefined, "an acknowledged row is missing");
    if (!published.has(row.id)) continue;
    assert.equal(row.status, "ready");
    assert.deepEqual(row.digest, digestOf(row.id));
  }
});
