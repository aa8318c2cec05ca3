import assert from "node:assert/strict";
import fc from "fast-check";
import type { LarderError } from "../errors.ts";
import { MAX_MANIFEST_QUEUE } from "../limits.ts";
import type { Manifest } from "./manifest.ts";
import {
  collect,
  digestOf,
  entryOf,
  manifestContract,
  type OpenForTest,
  withCode,
} from "./testing/manifest_contract.ts";
import { MemoryManifest } from "./testing/memory_manifest.ts";
import { SqliteManifest } from "./sqlite_manifest.ts";
import {
  freshRoot,
  makeOriginal,
  ORIGINAL_INSERT,
} from "./testing/test_root.ts";
import { usageContract } from "./testing/usage_contract.ts";

const open: OpenForTest = async (wallMs, originals) => {
  const fresh = freshRoot();
  if (originals.length > 0) {
    using original = makeOriginal(fresh.root);
    const insert = original.prepare(ORIGINAL_INSERT);
    original.run("BEGIN");
    for (const { namespace, key } of originals) insert.run(namespace, key, 1);
    original.run("COMMIT");
  }
  const reopen = () => SqliteManifest.open({ root: fresh.root, wallMs });
  const discard = () => fresh[Symbol.dispose]();
  return { manifest: await reopen(), reopen, discard };
};
manifestContract("SqliteManifest", open);
usageContract("SqliteManifest", open);

const wallMs = () => 1_700_000_000_000;

Deno.test("SqliteManifest in strict mode keeps the contract's main road", async () => {
  using fresh = freshRoot();
  await using manifest = await SqliteManifest.open({
    root: fresh.root,
    durability: "strict",
    wallMs,
  });
  const entry = entryOf("A");
  assert.equal(await manifest.claim(entry, { id: "1" }), undefined);
  assert.equal(await manifest.publish(entry, "1", digestOf("x")), true);
});

Deno.test("SqliteManifest sends one turn's operations as one message", async () => {
  using fresh = freshRoot();
  await using manifest = await SqliteManifest.open({
    root: fresh.root,
    wallMs,
  });
  const claims = Array.from(
    { length: 300 },
    (_, i) => manifest.claim(entryOf(`${i}`), { id: `${i + 1}` }),
  );
  // From other callbacks of the same turn, too.
  const later = Promise.resolve().then(() => manifest.find(entryOf("0")));
  await Promise.all([...claims, later]);
  assert.deepEqual(manifest.stats, { batches: 1, operations: 301, workers: 1 });
});

Deno.test("SqliteManifest refuses what its queue cannot hold", async () => {
  using fresh = freshRoot();
  await using manifest = await SqliteManifest.open({
    root: fresh.root,
    wallMs,
  });
  const finds = Array.from(
    { length: MAX_MANIFEST_QUEUE },
    () => manifest.find(entryOf("A")),
  );
  await assert.rejects(manifest.find(entryOf("A")), withCode("overloaded"));
  await Promise.all(finds);
  assert.equal(await manifest.find(entryOf("A")), undefined);
});

Deno.test("SqliteManifest takes keys that are views of larger buffers", async () => {
  using fresh = freshRoot();
  await using manifest = await SqliteManifest.open({
    root: fresh.root,
    wallMs,
  });
  const pool = new Uint8Array(1 << 20).map((_, i) => i);
  const entry = entryOf(pool.subarray(3, 35));
  await manifest.claim(entry, { id: "1" });
  assert.equal(pool.length, 1 << 20, "the pool was not transferred away");
  assert.deepEqual((await manifest.findId("1"))?.key, pool.slice(3, 35));
});

type Step = (manifest: Manifest, run: number) => Promise<unknown>;

/** One operation on a few keys and ids of its own run: collisions are wanted. */
const anyStep: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    ...(["find", "findId", "claim", "reassign", "record"] as const),
    ...(["publish", "complete", "evict", "remove"] as const),
    ...(["measure", "touch", "oldest", "list", "stat"] as const),
  ),
  key: fc.integer({ min: 0, max: 2 }),
  id: fc.integer({ min: 1, max: 4 }),
  other: fc.integer({ min: 1, max: 4 }),
  status: fc.constantFrom("loading", "ready", "evicting"),
  staging: fc.option(fc.constantFrom("s1", "s2"), { nil: undefined }),
}).map(({ what, key, id, other, status, staging }) => (manifest, run) => {
  const entry = entryOf(`${key}`, `run_${run}`);
  const mine = String(run * 10 + id);
  const assignment = {
    id: String(run * 10 + other),
    ...(staging !== undefined && { staging }),
  };
  switch (what) {
    case "find":
      return manifest.find(entry);
    case "findId":
      return manifest.findId(mine);
    case "claim":
      return manifest.claim(entry, assignment);
    case "reassign":
      return manifest.reassign(entry, { status, id: mine }, assignment);
    case "evict":
      return manifest.evict(entry, mine);
    case "remove":
      return manifest.remove(entry, { status, id: mine });
    case "measure":
      return manifest.measure(entry, { size: id, accessedMs: other });
    case "touch": {
      const accessedMs = wallMs() + id;
      return manifest.touch([{ entry, accessedMs, handed: other > 2 }]);
    }
    case "oldest": {
      const handedBeforeMs = wallMs() + other;
      const { namespace } = entry;
      return collect((cursor) =>
        manifest.oldest(namespace, {
          limit: id,
          handedBeforeMs,
          ...(cursor !== undefined && { cursor }),
        })
      );
    }
    case "list":
      return manifest.list(entry.namespace, { limit: 9 });
    case "stat":
      return manifest.stat(entry);
    default:
      return manifest[what](entry, mine, digestOf(`${other}`));
  }
});

/** An outcome that two implementations must share, errors by their code. */
function outcome(step: Promise<unknown>): Promise<unknown> {
  return step.catch((error: LarderError) => ({ failed: error.code }));
}

Deno.test("SqliteManifest and its twin answer any sequence alike", async () => {
  using fresh = freshRoot();
  await using manifest = await SqliteManifest.open({
    root: fresh.root,
    wallMs,
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { maxLength: 40 }),
      async (steps) => {
        run++;
        const twin = new MemoryManifest({ wallMs });
        const outcomes = (subject: Manifest) =>
          Promise.all([
            ...steps.map((step) => outcome(step(subject, run))),
            subject.usage().then((all) =>
              all.filter(({ namespace }) => namespace === `run_${run}`)
            ),
          ]);
        assert.deepEqual(await outcomes(manifest), await outcomes(twin));
      },
    ),
    { numRuns: 500 },
  );
});
