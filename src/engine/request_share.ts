/**
 * The part of the memory for calls that requests may take.
 *
 * @module
 */
import type { Grant } from "./admission.ts";
import { MemoryBudget } from "./memory_budget.ts";

/**
 * Requests up to this have come whole before anybody could ask whether there is
 * room: what HTTP/2 lets a client send ahead.
 */
const SMALL_BYTES = 64 * 1024;

/** How much memory requests may take. */
export interface RequestShares {
  /** Of the budget of requests and replies: large ones. */
  readonly shareBytes: number;
  /**
   * Beside it: small ones whose calls are open. Their calls may wait for memory
   * of the budget, so that they must not hold any of it.
   */
  readonly smallBytes: number;
}

/**
 * Requests and replies share one budget, but requests get only a part of it:
 * uploads that never end must not keep replies from those who ask for values.
 */
export class RequestShare {
  readonly #all: MemoryBudget;
  readonly #share: MemoryBudget;
  readonly #small: MemoryBudget;
  readonly #shareBytes: number;

  /**
   * @param all The budget of requests and replies together.
   * @param shares How much requests may take.
   */
  constructor(all: MemoryBudget, { shareBytes, smallBytes }: RequestShares) {
    this.#all = all;
    this.#share = new MemoryBudget({ totalBytes: shareBytes });
    this.#small = new MemoryBudget({ totalBytes: smallBytes });
    this.#shareBytes = shareBytes;
  }

  /** Bytes of small requests whose calls are open. */
  get smallBytes(): number {
    return this.#small.usedBytes;
  }

  /** Whether somebody waits for what requests or replies hold. */
  get contended(): boolean {
    return this.#share.contended || this.#all.contended ||
      this.#small.contended;
  }

  /**
   * Takes bytes for a request.
   *
   * @param connection The connection that it comes on.
   * @param bytes How many. More than the share counts as all of it there, and in
   * full in the budget of all: a large message fits alone, and is no secret.
   * @param signal Ends the waiting.
   * @returns What was taken, at once if there is room.
   */
  take(
    connection: object,
    bytes: number,
    signal?: AbortSignal,
  ): Grant | Promise<Grant> {
    if (bytes <= SMALL_BYTES) {
      return this.#small.take(connection, bytes, signal);
    }
    const counted = Math.min(bytes, this.#shareBytes);
    const share = this.#share.takeNow(connection, counted);
    const grant = share && this.#all.takeNow(connection, bytes);
    if (share && grant) return both(share, grant);
    share?.release();
    return this.#wait(connection, { counted, bytes }, signal);
  }

  async #wait(
    connection: object,
    { counted, bytes }: { readonly counted: number; readonly bytes: number },
    signal: AbortSignal | undefined,
  ): Promise<Grant> {
    const share = await this.#share.take(connection, counted, signal);
    try {
      return both(share, await this.#all.take(connection, bytes, signal));
    } catch (error) {
      share.release();
      throw error;
    }
  }
}

function both(share: Grant, grant: Grant): Grant {
  return {
    release() {
      grant.release();
      share.release();
    },
  };
}
