/**
 * Memory for values that are on their way to clients: taken before a value is
 * read, given back when its call has ended.
 *
 * @module
 */

import { NumberMap } from "../number_map.ts";
import type { Ticket } from "../table/types.ts";

/** Memory that was taken; given back once. */
export interface Grant {
  /** Gives it back. */
  release(): void;
}

/** Where memory is taken from; `owner` is who has to share fairly. */
export interface Budget {
  /** Takes it, if that can be done at once. */
  takeNow(owner: object, bytes: number): Grant | undefined;
  /** Waits for it in turn; `signal` ends the waiting. */
  take(
    owner: object,
    bytes: number,
    signal: AbortSignal,
  ): Grant | Promise<Grant>;
}

/** What a call costs beside its value: stream, headers, buffers. */
const CALL_OVERHEAD_BYTES = 16 * 1024;

/** One for all that are withdrawn: to make one takes as long as a request. */
const WITHDRAWN = new DOMException("The request was withdrawn", "AbortError");

/** The grants of the requests that are not answered yet. */
export class Admissions {
  readonly #budget: Budget;
  readonly #held = new NumberMap<Grant>();

  /** All requests share one budget. */
  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Takes memory for a request; `admitted` may be called before this returns. */
  take(
    ticket: Ticket,
    { owner, bytes, admitted }: {
      readonly owner: object;
      readonly bytes: number;
      readonly admitted: () => void;
    },
  ): void {
    const counted = bytes + CALL_OVERHEAD_BYTES;
    const grant = this.#budget.takeNow(owner, counted);
    if (grant) {
      this.#held.set(ticket, grant);
      return admitted();
    }
    // A request that is answered or cancelled meanwhile waits no longer.
    const waiting = new AbortController();
    this.#held.set(ticket, { release: () => waiting.abort(WITHDRAWN) });
    const taken = this.#budget.take(owner, counted, waiting.signal);
    Promise.resolve(taken).then((grant) => {
      if (waiting.signal.aborted) return grant.release();
      this.#held.set(ticket, grant);
      admitted();
    }, () => {
      // Nobody waits any more.
    });
  }

  /** Hands a request's grant over to whoever sends its value. */
  handOver(ticket: Ticket): Grant | undefined {
    const grant = this.#held.get(ticket);
    this.#held.delete(ticket);
    return grant;
  }

  /** Gives back what a request holds or waits for. */
  release(ticket: Ticket): void {
    this.handOver(ticket)?.release();
  }
}
