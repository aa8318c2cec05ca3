/**
 * A client that behaves, and notices when others do not: hits of 1 KiB and
 * heartbeats, one after the other, all the while.
 *
 * @module
 */

import { SmallCalls } from "../support/small_calls.ts";

const NS = "tests.rude.polite";

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
  readonly #pauseMs: number;
  #latenciesMs: number[] = [];
  #failures: string[] = [];
  #laps: ((lap: PoliteLap) => void)[] = [];
  #wake: () => void = () => {};
  #closed = false;

  private constructor(calls: SmallCalls, pauseMs: number) {
    this.#calls = calls;
    this.#pauseMs = pauseMs;
    void this.#run();
  }

  /**
   * Connects, and begins the first lap.
   *
   * @param address Of a RemoteCache.
   * @param pauseMs Between two calls, so that they are no load themselves.
   */
  static async start(address: string, pauseMs: number): Promise<PoliteClient> {
    return new PoliteClient(await SmallCalls.open(address, NS), pauseMs);
  }

  /** Resolves at the end of a round that has yet to begin. */
  lap(): Promise<PoliteLap> {
    const lap = new Promise<PoliteLap>((resolve) => this.#laps.push(resolve));
    this.#wake();
    return lap;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const laps = this.#laps.splice(0);
      await this.#timed(() => this.#calls.hit());
      await this.#pause();
      await this.#timed(() => this.#calls.heartbeat());
      if (laps.length > 0) {
        const lap = this.#finishLap();
        for (const resolve of laps) resolve(lap);
      }
      await this.#pause();
    }
  }

  /** A lap does not wait for its end. */
  async #pause(): Promise<void> {
    if (this.#laps.length > 0) return;
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const timer = setTimeout(woken.resolve, this.#pauseMs);
    await woken.promise;
    clearTimeout(timer);
  }

  async #timed(run: () => Promise<void>): Promise<void> {
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
