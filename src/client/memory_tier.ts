/**
 * A tier in the memory of this process.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { FetchRequest } from "./backend.ts";
import { unlessAborted } from "./backoff.ts";
import { CacheError } from "./cache_error.ts";
import type { TierCatalog } from "./catalog.ts";
import { byteCount, checkOptions } from "./checked_options.ts";
import { type HeldValue, MemoryCatalog, nameOf } from "./memory_catalog.ts";
import { PUBLISH_OPTIONS } from "./publish_options.ts";
import type { Claim, Held, PublishOptions, Tier } from "./tier.ts";
import { bytesBody, counted, eachPiece, type Source } from "./transfer.ts";

/** How much a memory tier keeps. */
export interface MemoryOptions {
  /**
   * Bytes of values and of their keys, and 200 more for each; the least recently
   * used go first. A value that does not fit alone is not kept.
   */
  readonly maxBytes: number;
}

/** What an entry takes beside its value and its key, about: also where both are empty. */
const ENTRY_BYTES = 200;

/** Makes a tier of a {@linkcode TieredCache} in this process's memory. */
export function memory(options: MemoryOptions): Tier {
  checkOptions(options, { maxBytes: byteCount });
  byteCount("maxBytes", options.maxBytes);
  return new MemoryTier(options.maxBytes);
}

/**
 * Values by key, in the order of their last use. It gives the work to everyone
 * who asks: within a process, a cache asks once. Of several values the first
 * that is whole stays.
 */
class MemoryTier implements Tier {
  readonly name = "memory";
  readonly catalog: TierCatalog = new MemoryCatalog({
    get: (name) => {
      const held = this.#values.get(name);
      return held && leftOf(held) > 0 ? held : undefined;
    },
    names: () => this.#values.keys(),
    forget: (name) => this.#forget(name),
  });
  readonly #maxBytes: number;
  readonly #values = new Map<string, HeldValue>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  ask(request: FetchRequest): Promise<Claim> {
    const name = nameOf(request);
    const held = this.#values.get(name);
    const leftMs = held && leftOf(held);
    if (leftMs !== undefined && leftMs <= 0) this.#forget(name);
    else if (held) {
      this.#values.delete(name);
      this.#values.set(name, held);
      held.accessedMs = Date.now();
      return Promise.resolve({
        kind: "ready",
        body: bytesBody(held.value),
        origin: "memory",
        ...leftMs !== undefined && leftMs !== Infinity && { ttlMs: leftMs },
        remove: () => {
          if (this.#values.get(name) === held) this.#forget(name);
          return Promise.resolve();
        },
      });
    }
    return Promise.resolve(
      request.assign
        ? { kind: "assigned", held: this.#held(name, request) }
        : { kind: "unassigned", reason: "not in memory" },
    );
  }

  close(): Promise<void> {
    this.#values.clear();
    this.#bytes = 0;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #held(name: string, { ttlMs }: FetchRequest): Held {
    return {
      signal: new AbortController().signal,
      publish: (value, options = {}) => {
        checkOptions(options, PUBLISH_OPTIONS);
        const putting = this.#put(name, value, { ...options, ttlMs });
        const { signal } = options;
        return signal ? unlessAborted(putting, signal) : putting;
      },
      abandon: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  async #put(
    name: string,
    source: Source,
    { onProgress, signal, ttlMs = Infinity }: PublishOptions & {
      readonly ttlMs: number | undefined;
    },
  ): Promise<void> {
    const kept: Uint8Array[] = [];
    let bytes = 0;
    const total = source instanceof Uint8Array ? source.length : undefined;
    const about = { direction: "out", total, signal } as const;
    this.#assertFits(name, bytes);
    for await (const piece of counted(eachPiece(source), about, onProgress)) {
      bytes += piece.length;
      this.#assertFits(name, bytes);
      // A copy: nobody may change what is kept, or was given in the same memory.
      kept.push(piece.slice());
    }
    signal?.throwIfAborted();
    const value = Buffer.concat(kept);
    const other = this.#values.get(name);
    if (other) return assertSame(other.value, value);
    const nowMs = Date.now();
    this.#values.set(name, {
      value,
      createdMs: nowMs,
      accessedMs: nowMs,
      endsMs: performance.now() + ttlMs,
    });
    this.#bytes += costOf(name, bytes);
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
  }

  #assertFits(name: string, valueBytes: number): void {
    if (costOf(name, valueBytes) <= this.#maxBytes) return;
    throw new CacheError(
      "full",
      `memory: the value does not fit into maxBytes, ${this.#maxBytes}: ` +
        "give it more, or a cache behind it",
    );
  }

  #forget(name: string): void {
    const held = this.#values.get(name);
    if (!held) return;
    this.#bytes -= costOf(name, held.value.length);
    this.#values.delete(name);
  }
}

/** Others may have kept a value since the work was given out. */
function assertSame(theirs: Uint8Array, ours: Buffer): void {
  if (ours.equals(theirs)) return;
  throw new CacheError(
    "lost",
    "memory: another value was kept meanwhile, and stays",
  );
}

/** What an entry costs, in bytes: a name has one for each of its characters. */
function costOf(name: string, valueBytes: number): number {
  return ENTRY_BYTES + name.length + valueBytes;
}

/** How much of its time to live is left, in milliseconds. */
function leftOf({ endsMs }: HeldValue): number {
  return endsMs - performance.now();
}
