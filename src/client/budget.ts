/**
 * How long to go on without hearing from a server.
 *
 * @module
 */

import { Backoff, sleep } from "./backoff.ts";
import { noAnswer } from "./cache_error.ts";
import type { Lines } from "./lines.ts";

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
/** A connection that is made, or found out to be silent, takes up to this. */
const SILENT_MS = 2_000;
/** A server that lives and has not answered by then does not do what it should. */
const UNANSWERED_MS = 10_000;

/** What a call may spend, and on what. */
export interface BudgetOptions {
  /** How long: this may change with what is known of the server. */
  readonly ms: () => number;
  /** Nothing is spent on a server that lives, though it has said nothing yet. */
  readonly isTrusting?: boolean | undefined;
  /** Whether the process is to live for the call. */
  readonly isAwaited?: boolean | undefined;
}

/**
 * The patience of one call: what it may spend without hearing from the server,
 * whatever the reason. While something is heard nothing is spent, and neither is
 * it while a server that has answered, and lives, takes its time.
 */
export class Budget implements Disposable {
  readonly #lines: Lines;
  readonly #ms: () => number;
  readonly #over = new AbortController();
  #backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
  #spentMs = 0;
  /** Of pauses, which may end between two turns. */
  #pausedMs = 0;
  readonly #isTrusting: boolean;
  readonly #isAwaited: boolean;
  #isWaiting = true;
  #isHeard = false;

  /** Everything counts until the server has said something. */
  constructor(
    lines: Lines,
    { ms, isTrusting = false, isAwaited = true }: BudgetOptions,
  ) {
    this.#lines = lines;
    this.#ms = ms;
    this.#isTrusting = isTrusting;
    this.#isAwaited = isAwaited;
    lines.spend(this);
  }

  /** Aborted when it is used up. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Something is asked of the server, perhaps again. */
  ask(): void {
    this.#isWaiting = true;
    this.#isHeard = false;
  }

  /** Something was heard of the server: it begins anew. */
  heard(): void {
    this.#isHeard = true;
    this.#spentMs = this.#pausedMs = 0;
    this.#backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
  }

  /** Nobody waits for the server until `waits`. */
  rests(): void {
    this.#isWaiting = false;
  }

  /** Somebody waits for the server again. */
  waits(): void {
    this.#isWaiting = true;
  }

  /** Time has gone by; `isAlive`: the connection is none that is silent. */
  spend(ms: number, isAlive: boolean): void {
    if (!this.#isWaiting) return;
    if (isAlive && this.#isHeard) {
      return void (this.#spentMs = this.#pausedMs = 0);
    }
    if (isAlive && this.#isTrusting) return;
    this.#spentMs += ms;
    const limitMs = Math.max(this.#ms(), isAlive ? UNANSWERED_MS : SILENT_MS);
    if (this.#spentMs < limitMs) return;
    const message = `no answer within ${this.#spentMs} ms`;
    this.#over.abort(noAnswer(message));
  }

  /** Pauses after a failure; `false` at once if there is nothing left to spend. */
  async pause(signal?: AbortSignal): Promise<boolean> {
    this.ask();
    if (this.#over.signal.aborted) return false;
    const leftMs = this.#ms() - Math.max(this.#spentMs, this.#pausedMs);
    if (leftMs <= 0) return false;
    // The last attempt is made when the time is up, and not long before.
    const waitMs = Math.min(this.#backoff.nextMs(), leftMs);
    this.#pausedMs += waitMs;
    await sleep(waitMs, signal, this.#isAwaited);
    return true;
  }

  /** The call has ended. */
  [Symbol.dispose](): void {
    this.#lines.stopSpending(this);
  }
}
