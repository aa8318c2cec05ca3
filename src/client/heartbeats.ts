/**
 * Keeps a lease, whatever the network does.
 *
 * @module
 */

import {
  clearTimeout as clearNodeTimeout,
  setTimeout as nodeTimeout,
} from "node:timers";
import { type BeatOptions, NOBODY } from "./backend.ts";
import { Backoff, sleep } from "./backoff.ts";
import { hasCode } from "./cache_error.ts";

/**
 * Of the interval: one that comes early leaves the rest of it to a network that
 * comes back just before the lease ends.
 */
const BEAT_SHARE = 3 / 4;
/** Of the interval: an answer that is not there by then may never come. */
const TIMEOUT_SHARE = 1 / 2;
/** How often it is tried while the lease lasts, whether or not that is answered. */
const RETRY_MS = 250;
/** How long one more attempt is waited for. */
const RETRY_TIMEOUT_MS = 2_000;
/** What servers add to the interval, by default, makes the lease. */
const LEASE_BEYOND_MS = 2_000;

/** What heartbeats need. */
export interface Beating {
  /** Sends one. */
  readonly beat: (options: BeatOptions) => Promise<void>;
  /** Told when the work has gone to somebody else. */
  readonly onLost: (error: unknown) => void;
}

/** Sends heartbeats until it is stopped, or the work is lost. */
export class Heartbeats {
  readonly #intervalMs: number;
  readonly #beating: Beating;
  #timer: ReturnType<typeof nodeTimeout> | undefined;
  #hasEnded = false;

  /** The first one is sent after a part of the interval. */
  constructor(intervalMs: number, beating: Beating) {
    this.#intervalMs = intervalMs;
    this.#beating = beating;
    this.#wait();
  }

  /** Sends no more. */
  stop(): void {
    this.#hasEnded = true;
    clearNodeTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#hasEnded) return;
    // A program must be able to end while it holds work.
    this.#timer = nodeTimeout(
      () => void this.#renew().then(() => this.#wait()),
      this.#intervalMs * BEAT_SHARE,
    ).unref();
  }

  /** Tries until one is answered; another connection may be better than this one. */
  async #renew(): Promise<void> {
    const leaseEndMs = performance.now() + this.#intervalMs + LEASE_BEYOND_MS;
    const later = new Backoff(2 * RETRY_MS, this.#intervalMs);
    let isAnswered = false;
    const beat = async (options: BeatOptions) => {
      try {
        await this.#beating.beat(options);
        isAnswered = true;
      } catch (error) {
        if (!hasCode(error, "invalid") || this.#hasEnded) return;
        isAnswered = true;
        this.stop();
        this.#beating.onLost(error);
      }
    };
    const timeoutMs = this.#intervalMs * TIMEOUT_SHARE;
    await beat({ timeoutMs, isAgain: false });
    while (!isAnswered && !this.#hasEnded) {
      const isLeased = performance.now() < leaseEndMs;
      const trying = beat({ timeoutMs: RETRY_TIMEOUT_MS, isAgain: true });
      const pauseMs = isLeased ? RETRY_MS : later.nextMs();
      const pause = sleep(pauseMs, undefined, NOBODY);
      // One that has failed at once waits for its turn; one that hangs does not
      // keep the next one from being tried.
      await Promise.race([
        pause,
        trying.then(() => isAnswered ? undefined : pause),
      ]);
    }
  }
}
