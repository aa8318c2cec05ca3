/**
 * A client that behaves, and notices when others do not: hits of 1 KiB and
 * heartbeats, one after the other, all the while.
 *
 * @module
 */

import { SmallCalls } from "../support/small_calls.ts";

const NS = "tests.rude.polite";
/** A pause before each call: some 200 calls a second, which are no load. */
const PAUSE_MS = 5;

/** What the polite client saw since the last lap. */
export interface PoliteLap {
  readonly calls: number;
  readonly failures: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Calls until it is closed. */
export class PoliteClient implements Disposable {
  readonly #calls: SmallCalls;
  #latenciesMs: number[] = [];
  #failures: string[] = [];
  #laps: ((lap: PoliteLap) => void)[] = [];
  #closed = false;

  private constructor(calls: SmallCalls) {
    this.#calls = calls;
    void this.#run();
  }

  /** Connects, and begins the first lap. */
  static async start(address: string): Promise<PoliteClient> {
    return new PoliteClient(await SmallCalls.open(address, NS));
  }

  /** Resolves at the end of a round that has yet to begin. */
  lap(): Promise<PoliteLap> {
    return new Promise((resolve) => this.#laps.push(resolve));
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const laps = this.#laps.splice(0);
      await this.#timed(() => this.#calls.hit());
      await this.#timed(() => this.#calls.heartbeat());
      if (laps.length === 0) continue;
      const lap = this.#finishLap();
      for (const resolve of laps) resolve(lap);
    }
  }

  async #timed(run: () => Promise<void>): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const startMs = performance.now();
    await run().catch((error) => this.#failures.push(String(error)));
    this.#latenciesMs.push(performance.now() - startMs);
  }

  #finishLap(): PoliteLap {
    const sorted = this.#latenciesMs.toSorted((one, other) => one - other);
    const failures = this.#failures;
    this.#latenciesMs = [];
    this.#failures = [];
    const quantile = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
    return {
      calls: sorted.length,
      failures,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      maxMs: sorted.at(-1)!,
    };
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#calls[Symbol.dispose]();
  }
}
