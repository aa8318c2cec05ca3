/**
 * A line in the log for each call, for those who want them: no keys, no ids, and
 * no more than somebody can read.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import { hasFailed } from "./lasting_calls.ts";
import { Status, type StatusCode } from "../grpc/status.ts";
import { MAX_CALL_LINES } from "../limits.ts";
import type { Log } from "../log/log.ts";

/** Which calls have a line. */
export type WhichCalls = "failed" | "all";

/** Is told of the calls of a method. */
export interface CallObserver {
  /** With the fields of its head: name, value, name, value … */
  began?(fields: readonly string[], place: CallPlace): void;
  ended(code: StatusCode, tookMs: number, place: CallPlace): void;
}

/** Which call it was: the number of its stream, on a connection. */
export interface CallPlace {
  readonly id: number;
  readonly connection: { readonly peer: string };
}

/** Gives the observer of a method by its path; empty: of calls that name none. */
export type ObserveCalls = (path: string) => CallObserver;

/** How long the lines of which there are only so many are counted. */
const SECOND_MS = 1_000;

const NAMES = new Map(
  Object.entries(Status).map(([name, code]) => [code, name]),
);

/** Writes the lines. */
export class CallLog implements Disposable {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #logged: WhichCalls;
  #written = 0;
  #left = 0;
  #timer: Timer | undefined;

  /** Has nothing to write yet. */
  constructor(log: Log, clock: Clock, logged: WhichCalls) {
    this.#log = log;
    this.#clock = clock;
    this.#logged = logged;
  }

  /** The observer of a method. */
  readonly observe: ObserveCalls = (path) => {
    const method = path === "" ? "unknown" : path.slice(1);
    return {
      ended: (code, tookMs, { id: call, connection: { peer: client } }) => {
        if (this.#logged === "failed" && !hasFailed(code, method)) return;
        if (!this.#isAllowed()) return;
        const about = { method, code: NAMES.get(code) ?? `${code}` };
        const facts = { ...about, client, call, tookMs };
        this.#log("call", { level: "info", ...facts });
      },
    };
  };

  #isAllowed(): boolean {
    this.#timer ??= this.#clock.setTimer(SECOND_MS, () => this.#summarize());
    if (this.#written < MAX_CALL_LINES) return ++this.#written > 0;
    this.#left++;
    return false;
  }

  #summarize(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const left = this.#left;
    this.#written = this.#left = 0;
    if (left === 0) return;
    const message = `${left} calls were left out here within a second, for ` +
      `there were more than ${MAX_CALL_LINES}`;
    this.#log(message, { level: "info" });
  }

  [Symbol.dispose](): void {
    this.#summarize();
  }
}

/** An observer that tells all of those that are there; absent: none is. */
export function together(
  observes: readonly (ObserveCalls | undefined)[],
): ObserveCalls | undefined {
  const all = observes.filter((each) => each !== undefined);
  if (all.length <= 1) return all[0];
  return (path) => {
    const observers = all.map((observe) => observe(path));
    const hearBegin = observers.filter(({ began }) => began !== undefined);
    return {
      ...hearBegin.length > 0 && {
        began(fields, place) {
          for (const each of hearBegin) each.began?.(fields, place);
        },
      },
      ended(code, tookMs, place) {
        for (const each of observers) each.ended(code, tookMs, place);
      },
    };
  };
}
