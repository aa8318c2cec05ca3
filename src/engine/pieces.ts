/**
 * Large values on their way out, a piece at a time: a value of any size costs
 * the memory of three pieces.
 *
 * @module
 */

import type { BlobStore, Range } from "../blobs/blob_store.ts";
import { release } from "../blobs/transfer.ts";
import { LarderError, messageOf } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { STREAM_BYTES } from "../limits.ts";
import type { EntryKey, Reply } from "../table/types.ts";
import type { Budget } from "./admission.ts";
import type { Engine } from "./engine.ts";
import { isDamage, toLarderError } from "./failures.ts";

export type { Range };

/** A handle that a Get was answered with. */
export type HandleReply = Reply & { kind: "handle" };

/** One is being sent, the next one being read, and the one before still garbage. */
const PIECES_IN_FLIGHT = 3;

/** What pieces are read with. */
export interface PiecesOptions {
  /** Takes what is for the log. */
  readonly warn: Log;
  readonly engine: Engine;
  readonly blobs: Pick<BlobStore, "readRange">;
  readonly budget: Budget;
}

/** Reads pinned values. */
export class Pieces {
  readonly #options: PiecesOptions;

  /** All readers share one budget. */
  constructor(options: PiecesOptions) {
    this.#options = options;
  }

  /**
   * The bytes of a range that lies within the value; each piece is gone when
   * the next one is asked for. Renews the handle, which stays the caller's.
   *
   * @throws {LarderError} When the file is not what was verified any more; its
   * entry is then looked at again.
   */
  async *read(
    entry: EntryKey,
    handle: HandleReply,
    { range, owner, signal }: {
      readonly range: Range;
      /** Who shares the budget fairly. */
      readonly owner: object;
      /** Ends the waiting for memory. */
      readonly signal: AbortSignal;
    },
  ): AsyncGenerator<Uint8Array> {
    const { budget } = this.#options;
    const end = range.offset + range.length;
    const inFlight = Math.min(range.length, PIECES_IN_FLIGHT * STREAM_BYTES);
    const grant = await budget.take(owner, inFlight, signal);
    try {
      let at = range.offset;
      let next = this.#piece(entry, handle, { at, end });
      while (at < end) {
        const piece = await next;
        at += piece.length;
        next = this.#piece(entry, handle, { at, end });
        yield piece;
        release(piece);
      }
    } finally {
      grant.release();
    }
  }

  #piece(
    entry: EntryKey,
    handle: HandleReply,
    { at, end }: { readonly at: number; readonly end: number },
  ): Promise<Uint8Array> {
    const length = Math.min(STREAM_BYTES, end - at);
    if (length <= 0) return Promise.resolve(new Uint8Array());
    const { blobs, engine } = this.#options;
    const { id, by } = handle;
    const owner = by === undefined ? {} : { by };
    engine.submit({ kind: "heartbeat", id, ...owner }, () => {});
    const range = { offset: at, length };
    const reading = blobs.readRange(handle.name, range, handle.stamp)
      .catch((error) => {
        throw this.#failed(entry, error);
      });
    // It may be read for a caller who has gone.
    reading.catch(() => {});
    return reading;
  }

  #failed(entry: EntryKey, error: unknown): LarderError {
    const { engine } = this.#options;
    if (!isDamage(error)) {
      this.#options.warn(`a piece could not be read: ${messageOf(error)}`, {
        namespace: entry.namespace,
        key: entry.key,
      });
      return toLarderError(error);
    }
    // Verified in full, and taken away if it is damaged.
    const get = {
      kind: "get",
      api: "stream",
      entry,
      assign: false,
      fromDisk: true,
    } as const;
    engine.submit(get, (reply) => {
      if (reply.kind !== "handle") return;
      engine.submit({ kind: "drop", id: reply.id }, () => {});
    });
    const message = "the value's file changed while it was read; ask again";
    return new LarderError("storage-failed", message, { cause: error });
  }
}
