/**
 * How a server has done since its start, at most a day: points in time for
 * plots. When they become too many each two become one.
 *
 * @module
 */

import type { Clock, Timer } from "../clock.ts";
import { FIRST_POINT_MS, MAX_POINT_MS, MAX_POINTS } from "../limits.ts";

/** A point in time. Counts are since the start. */
export interface Point {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly hits: number;
  readonly misses: number;
  readonly calls: number;
  readonly publishedBytes: number;
  /** What is kept then. */
  readonly keptBytes: number;
  /** Of the calls since the point before, in milliseconds; absent: there were none. */
  readonly medianMs?: number;
  readonly slowMs?: number;
}

/** What those are told who have seen some points already. */
export interface MorePoints {
  /** These take the place of all that was told before. */
  readonly isAnew: boolean;
  readonly points: readonly Point[];
  /** To be given when there may be more. */
  readonly seen: Seen;
}

/** How far somebody has seen them. */
export interface Seen {
  readonly generation: number;
  readonly count: number;
}

/** Takes a point from time to time, until it is disposed. */
export class History implements Disposable {
  readonly #clock: Clock;
  readonly #read: () => Omit<Point, "atMs">;
  #points: Point[] = [];
  /** Points of this generation that came before the first that is kept. */
  #gone = 0;
  #generation = 0;
  #periodMs = FIRST_POINT_MS;
  #timer: Timer;

  /** Begins with a point. */
  constructor(clock: Clock, read: () => Omit<Point, "atMs">) {
    this.#clock = clock;
    this.#read = read;
    this.#timer = this.#take();
  }

  /** What has come since; `seen` absent: all. */
  since(seen?: Seen): MorePoints {
    const isAnew = seen?.generation !== this.#generation;
    const from = isAnew ? 0 : Math.max(0, seen.count - this.#gone);
    const count = this.#gone + this.#points.length;
    return {
      isAnew,
      points: this.#points.slice(from),
      seen: { generation: this.#generation, count },
    };
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #take(): Timer {
    this.#points.push({ atMs: this.#clock.wallMs(), ...this.#read() });
    if (this.#points.length > MAX_POINTS) this.#makeRoom();
    return this.#clock.setTimer(this.#periodMs, () => {
      this.#timer = this.#take();
    });
  }

  #makeRoom(): void {
    if (this.#periodMs >= MAX_POINT_MS) {
      this.#points.shift();
      this.#gone++;
      return;
    }
    this.#periodMs *= 2;
    this.#generation++;
    this.#gone = 0;
    // The first one says from where counts are counted.
    const [first, ...others] = this.#points;
    this.#points = [first!];
    for (let at = 1; at < others.length; at += 2) {
      this.#points.push(merged(others[at - 1]!, others[at]!));
    }
    if (others.length % 2 === 1) this.#points.push(others.at(-1)!);
  }
}

/** The later one, with what was slow in both. */
function merged(one: Point, other: Point): Point {
  const medianMs = larger(one.medianMs, other.medianMs);
  const slowMs = larger(one.slowMs, other.slowMs);
  return {
    ...other,
    ...medianMs !== undefined && { medianMs },
    ...slowMs !== undefined && { slowMs },
  };
}

function larger(
  one: number | undefined,
  other: number | undefined,
): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.max(one, other);
}
