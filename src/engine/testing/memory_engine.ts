/**
 * Test-only: an engine on stores in memory and a clock that stands still.
 *
 * @module
 */

import { BlobCache } from "../../blobs/blob_cache.ts";
import { MemoryBlobStore } from "../../blobs/testing/memory_blob_store.ts";
import { FakeClock } from "../../clock.ts";
import { MemoryManifest } from "../../manifest/testing/memory_manifest.ts";
import { MemoryRows } from "../../manifest/testing/memory_rows.ts";
import type { Reply } from "../../table/types.ts";
import { Engine, type EngineOptions } from "../engine.ts";
import { entryKey } from "../entry_key.ts";

/** How long leases are, but for handles. */
export const LEASE_MS = 60_000;
/** How long handles pin. */
export const HANDLE_LEASE_MS = 3_600_000;

/** What an engine is made of; the rows outlive it. */
export interface MemoryParts {
  readonly clock?: FakeClock;
  readonly blobs?: MemoryBlobStore;
  readonly rows?: MemoryRows;
  /** Of hot values; none where absent. */
  readonly cacheBytes?: number;
  /** Gets the buffers of large values that nobody uses any more. */
  readonly onUnused?: (buffer: ArrayBuffer) => void;
  readonly table?: Partial<EngineOptions["table"]>;
}

/** An engine, its stores, and what it says. */
export interface MemoryEngine {
  readonly engine: Engine;
  readonly manifest: MemoryManifest;
  readonly blobs: MemoryBlobStore;
  readonly clock: FakeClock;
  readonly warn: (line: string) => void;
  readonly lines: string[];
}

/** Makes an engine. */
export function memoryEngine(
  {
    clock = new FakeClock(),
    blobs,
    rows = new MemoryRows(),
    cacheBytes = 0,
    onUnused,
    table,
  }: MemoryParts = {},
): MemoryEngine {
  const store = blobs ?? new MemoryBlobStore(clock);
  const manifest = new MemoryManifest({ wallMs: () => clock.wallMs(), rows });
  const lines: string[] = [];
  const warn = (line: string) => void lines.push(line);
  const engine = new Engine({
    ...{
      manifest,
      blobs: store,
      cache: new BlobCache(store, cacheBytes, onUnused),
      clock,
      warn,
    },
    table: {
      leaseTimeoutMs: LEASE_MS,
      restartGraceMs: LEASE_MS,
      handleLeaseMs: HANDLE_LEASE_MS,
      maxValueBytes: 1_000_000,
      ...table,
    },
  });
  return { engine, manifest, blobs: store, clock, warn, lines };
}

/** Asks for an entry, and for the work. `key` or `namespace:key`. */
export function askFor(
  engine: Engine,
  key: string,
  api: "local" | "remote" = "remote",
): Promise<Reply> {
  const [name = "", namespace = "ns"] = key.split(":").reverse();
  const entry = entryKey(namespace, new TextEncoder().encode(name));
  return engine.ask({ kind: "get", api, entry, assign: true });
}
