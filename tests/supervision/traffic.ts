/**
 * Clients that keep a server busy and try again when a call fails, and one that
 * watches for how long calls fail.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { status } from "@grpc/grpc-js";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import type { Launched } from "./launched.ts";

/** What a call fails with while there is no server, or as it dies. */
const OUTAGE: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.INTERNAL,
]);
/** gRPC's own wait before it connects again is 1 s: not what is tested here. */
const QUICK = { "grpc.initial_reconnect_backoff_ms": 20 };
const RETRY_LIMIT_MS = 20_000;
const SIZES = [10, 3_000, 200_000];

/** How often calls failed in a test, by status. */
export class Failures {
  readonly counts: Record<string, number> = {};

  /** Takes an outage's error; throws any other. */
  count(error: unknown): void {
    const { code } = error as { code?: number };
    if (code === undefined || !OUTAGE.has(code)) throw error;
    const name = status[code]!;
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

/** Calls until it does not fail for want of a server. */
export async function retry<T>(
  call: () => Promise<T>,
  failures: Failures = new Failures(),
): Promise<T> {
  const endMs = performance.now() + RETRY_LIMIT_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      failures.count(error);
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** The one value that a key may have. */
export function valueOf(key: string): Uint8Array {
  const number = Number(key.split(" ").at(-1));
  return new Uint8Array(SIZES[number % SIZES.length]!).fill(number % 251);
}

/** Clients that publish one value after the other. */
export class Traffic implements Disposable {
  /** Keys whose Set or Done was answered with OK. */
  readonly acknowledged: string[] = [];
  readonly failures: Failures = new Failures();
  readonly #address: string;
  readonly #local: LocalClient;
  readonly #remote: RemoteClient;
  readonly #running: Promise<void>[];
  #stopped = false;

  /** Starts callers of both APIs. */
  constructor({ local, remote }: Launched, callers = 6) {
    this.#address = remote;
    this.#local = new LocalClient(local, QUICK);
    this.#remote = new RemoteClient(remote, QUICK);
    this.#running = Array.from({ length: callers }, (_, i) => this.#publish(i));
  }

  /** Waits until so many values have been acknowledged from now on. */
  async more(count: number): Promise<void> {
    const enough = this.acknowledged.length + count;
    const ended = Promise.all(this.#running)
      .then(() => Promise.reject(new Error("the traffic has ended")));
    while (this.acknowledged.length < enough) {
      const pause = new Promise((resolve) => setTimeout(resolve, 5));
      await Promise.race([pause, ended]);
    }
  }

  /** Lets every caller finish what it does; rejects if one could not. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** Whose value is not there, or is another one. */
  async lost(): Promise<string[]> {
    const lost: string[] = [];
    using client = new RemoteClient(this.#address);
    for (const key of this.acknowledged) {
      const { ready } = await client.get("traffic", key);
      const whole = ready instanceof Uint8Array &&
        Buffer.from(valueOf(key)).equals(ready);
      if (!whole) lost.push(key);
    }
    return lost;
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#local.close();
    this.#remote.close();
  }

  async #publish(caller: number): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      const key = `${caller} ${i}`;
      const published = i % 2 ? this.#set(key) : this.#done(key);
      if (await published) this.acknowledged.push(key);
    }
  }

  async #set(key: string): Promise<boolean> {
    const work = await this.#assigned(this.#remote, key);
    if (work === undefined) return false;
    await retry(() => this.#remote.heartbeat(work.id), this.failures);
    await retry(() => this.#remote.set(work.id, valueOf(key)), this.failures);
    return true;
  }

  async #done(key: string): Promise<boolean> {
    const work = await this.#assigned(this.#local, key);
    if (work === undefined) return false;
    await writeFile(work.path, valueOf(key));
    await retry(() => this.#local.done(work.id), this.failures);
    return true;
  }

  /**
   * A Get that was cut off may have been assigned: nobody holds that id, so that
   * the entry is Loading until its lease has ended. Then it is given to us. A
   * server that stops gives out no work: the client computes for itself.
   */
  async #assigned(
    client: LocalClient | RemoteClient,
    key: string,
  ): Promise<{ id: string; path: string } | undefined> {
    for (;;) {
      const { entryStatus, assign } = await retry(
        () => client.get("traffic", key),
        this.failures,
      );
      if (assign) return assign;
      if (entryStatus === "unassigned") return undefined;
      if (entryStatus !== "loading") throw new Error(`${key}: ${entryStatus}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (this.#stopped) return undefined;
    }
  }
}

/** Calls on a connection of its own each time, as one-shot clients do. */
export class Watch {
  readonly #address: string;
  readonly #running: Promise<void>;
  #stopped = false;
  #failedSinceMs: number | undefined;
  /** The longest time between a call that failed and the next that did not. */
  windowMs = 0;
  calls = 0;

  constructor(address: string) {
    this.#address = address;
    this.#running = this.#watch();
  }

  /** Ends once calls succeed again; the longest time they did not. */
  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#running;
    return Math.round(this.windowMs);
  }

  async #watch(): Promise<void> {
    while (!this.#stopped || this.#failedSinceMs !== undefined) {
      const startMs = performance.now();
      const answered = await this.#call();
      this.calls++;
      if (!answered) this.#failedSinceMs ??= startMs;
      else if (this.#failedSinceMs !== undefined) {
        const windowMs = performance.now() - this.#failedSinceMs;
        this.windowMs = Math.max(this.windowMs, windowMs);
        this.#failedSinceMs = undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async #call(): Promise<boolean> {
    using client = new RemoteClient(this.#address);
    try {
      await client.get("traffic", "watch", {
        assign: false,
        deadlineMs: 1_000,
      });
      return true;
    } catch {
      return false;
    }
  }
}
