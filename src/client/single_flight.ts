/**
 * One computation for all who ask for the same within this process.
 *
 * @module
 */

import { unlessAborted } from "./backoff.ts";

interface Flight {
  readonly result: Promise<unknown>;
  readonly controller: AbortController;
  passengers: number;
}

/** Computations that are under way, by key. */
export class SingleFlight {
  readonly #flights = new Map<string, Flight>();

  /**
   * Joins the computation of this key, or starts it.
   *
   * @param key Names the computation, and so the type of its result.
   * @param signal Takes this caller out; when all are out, it is aborted.
   * @param start Starts the computation.
   */
  async run<T>(
    key: string,
    signal: AbortSignal,
    start: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    let flight = this.#flights.get(key);
    if (!flight) {
      const controller = new AbortController();
      const result = start(controller.signal);
      flight = { result, controller, passengers: 0 };
      this.#flights.set(key, flight);
      const land = () => this.#remove(key, flight!);
      result.then(land, land);
    }
    flight.passengers++;
    try {
      return await unlessAborted(flight.result as Promise<T>, signal);
    } finally {
      if (--flight.passengers === 0 && signal.aborted) {
        // Whoever comes now must not join what is being taken down.
        this.#remove(key, flight);
        flight.controller.abort(signal.reason);
      }
    }
  }

  #remove(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
