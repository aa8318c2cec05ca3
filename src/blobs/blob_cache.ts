/**
 * Hot values in memory, in front of a blob store.
 *
 * @module
 */

import { DEFAULT_MEMORY_CACHE_BYTES } from "../limits.ts";
import type { Digest, Id } from "../table/types.ts";
import type { BlobStore } from "./blob_store.ts";
import { LentValues } from "./lent_values.ts";

/** What a kept value costs beside its bytes: names, and two objects. */
const ENTRY_OVERHEAD_BYTES = 512;
/** A value above this part of the cache would push too many others out. */
const MAX_SHARE = 1 / 4;

/** How the cache has done so far. */
export interface BlobCacheStats {
  /** Values that were in memory. */
  readonly hits: number;
  /** Values that were not; several callers of one read count each. */
  readonly misses: number;
  /** Values in memory. */
  readonly entries: number;
  /** What they take. */
  readonly bytes: number;
}

interface Kept {
  readonly generation: Id;
  readonly value: Uint8Array;
  readonly cost: number;
}

interface Flight {
  readonly generation: Id;
  callers: number;
  readonly value: Promise<Uint8Array>;
}

/**
 * Keeps the values that were asked for last, up to a number of bytes, and
 * reads a cold one once for all who ask for it at the same time.
 *
 * Values belong to a generation: which publish they are of. One of another
 * generation is never returned.
 *
 * The arrays are shared: nobody may change or release them. Whoever sends one says
 * so by `lend` and `giveBack`.
 */
export class BlobCache {
  readonly #store: Pick<BlobStore, "read">;
  readonly #maxBytes: number;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();
  /** The last of them. */
  #newest: Kept | undefined;
  readonly #flights = new Map<string, Flight>();
  readonly #lent: LentValues | undefined;
  #bytes = 0;
  #hits = 0;
  #misses = 0;

  /**
   * @param store Where values are read.
   * @param maxBytes 0: nothing is kept, but one read still serves many.
   * @param onUnused Frees the buffers of large values that nobody uses any more; the
   * store must not need them. Absent: they are left to V8.
   */
  constructor(
    store: Pick<BlobStore, "read">,
    maxBytes: number = DEFAULT_MEMORY_CACHE_BYTES,
    onUnused?: (buffer: ArrayBuffer) => void,
  ) {
    this.#store = store;
    this.#maxBytes = maxBytes;
    this.#lent = onUnused && new LentValues(onUnused);
  }

  /** The value, if it is in memory. */
  get(name: string, generation: Id): Uint8Array | undefined {
    const kept = this.#kept.get(name);
    if (kept?.generation !== generation) return undefined;
    // A hot one is asked for many times in a row, and is the last one already.
    if (kept !== this.#newest) {
      this.#kept.delete(name);
      this.#kept.set(name, kept);
      this.#newest = kept;
    }
    this.#hits += 1;
    return kept.value;
  }

  /** A value is used until it is given back. */
  lend(value: Uint8Array): void {
    this.#lent?.lend(value);
  }

  /** A value that was lent, or read, is not used any more. */
  giveBack(value: Uint8Array): void {
    this.#lent?.giveBack(value);
  }

  /**
   * The value, from memory or verified from the store. It is lent: whoever asked
   * gives it back.
   */
  read(name: string, generation: Id, digest: Digest): Promise<Uint8Array> {
    const value = this.get(name, generation);
    if (value) {
      this.lend(value);
      return Promise.resolve(value);
    }
    this.#misses += 1;
    const running = this.#flights.get(name);
    if (running?.generation === generation) {
      running.callers += 1;
      return running.value;
    }
    const flight: Flight = {
      generation,
      callers: 1,
      value: this.#store.read(name, digest).then(
        (value) => {
          this.#lent?.lend(value, flight.callers);
          // Forgotten, or overtaken by another generation: not kept.
          if (this.#land(name, flight)) this.#keep(name, generation, value);
          return value;
        },
        (error) => {
          this.#land(name, flight);
          throw error;
        },
      ),
    };
    this.#flights.set(name, flight);
    return flight.value;
  }

  /** Drops the value, and whatever is being read now. */
  forget(name: string): void {
    this.#drop(name);
    this.#flights.delete(name);
  }

  /** Figures for metrics and tests. */
  get stats(): BlobCacheStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      entries: this.#kept.size,
      bytes: this.#bytes,
    };
  }

  #land(name: string, flight: Flight): boolean {
    return this.#flights.get(name) === flight && this.#flights.delete(name);
  }

  #keep(name: string, generation: Id, value: Uint8Array): void {
    const cost = value.buffer.byteLength + ENTRY_OVERHEAD_BYTES;
    this.#drop(name);
    if (cost > this.#maxBytes * MAX_SHARE) return;
    this.lend(value);
    this.#newest = { generation, value, cost };
    this.#kept.set(name, this.#newest);
    this.#bytes += cost;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(name: string): void {
    const kept = this.#kept.get(name);
    if (!kept) return;
    this.#kept.delete(name);
    if (kept === this.#newest) this.#newest = undefined;
    this.#bytes -= kept.cost;
    this.giveBack(kept.value);
  }
}
