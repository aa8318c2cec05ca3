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
  /** Bytes of values; the least recently used go first. */
  readonly maxBytes: number;
}

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
    for await (const piece of eachPiece(source)) {
      bytes += piece.length;
      if (bytes > this.#maxBytes) return;
      pieces.push(piece);
    }
    this.#forget(name);
    // A copy: nobody may change what is kept.
    this.#values.set(name, Buffer.concat(pieces));
    this.#bytes += bytes;
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    this.#bytes -= this.#values.get(name)?.length ?? 0;
    this.#values.delete(name);
  }
}

/** An entry as text. */
export function nameOf({ namespace, key }: Entry): string {
  return `${namespace} ${Buffer.from(key).toString("hex")}`;
}
