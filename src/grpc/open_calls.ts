/**
 * Bounds how many calls are open, whatever they wait for.
 *
 * To wait is no reason to lose a call, so when there are too many it is newcomers
 * who are refused, of those connections that have their share already: a client
 * with few calls is always served.
 *
 * @module
 */

import { MIN_SHARE_CALLS, SHARED_FRACTION } from "./limits.ts";

/** A connection, as far as calls are counted. */
export interface Caller {
  /** Calls whose stream is open or whose handler runs. */
  openCalls: number;
  /** Requests that have begun and not ended. */
  unfinished: number;
}

/** The open calls of a process. */
export class OpenCalls {
  readonly #maxCalls: number;
  readonly #callers = new WeakMap<object, Caller>();
  #calls = 0;
  /** Connections with calls. */
  #busy = 0;

  /**
   * @param maxCalls From here on connections get no more than their share: half as
   * many together, or a few for each.
   */
  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
  }

  /** How many there are. */
  get size(): number {
    return this.#calls;
  }

  /**
   * Counts a new call.
   *
   * @param connection Whose it is.
   * @returns Who is to be passed to `leave`; `undefined`: it may not stay.
   */
  admit(connection: object): Caller | undefined {
    let caller = this.#callers.get(connection);
    if (caller === undefined) {
      caller = { openCalls: 0, unfinished: 0 };
      this.#callers.set(connection, caller);
    }
    if (this.#calls >= this.#maxCalls) {
      const share = this.#maxCalls * SHARED_FRACTION / this.#busy;
      if (caller.openCalls >= Math.max(MIN_SHARE_CALLS, share)) {
        return undefined;
      }
    }
    this.#calls++;
    if (caller.openCalls++ === 0) this.#busy++;
    return caller;
  }

  /** Forgets a call that was admitted. */
  leave(caller: Caller): void {
    this.#calls--;
    if (--caller.openCalls === 0) this.#busy--;
  }
}
