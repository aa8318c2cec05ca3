import assert from "node:assert/strict";
import { BlobCache } from "../blobs/blob_cache.ts";
import { BlobError } from "../blobs/blob_store.ts";
import { MemoryBlobStore } from "../blobs/memory_blob_store.ts";
import { FakeClock } from "../clock.ts";
import { MemoryManifest } from "../manifest/memory_manifest.ts";
import { Engine } from "./engine.ts";
import { entryKey } from "./entry_key.ts";

const LEASE_MS = 1_000;

/** A store that can be in trouble. */
class TroubledStore extends MemoryBlobStore {
  trouble: BlobError | undefined;
}

Deno.test("no work is given out while the disk takes no values, and what is there is read", async () => {
  const clock = new FakeClock();
  const blobs = new TroubledStore(clock);
  await using manifest = new MemoryManifest({ wallMs: () => clock.wallMs() });
  const lines: string[] = [];
  const engine = new Engine({
    ...{ manifest, blobs, clock, cache: new BlobCache(blobs, 0) },
    warn: (line) => void lines.push(line),
    table: {
      leaseTimeoutMs: LEASE_MS,
      restartGraceMs: LEASE_MS,
      handleLeaseMs: LEASE_MS,
      maxValueBytes: 1_000,
    },
  });
  const get = async (key: number) => {
    const entry = entryKey("a", Uint8Array.of(key));
    const reply = await engine.ask({
      ...{ kind: "get", api: "remote", assign: true, entry },
    });
    return reply.kind === "assigned" ? reply.assignment.id : reply.kind;
  };
  const id = await get(1);
  await engine.ask({ kind: "set", id, value: Uint8Array.of(1) });
  await get(2);
  clock.advance(LEASE_MS);

  blobs.trouble = new BlobError("full", "No space left: open '/some/path'");
  assert.equal(await get(1), "value");
  assert.equal(await get(2), "unassigned", "nor is it taken over");
  assert.equal(await get(3), "unassigned");
  assert.match(lines.join(), /takes no values \(No space left\)/);
  assert.doesNotMatch(lines.join(), /path/, "so that it is one line");

  blobs.trouble = undefined;
  assert.match(await get(2), /^\d+$/);
  assert.match(await get(3), /^\d+$/);
  await engine.close();
});
