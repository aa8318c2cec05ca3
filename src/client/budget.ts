/**
 * How long to go on without hearing from a server.
 *
 * @module
 */

import { Backoff, sleep } from "./backoff.ts";
import { silence } from "./cache_error.ts";
import { Ending, type EndSignal } from "./ending.ts";
import type { Spending, Turn } from "./lines.ts";

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
  /** Aborted when the process is not to live for the call any more. */
  readonly wanted?: EndSignal | undefined;
}

/** Who knows what is heard of the server, and counts the time. */
export interface Watch {
  /** The clock of turns, in milliseconds. */
  readonly nowMs: number;
  /** Tells of each turn from now on. */
  spend(budget: Spending): void;
  /** Tells no more. */
  stopSpending(budget: Spending): void;
}

/**
 * The patience of one call: what it may spend without hearing from the server,
 * whatever the reason. While something is heard nothing is spent, and neither is
 * it while a server that has answered, and lives, takes its time. A connection
 * that turns out to be silent has been so since its last sign of life.
 */
export class Budget implements Disposable, Spending {
  readonly #watch: Watch;
  readonly #ms: () => number;
  readonly #over = new Ending();
  #backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
  #spentMs = 0;
  /** How long nothing has come of a server that may well be alive. */
  #silentMs = 0;
  /** Of pauses: a server that lives and refuses costs nothing else. */
  #pausedMs = 0;
  /** Until when the time is counted, and from when on somebody waits. */
  #countedMs: number;
  #sinceMs: number;
  readonly #isTrusting: boolean;
  readonly #wanted: EndSignal | undefined;
  #isWaiting = true;
  #isHeard = false;

  /** Everything counts until the server has said something. */
  constructor(
    watch: Watch,
    { ms, isTrusting = false, wanted }: BudgetOptions,
  ) {
    this.#watch = watch;
    this.#ms = ms;
    this.#isTrusting = isTrusting;
    this.#wanted = wanted;
    watch.spend(this);
    this.#countedMs = this.#sinceMs = watch.nowMs;
  }

  /** Aborted when it is used up. */
  get signal(): EndSignal {
    return this.#over;
  }

  /** For how long nothing has been heard of the server. */
  get waitedMs(): number {
    return this.#spentMs + this.#silentMs;
  }

  /** Something is asked of the server, perhaps again. */
  ask(): void {
    this.#isWaiting = true;
    this.#isHeard = false;
    // A connection that has broken lived until then.
    this.#silentMs = 0;
  }

  /** Something was heard of the server: it begins anew. */
  heard(): void {
    // What was sent may be asked for when it is too late.
    if (this.#over.aborted) return;
    this.#isHeard = true;
    this.#spentMs = this.#silentMs = this.#pausedMs = 0;
    this.#countedMs = this.#sinceMs = this.#watch.nowMs;
    this.#backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
  }

  /** Nobody waits for the server until `waits`. */
  rests(): void {
    this.#isWaiting = false;
  }

  /** Somebody waits for the server again. */
  waits(): void {
    this.#isWaiting = true;
    this.#countedMs = this.#sinceMs = this.#watch.nowMs;
  }

  /** A turn is over. Returns how much may be spent yet, in milliseconds. */
  spend({ nowMs, silentMs, connection }: Turn): number {
    const isAlive = connection === "alive";
    const ms = nowMs - this.#countedMs;
    this.#countedMs = nowMs;
    if (!this.#isWaiting) return Infinity;
    if (isAlive && (this.#isHeard || this.#isTrusting)) {
      if (this.#isHeard) this.#spentMs = this.#pausedMs = 0;
      this.#silentMs = Math.min(silentMs, nowMs - this.#sinceMs);
      return Infinity;
    }
    this.#spentMs += ms + (connection === "silent" ? this.#silentMs : 0);
    this.#silentMs = 0;
    const limitMs = Math.max(this.#ms(), isAlive ? UNANSWERED_MS : SILENT_MS);
    const leftMs = limitMs - this.#spentMs;
    if (leftMs <= 0) this.#over.abort(silence("no answer", this.#spentMs));
    return leftMs;
  }

  /** Pauses after a failure; `false` at once if there is nothing left to spend. */
  async pause(signal?: EndSignal): Promise<boolean> {
    this.ask();
    if (this.#over.aborted) return false;
    const sinceMs = this.#watch.nowMs - this.#countedMs;
    const spentMs = Math.max(this.#spentMs + sinceMs, this.#pausedMs);
    const leftMs = this.#ms() - spentMs;
    if (leftMs <= 0) return false;
    // The last attempt is made when the time is up, and not long before.
    const waitMs = Math.min(this.#backoff.nextMs(), leftMs);
    this.#pausedMs += waitMs;
    await sleep(waitMs, signal, this.#wanted);
    return true;
  }

  /** The call has ended. */
  [Symbol.dispose](): void {
    this.#watch.stopSpending(this);
  }
}
