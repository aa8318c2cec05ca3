/**
 * A byte stream in memory. It treats its buffers as badly as it may, and does
 * what Deno's connections were seen to do.
 *
 * @module
 */

import type { ByteStream } from "../byte_stream.ts";
import { nextTurn } from "../turns.ts";
import { join } from "./octets.ts";

/** The server's end, and what a test does at the other. */
export class Pipe implements ByteStream {
  /** The server has said that it writes no more. */
  isWriteClosed = false;
  isClosed = false;
  /** How often it was closed: a second time throws. */
  closes = 0;
  /** What each read gives at most. */
  readBytes = Infinity;
  #incoming: Uint8Array[] = [];
  #hasEnded = false;
  #reader:
    | { into: Uint8Array; settle: PromiseWithResolvers<number | null> }
    | undefined;
  #written: Uint8Array[] = [];
  #isHeld = false;
  #writer:
    | { bytes: Uint8Array; settle: PromiseWithResolvers<number> }
    | undefined;
  #writeError: Error | undefined;
  #onWrite: (() => void) | undefined;

  /** {@inheritDoc ByteStream.read} */
  read(into: Uint8Array): Promise<number | null> {
    if (this.isClosed) return Promise.reject(new Deno.errors.BadResource());
    // Whoever kept a slice of the last read finds this.
    into.fill(0xee);
    const settle = Promise.withResolvers<number | null>();
    this.#reader = { into, settle };
    this.#pump();
    return settle.promise;
  }

  /** {@inheritDoc ByteStream.write} */
  write(bytes: Uint8Array): Promise<number> {
    if (this.isClosed) return Promise.reject(new Deno.errors.BadResource());
    if (this.#writeError) return Promise.reject(this.#writeError);
    const settle = Promise.withResolvers<number>();
    this.#writer = { bytes, settle };
    this.#onWrite?.();
    if (!this.#isHeld) nextTurn(() => this.#finishWrite(Infinity));
    return settle.promise;
  }

  /** {@inheritDoc ByteStream.closeWrite} */
  closeWrite(): Promise<void> {
    this.isWriteClosed = true;
    return Promise.resolve();
  }

  /** {@inheritDoc ByteStream.close} */
  close(): void {
    if (++this.closes > 1) throw new Deno.errors.BadResource();
    this.isClosed = true;
    const error = new Deno.errors.Interrupted();
    this.#reader?.settle.reject(error);
    this.#writer?.settle.reject(error);
    this.#reader = this.#writer = undefined;
  }

  /** Sends bytes to the server. */
  send(...parts: readonly Uint8Array[]): void {
    this.#incoming.push(join(...parts));
    this.#pump();
  }

  /** Sends nothing more. */
  end(): void {
    this.#hasEnded = true;
    this.#pump();
  }

  /** Like a reset: reads end, and writes fail. */
  break(): void {
    this.#writeError = new Deno.errors.BrokenPipe();
    this.#writer?.settle.reject(this.#writeError);
    this.#writer = undefined;
    this.end();
  }

  /** Reads nothing for a while. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Takes so many bytes of the write under way. */
  take(bytes: number): void {
    this.#finishWrite(bytes);
  }

  /** Reads again. */
  release(): void {
    this.#isHeld = false;
    this.#finishWrite(Infinity);
  }

  /** Waits until the server begins a write. */
  nextWrite(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onWrite = resolve;
    return promise;
  }

  /** What has come since the last time, once everything has had its turn. */
  async written(): Promise<Uint8Array> {
    await turns();
    return join(...this.#written.splice(0));
  }

  #pump(): void {
    const reader = this.#reader;
    if (!reader) return;
    const next = this.#incoming.shift();
    if (next) {
      const count = Math.min(next.length, reader.into.length, this.readBytes);
      reader.into.set(next.subarray(0, count));
      if (count < next.length) this.#incoming.unshift(next.subarray(count));
      this.#reader = undefined;
      reader.settle.resolve(count);
    } else if (this.#hasEnded) {
      this.#reader = undefined;
      reader.settle.resolve(null);
    }
  }

  #finishWrite(most: number): void {
    const writer = this.#writer;
    if (!writer) return;
    this.#writer = undefined;
    const taken = writer.bytes.slice(0, Math.min(writer.bytes.length, most));
    this.#written.push(taken);
    writer.settle.resolve(taken.length);
  }
}

/** Everything that is ready has had its turn, and what became ready then. */
export async function turns(): Promise<void> {
  for (let at = 0; at < 12; at++) await new Promise<void>(nextTurn);
}
