/**
 * The connection that calls go through, and the one that takes its place when it
 * falls silent.
 *
 * @module
 */

import {
  clearInterval as clearNodeInterval,
  setInterval as nodeInterval,
} from "node:timers";
import { CacheError, noAnswer } from "./cache_error.ts";
import { Line } from "./line.ts";
import type { Security } from "./security.ts";

/**
 * How often it is looked whether something has come. Silence is counted in these
 * turns, not by the clock: when the program computes, nothing is looked at.
 */
export const TURN_MS = 250;
/** After so many without a word, the server is asked for one. */
const PING_TURNS = 3;
/** After so many, another connection is tried: below 2 s with all that follows. */
const SILENT_TURNS = 5;
/** A connection that is not made by then is tried anew: a packet may be lost. */
const CONNECT_TURNS = 4;
/** What is tried longer each time is not tried longer than so many times that. */
const MAX_FACTOR = 8;

/** Whatever is spent while nothing is heard of the server. */
export interface Spending {
  /** So much time is over; the server lives, though it has not answered. */
  spend(ms: number, isAlive: boolean): void;
}

/** Connections to one server. */
export class Lines {
  readonly #address: string;
  readonly #security: Security;
  #line: Line | undefined;
  #spare: Line | undefined;
  #calls = 0;
  readonly #budgets = new Set<Spending>();
  #timer: ReturnType<typeof nodeInterval> | undefined;
  #silentTurns = 0;
  #spareTurns = 0;
  /** Grows while connections are replaced and nothing is answered. */
  #factor = 1;
  #connectFactor = 1;
  #isClosed = false;

  /** Connects to `host:port` with the first call. */
  constructor(address: string, security: Security) {
    this.#address = address;
    this.#security = security;
  }

  /** The connection for the next call. */
  get current(): Line {
    this.#assertOpen();
    if (!this.#line) {
      this.#line = this.#spare?.isReady ? this.#takeSpare() : this.#make();
      this.#silentTurns = 0;
    }
    return this.#line;
  }

  /** Another connection, for what cannot wait until this one counts as silent. */
  get other(): Line {
    this.#assertOpen();
    return this.#line ? this.#makeSpare() : this.current;
  }

  /** A call has begun: from now on it is noticed when nothing comes. */
  enter(): void {
    this.#calls++;
    this.#watch();
  }

  /** A call has ended; `isAnswered`: by the server. */
  leave(isAnswered: boolean): void {
    this.#calls--;
    if (isAnswered) this.#factor = this.#connectFactor = 1;
  }

  /** Counts how long nothing is heard for a call. */
  spend(budget: Spending): void {
    this.#budgets.add(budget);
    this.#watch();
  }

  /** Counts no more. */
  stopSpending(budget: Spending): void {
    this.#budgets.delete(budget);
  }

  /** The next call makes a new connection, unless this one is not used any more. */
  drop(line: Line): void {
    if (this.#line !== line) return;
    this.#line = undefined;
    line.close();
  }

  /** Ends the connections; calls that are under way may finish. */
  close(): void {
    this.#isClosed = true;
    this.#line?.close();
    this.#spare?.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new CacheError("closed", "the cache is closed");
  }

  #make(): Line {
    return new Line(this.#address, this.#security);
  }

  #watch(): void {
    // The calls keep the process alive, as far as somebody waits for them.
    this.#timer ??= nodeInterval(() => this.#turn(), TURN_MS).unref();
  }

  #turn(): void {
    if (this.#calls === 0 && this.#budgets.size === 0) {
      clearNodeInterval(this.#timer);
      this.#timer = undefined;
      this.#silentTurns = 0;
      return this.#dropSpare();
    }
    const line = this.#line;
    if (line?.hasMoved()) this.#silentTurns = 0;
    else this.#silentTurns++;
    const silentTurns = SILENT_TURNS * this.#factor;
    const isAlive = line !== undefined && line.isReady &&
      this.#silentTurns < silentTurns;
    if (line) this.#lookAfter(line, silentTurns);
    for (const budget of this.#budgets) budget.spend(TURN_MS, isAlive);
  }

  #lookAfter(line: Line, silentTurns: number): void {
    if (this.#silentTurns === 0) return this.#dropSpare();
    if (this.#silentTurns === PING_TURNS) line.ping();
    if (this.#spare && !this.#spare.isReady) {
      this.#spareTurns++;
      if (this.#spareTurns >= CONNECT_TURNS * this.#connectFactor) {
        this.#dropSpare();
        this.#connectFactor = Math.min(this.#connectFactor * 2, MAX_FACTOR);
      }
    }
    if (this.#silentTurns >= silentTurns) this.#replace(line);
  }

  /** Replaces a silent connection as soon as another one answers. */
  #replace(line: Line): void {
    const spare = this.#makeSpare();
    if (!spare.isReady) return;
    this.#factor = Math.min(this.#factor * 2, MAX_FACTOR);
    this.#line = this.#takeSpare();
    this.#silentTurns = 0;
    const message = "the connection was silent, and another one was not";
    line.abort(noAnswer(message));
  }

  #makeSpare(): Line {
    if (this.#spare) return this.#spare;
    const spare = this.#spare = this.#make();
    this.#spareTurns = 0;
    spare.connect(() => {
      const isSilent = this.#silentTurns >= SILENT_TURNS * this.#factor;
      if (this.#spare === spare && this.#line && isSilent) {
        this.#replace(this.#line);
      }
    });
    return spare;
  }

  #takeSpare(): Line {
    const spare = this.#spare!;
    this.#spare = undefined;
    return spare;
  }

  #dropSpare(): void {
    this.#spare?.close();
    this.#spare = undefined;
  }
}
