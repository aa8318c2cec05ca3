/**
 * What the status page is drawn from: a line of JSON a second, for as long as
 * somebody reads.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import type { Picture, Pictures } from "../engine/pictures.ts";
import { DEFAULT_WATCH_INTERVAL_MS } from "../limits.ts";
import type { MethodSummary } from "./call_tallies.ts";
import type { History, Point, Seen } from "./history.ts";

/** What a line holds. */
export interface LiveLine {
  readonly picture: Picture;
  readonly calls: readonly MethodSummary[];
  /** Points in time that were not told before … */
  readonly points: readonly Point[];
  /** … or that take the place of all that were. */
  readonly anew: boolean;
  /** In the first line: what the server was started with. */
  readonly settings?: readonly Setting[];
}

/** A flag and what it is. */
export type Setting = readonly [flag: string, value: string];

/** Where lines come from. */
export interface LivePicturesOptions {
  readonly pictures: Pick<Pictures, "current" | "join">;
  readonly history: Pick<History, "since">;
  readonly calls: () => readonly MethodSummary[];
  readonly settings: readonly Setting[];
  readonly clock: Clock;
}

/** Lines for each who reads; who reads slowly misses some. */
export class LivePictures {
  readonly #options: LivePicturesOptions;

  /** Makes nothing yet. */
  constructor(options: LivePicturesOptions) {
    this.#options = options;
  }

  /**
   * Lines, each made when it is asked for; `undefined`: too many watch.
   *
   * @param mayGoOn Asked before each line; they end where it says no.
   */
  open(
    mayGoOn: () => boolean = () => true,
  ): AsyncGenerator<string> | undefined {
    const seat = this.#options.pictures.join();
    return seat && new Lines(this.#options, seat, mayGoOn);
  }
}

/** By hand: a generator that waits cannot be told to return. */
class Lines implements AsyncGenerator<string> {
  readonly #options: LivePicturesOptions;
  readonly #seat: Disposable;
  readonly #mayGoOn: () => boolean;
  #seen: Seen | undefined;
  #isOver = false;
  #dueMs = -Infinity;
  #timer: Timer | undefined;
  #wake = () => {};

  constructor(
    options: LivePicturesOptions,
    seat: Disposable,
    mayGoOn: () => boolean,
  ) {
    this.#options = options;
    this.#seat = seat;
    this.#mayGoOn = mayGoOn;
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    const { clock, pictures } = this.#options;
    const waitMs = this.#dueMs - clock.nowMs();
    if (waitMs > 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#timer = clock.setTimer(waitMs, resolve);
      });
    }
    if (this.#isOver || !this.#mayGoOn()) return await this.return();
    this.#dueMs = clock.nowMs() + DEFAULT_WATCH_INTERVAL_MS;
    const picture = await pictures.current();
    return { done: false, value: `${JSON.stringify(this.#line(picture))}\n` };
  }

  #line(picture: Picture): LiveLine {
    const { history, calls, settings } = this.#options;
    const isFirst = this.#seen === undefined;
    const { points, isAnew, seen } = history.since(this.#seen);
    this.#seen = seen;
    return {
      picture,
      calls: calls(),
      points,
      anew: isAnew,
      ...isFirst && { settings },
    };
  }

  return(): Promise<IteratorResult<string, undefined>> {
    if (!this.#isOver) this.#seat[Symbol.dispose]();
    this.#isOver = true;
    this.#timer?.cancel();
    this.#wake();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(): Promise<IteratorResult<string, undefined>> {
    return this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
