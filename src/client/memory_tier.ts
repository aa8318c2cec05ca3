/**
 * A tier in the memory of this process.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Entry, FetchRequest } from "./backend.ts";
import { anything, checkOptions } from "./checked_options.ts";
import type { Claim, Held, Tier } from "./tier.ts";
import { bytesBody, eachPiece, type Source } from "./transfer.ts";

/** How much a memory tier keeps. */
export interface MemoryOptions {
  /**
   * Bytes of values and of their keys, and 200 more for each; the least recently
   * used go first.
   */
  readonly maxBytes: number;
}

/** What an entry takes beside its value and its key, about: also where both are empty. */
const ENTRY_BYTES = 200;

/** Makes a tier of a {@linkcode TieredCache} in this process's memory. */
export function memory(options: MemoryOptions): Tier {
  checkOptions(options, { maxBytes: anything });
  return new MemoryTier(options.maxBytes);
}

/**
 * Values by key, in the order of their last use. It gives the work to everyone
 * who asks: within a process, a cache asks once.
 */
class MemoryTier implements Tier {
  readonly name = "memory";
  readonly #maxBytes: number;
  readonly #values = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(maxBytes: number) {
    if (!(maxBytes >= 0)) {
      throw new RangeError(`maxBytes must be 0 or more, not ${maxBytes}`);
    }
    this.#maxBytes = maxBytes;
  }

  ask(request: FetchRequest): Promise<Claim> {
    const name = nameOf(request);
    const value = this.#values.get(name);
    if (value) {
      this.#values.delete(name);
      this.#values.set(name, value);
      return Promise.resolve({
        kind: "ready",
        body: bytesBody(value),
        origin: "memory",
        remove: () => {
          if (this.#values.get(name) === value) this.#forget(name);
          return Promise.resolve();
        },
      });
    }
    return Promise.resolve(
      request.assign
        ? { kind: "assigned", held: this.#held(name) }
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

  #held(name: string): Held {
    return {
      signal: new AbortController().signal,
      publish: (value) => this.#put(name, value),
      abandon: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  async #put(name: string, source: Source): Promise<void> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    const overhead = costOf(name, 0);
    for await (const piece of eachPiece(source)) {
      bytes += piece.length;
      if (overhead + bytes > this.#maxBytes) return;
      pieces.push(piece);
    }
    if (overhead + bytes > this.#maxBytes) return;
    this.#forget(name);
    // A copy: nobody may change what is kept.
    this.#values.set(name, Buffer.concat(pieces));
    this.#bytes += overhead + bytes;
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    const value = this.#values.get(name);
    if (!value) return;
    this.#bytes -= costOf(name, value.length);
    this.#values.delete(name);
  }
}

/** What an entry costs, in bytes: a name has one for each of its characters. */
function costOf(name: string, valueBytes: number): number {
  return ENTRY_BYTES + name.length + valueBytes;
}

/** An entry as text. */
export function nameOf({ namespace, key }: Entry): string {
  return `${namespace} ${Buffer.from(key).toString("hex")}`;
}
