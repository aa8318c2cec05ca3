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
export interface CountedClient {
  /** Calls whose stream is open or whose handler runs. */
  openCalls: number;
  /** Requests that have begun and not ended. */
  unfinished: number;
}

/** The open calls of a process. */
export class OpenCalls {
  readonly #maxCalls: number;
  readonly #clients = new WeakMap<object, CountedClient>();
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
  admit(connection: object): CountedClient | undefined {
    let client = this.#clients.get(connection);
    if (client === undefined) {
      client = { openCalls: 0, unfinished: 0 };
      this.#clients.set(connection, client);
    }
    if (this.#calls >= this.#maxCalls) {
      const share = this.#maxCalls * SHARED_FRACTION / this.#busy;
      if (client.openCalls >= Math.max(MIN_SHARE_CALLS, share)) {
        return undefined;
      }
    }
    this.#calls++;
    if (client.openCalls++ === 0) this.#busy++;
    return client;
  }

  /** Forgets a call that was admitted. */
  leave(client: CountedClient): void {
    this.#calls--;
    if (--client.openCalls === 0) this.#busy--;
  }
}
