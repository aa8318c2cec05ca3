/**
 * A client that behaves, and notices when others do not: hits of 1 KiB and
 * heartbeats, one after the other, all the while.
 *
 * @module
 */

import { RemoteClient } from "../support/clients.ts";

const NS = "tests.rude.polite";
const VALUE = new Uint8Array(1024).fill(7);
/** A call that takes longer has failed: the server hung. */
const DEADLINE_MS = 10_000;
/** A pause, so that the polite client is no load itself. */
const PAUSE_MS = 4;

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
  readonly #client: RemoteClient;
  #latenciesMs: number[] = [];
  #failures: string[] = [];
  #laps: ((lap: PoliteLap) => void)[] = [];
  #closed = false;

  /** Starts with the first lap. */
  constructor(address: string) {
    this.#client = new RemoteClient(address);
  }

  /** Publishes its value and takes on work that it keeps alive. */
  async start(): Promise<void> {
    const { id } = await this.#client.assigned(NS, "value");
    await this.#client.set(id, VALUE);
    const work = await this.#client.assigned(NS, "work");
    void this.#run(work.id);
  }

  /** Resolves at the end of a round that has yet to begin. */
  lap(): Promise<PoliteLap> {
    return new Promise((resolve) => this.#laps.push(resolve));
  }

  async #run(id: string): Promise<void> {
    while (!this.#closed) {
      const laps = this.#laps.splice(0);
      await this.#timed(() => this.#hit());
      await this.#timed(() => this.#heartbeat(id));
      if (laps.length > 0) {
        const lap = this.#finishLap();
        for (const resolve of laps) resolve(lap);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #hit(): Promise<void> {
    const { ready } = await this.#client.get(NS, "value", {
      assign: false,
      deadlineMs: DEADLINE_MS,
    });
    if (!(ready instanceof Uint8Array) || ready.length !== VALUE.length) {
      throw new Error("the hit was no hit");
    }
  }

  async #heartbeat(id: string): Promise<void> {
    await this.#client.call("Heartbeat", { id }, { deadlineMs: DEADLINE_MS });
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
    this.#client.close();
  }
}
