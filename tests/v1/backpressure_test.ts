/**
 * A disk that is slower than its clients makes them wait; nothing piles up.
 */

import assert from "node:assert/strict";
import { BlobCache } from "../../src/blobs/blob_cache.ts";
import { MemoryBlobStore } from "../../src/blobs/testing/memory_blob_store.ts";
import { systemClock } from "../../src/clock.ts";
import type { Catalog } from "../../src/engine/catalog.ts";
import { Engine } from "../../src/engine/engine.ts";
import { MemoryBudget } from "../../src/engine/memory_budget.ts";
import { Pieces } from "../../src/engine/pieces.ts";
import { Uploads } from "../../src/engine/uploads.ts";
import { MemoryManifest } from "../../src/manifest/testing/memory_manifest.ts";
import { cacheService } from "../../src/rpc/cache_service.ts";
import { Edge } from "../../src/rpc/edge.ts";
import { until } from "../support/status.ts";
import { CacheClient } from "./client.ts";

const MIB = 1024 * 1024;
const PIECES = 256;
/** Of 256 MiB: what may be on its way, in windows and in the client itself. */
const MOST_SENT = 12;
/** Far longer than the server waits for a client that sends nothing. */
const HELD_MS = 1_500;

function* counted(pieces: { sent: number }): Iterable<Uint8Array> {
  for (; pieces.sent < PIECES; pieces.sent++) yield new Uint8Array(MIB);
}

Deno.test("a held disk holds the client, who loses nothing by it", async () => {
  const blobs = new MemoryBlobStore();
  const manifest = new MemoryManifest({ wallMs: Date.now });
  const budget = new MemoryBudget({ totalBytes: 256 * MIB });
  const engine = new Engine({
    manifest,
    blobs,
    cache: new BlobCache(blobs),
    clock: systemClock,
    budget,
    warn: () => {},
    table: {
      leaseTimeoutMs: 1_000,
      restartGraceMs: 1_000,
      handleLeaseMs: 60_000,
      maxValueBytes: MIB,
    },
  });
  const held = Promise.withResolvers<void>();
  let appending = 0;
  let most = 0;
  let received = 0;
  const files = {
    async append(_: string, offset: number, bytes: Uint8Array) {
      assert.equal(offset, received);
      received += bytes.length;
      most = Math.max(most, ++appending);
      if (received > 2 * MIB) await held.promise;
      appending--;
    },
    hash: () => Promise.resolve({ size: received, sha256: "00".repeat(32) }),
    discard: () => Promise.resolve(),
  };
  const warn = () => {};
  const service = cacheService(engine, {
    heartbeatIntervalMs: 200,
    budget,
    pieces: new Pieces({ engine, blobs, budget, warn }),
    uploads: new Uploads({ files, budget, warn }),
    catalog: {} as Catalog,
    version: "test",
    log: warn,
  });
  const edge = new Edge({
    warn,
    maxMessageBytes: 64 * MIB,
    requestBudget: budget,
    idleBodyTimeoutMs: 500,
  });
  const listener = edge.listen("127.0.0.1:0", [service]);
  {
    using client = new CacheClient(listener.address);
    const { id } = await client.assigned("ns", "k");
    const pieces = { sent: 0 };
    const publishing = client.publish(id, counted(pieces), {
      sha256: new Uint8Array(32),
    });
    const beganMs = performance.now();
    await until(
      () => Promise.resolve(),
      () => performance.now() > beganMs + HELD_MS,
    );
    assert.ok(pieces.sent <= MOST_SENT, `${pieces.sent} MiB were taken`);
    held.resolve();
    // The store has no such file, which is another story.
    await assert.rejects(publishing, /no regular file/);
    assert.equal(received, PIECES * MIB);
    assert.equal(most, 2, "two appends at a time");
    assert.equal(budget.usedBytes, 0);
  }
  await listener.close(1_000);
  await engine.close();
});
