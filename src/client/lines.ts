/**
 * The connection that calls go through, and the one that takes its place when it
 * falls silent.
 *
 * @module
 */

import { CacheError, noAnswer } from "./cache_error.ts";
import { Line } from "./line.ts";
import type { Security } from "./security.ts";
import { TURN_MS, Turns } from "./turns.ts";

/** After so long without a word, the server is asked for one. */
const PING_MS = 500;
/** After so long, another connection is tried: below 2 s with all that follows. */
const SILENT_MS = 1_250;
/** A connection that is not made by then is tried anew: a packet may be lost. */
const CONNECT_MS = 1_000;
/** What is tried longer each time is not tried longer than so many times that. */
const MAX_FACTOR = 8;

/** Of less than this on its way, even a slow line needs no longer than usual. */
const MUCH_BYTES = 32 * 1024;

/** What is known of the connection when it was looked at. */
export interface Turn {
  /** The clock of turns, in milliseconds. */
  readonly nowMs: number;
  /** For how long nothing has come, and not much has gone. */
  readonly silentMs: number;
  /**
   * `alive`: as far as is known yet; `silent`: for too long; `none`: it is being
   * made, or has broken.
   */
  readonly connection: "alive" | "silent" | "none";
}

/** Whatever is spent while nothing is heard of the server. */
export interface Spending {
  /** A turn is over. Returns when to look again at the latest, in milliseconds. */
  spend(turn: Turn): number;
}

/** Connections to one server. */
export class Lines {
  readonly #address: string;
  readonly #security: Security;
  #line: Line | undefined;
  #spare: Line | undefined;
  #calls = 0;
  #uploads = 0;
  readonly #budgets = new Set<Spending>();
  readonly #turns = new Turns(() => this.#turn());
  /** By the clock of turns: when something has come, and the spare was begun. */
  #movedMs = 0;
  #spareMs = 0;
  #isPinged = false;
  /** Grows while connections are replaced and nothing is answered. */
  #factor = 1;
  #connectFactor = 1;
  /**
   * Whether a connection fell silent with much on its way: a line that is slow
   * looks the same, as a PING stands behind what was sent. The next one that
   * carries an upload gets longer, or none would ever get through.
   */
  #isSlow = false;
  /** Whether an upload has got on after a silence, so that the line is slow. */
  #wasSlow = false;
  #isClosed = false;

  /** Connects to `host:port` with the first call. */
  constructor(address: string, security: Security) {
    this.#address = address;
    this.#security = security;
  }

  /** The connection for the next call. */
  get current(): Line {
    this.#assertOpen();
    if (!this.#line || this.#line.isClosed) {
      this.#line = this.#spare?.isReady ? this.#takeSpare() : this.#make();
      this.#moved();
    }
    return this.#line;
  }

  /** Another connection, for what cannot wait until this one counts as silent. */
  get other(): Line {
    this.#assertOpen();
    return this.#line ? this.#makeSpare() : this.current;
  }

  /** A call has begun: from now on it is noticed when nothing comes. */
  enter(isUpload = false): void {
    this.#calls++;
    if (isUpload) this.#uploads++;
    this.#turns.start();
  }

  /** A call has ended; `isAnswered`: by the server. */
  leave(isAnswered: boolean, isUpload = false): void {
    this.#calls--;
    if (isUpload) this.#uploads--;
    if (!isAnswered) return;
    this.#factor = this.#connectFactor = 1;
    if (!isUpload || this.#uploads > 0) return;
    this.#isSlow = this.#wasSlow;
    this.#wasSlow = false;
  }

  /** Time in which it was looked whether something has come, in milliseconds. */
  get nowMs(): number {
    return this.#turns.nowMs;
  }

  /** Counts how long nothing is heard for a call. */
  spend(budget: Spending): void {
    this.#budgets.add(budget);
    this.#turns.start();
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

  #moved(): void {
    this.#movedMs = this.nowMs;
    this.#isPinged = false;
  }

  get #silentMs(): number {
    return this.nowMs - this.#movedMs;
  }

  get #isSilent(): boolean {
    const isPatient = this.#isSlow && this.#isLoaded;
    const factor = isPatient ? MAX_FACTOR : this.#factor;
    return this.#silentMs >= SILENT_MS * factor;
  }

  /** Whether what was sent may take its time on a slow line. */
  get #isLoaded(): boolean {
    return this.#uploads > 0 && (this.#line?.sent ?? 0) >= MUCH_BYTES;
  }

  /** Returns when to look again, in milliseconds; `undefined`: not any more. */
  #turn(): number | undefined {
    if (this.#calls === 0 && this.#budgets.size === 0) {
      this.#moved();
      this.#dropSpare();
      return undefined;
    }
    const line = this.#line;
    if (this.#spare) this.#spare.isNeeded = line?.isAwaited ?? false;
    const hasMoved = line?.hasMoved() ?? false;
    if (hasMoved) {
      if (this.#isLoaded && this.#silentMs >= SILENT_MS) this.#wasSlow = true;
      this.#moved();
    }
    const { nowMs } = this;
    const silentMs = this.#silentMs;
    const connection = this.#isSilent && line?.isReady
      ? "silent"
      : line?.isReady
      ? "alive"
      : "none";
    if (hasMoved) this.#dropSpare();
    else if (line) this.#lookAfter(line);
    let nextMs = TURN_MS;
    for (const budget of this.#budgets) {
      const leftMs = budget.spend({ nowMs, silentMs, connection });
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
    }
    return nextMs;
  }

  #lookAfter(line: Line): void {
    if (this.#silentMs >= PING_MS && !this.#isPinged) {
      this.#isPinged = true;
      line.ping();
    }
    const isLate = this.#spare && !this.#spare.isReady &&
      this.nowMs - this.#spareMs >= CONNECT_MS * this.#connectFactor;
    if (isLate) {
      this.#dropSpare();
      this.#connectFactor = Math.min(this.#connectFactor * 2, MAX_FACTOR);
    }
    if (this.#isSilent) this.#replace(line);
  }

  /** Replaces a silent connection as soon as another one answers. */
  #replace(line: Line): void {
    const spare = this.#makeSpare();
    if (!spare.isReady) return;
    if (this.#isLoaded) this.#isSlow = true;
    this.#factor = Math.min(this.#factor * 2, MAX_FACTOR);
    this.#line = this.#takeSpare();
    this.#moved();
    const message = "the connection was silent, and another one was not";
    line.leave(noAnswer(message));
  }

  #makeSpare(): Line {
    if (this.#spare && !this.#spare.isClosed) return this.#spare;
    const spare = this.#spare = this.#make();
    spare.isNeeded = this.#line?.isAwaited ?? false;
    this.#spareMs = this.nowMs;
    spare.connect(() => {
      if (this.#spare === spare && this.#line && this.#isSilent) {
        this.#replace(this.#line);
      }
    });
    return spare;
  }

  #takeSpare(): Line {
    const spare = this.#spare!;
    this.#spare = undefined;
    spare.isNeeded = false;
    return spare;
  }

  #dropSpare(): void {
    this.#spare?.close();
    this.#spare = undefined;
  }
}
