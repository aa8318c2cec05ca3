/**
 * The deadlines of calls: one heap, and one timer for the earliest.
 *
 * Most calls have a deadline and are answered in the turn in which they came.
 * These never get into the heap: it takes in what is left when the turn is over.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { EXPIRIES_PER_TURN } from "./limits.ts";

/** Who has a deadline. The heap owns `deadlinePlace`. */
export interface Deadlined {
  /** On the clock of the heap. */
  readonly deadlineMs: number | undefined;
  /** Where it is; see {@linkcode NOT_WAITING}. */
  deadlinePlace: number;
  /** The deadline has passed. */
  expire(): void;
}

/** The place of what waits for no deadline. */
export const NOT_WAITING = -1;
/** The place of what came in this turn. */
const FRESH = -2;

/** Calls that wait, the earliest deadline first. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heap: Deadlined[] = [];
  #fresh: Deadlined[] = [];
  /** When the first of these came. */
  #freshMs = 0;
  #timer: { cancel(): void } | undefined;
  #timerMs = Infinity;

  /** All deadlines are on this clock. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait, those of this turn included. */
  get size(): number {
    let fresh = 0;
    for (const one of this.#fresh) if (one.deadlinePlace === FRESH) fresh++;
    return this.#heap.length + fresh;
  }

  /** Whether a timer runs. */
  get hasTimer(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether its deadline has passed; not in the turn in which it was added. */
  hasPassed(one: Deadlined): boolean {
    return one.deadlinePlace >= 0 && dueMs(one) <= this.#clock.nowMs();
  }

  /**
   * When a call came: all of a turn together, as to look at the clock takes a
   * thirtieth of a small call's time.
   */
  get arrivedMs(): number {
    if (this.#fresh.length === 0) this.#freshMs = this.#clock.nowMs();
    return this.#freshMs;
  }

  /** Waits for a deadline, from the end of this turn on. */
  add(one: Deadlined): void {
    one.deadlinePlace = FRESH;
    if (this.#fresh.push(one) === 1) queueMicrotask(() => this.#takeIn());
  }

  /** Waits no more. */
  remove(one: Deadlined): void {
    const place = one.deadlinePlace;
    one.deadlinePlace = NOT_WAITING;
    if (place < 0) return;
    const last = this.#heap.pop()!;
    if (last !== one) this.#settle(last, place);
    if (this.#heap.length === 0) this.#stopTimer();
  }

  #takeIn(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const one of fresh) {
      if (one.deadlinePlace !== FRESH) continue;
      this.#heap.push(one);
      this.#settle(one, this.#heap.length - 1);
    }
    this.#setTimer();
  }

  #setTimer(): void {
    const first = this.#heap[0];
    if (first === undefined || dueMs(first) >= this.#timerMs) return;
    this.#stopTimer();
    this.#timerMs = dueMs(first);
    // A timer counts whole milliseconds, and must not be early.
    const delayMs = Math.ceil(this.#timerMs - this.#clock.nowMs());
    this.#timer = this.#clock.setTimer(Math.max(0, delayMs), () => {
      this.#timer = undefined;
      this.#timerMs = Infinity;
      this.#expire();
    });
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerMs = Infinity;
  }

  #expire(): void {
    const nowMs = this.#clock.nowMs();
    // The timer is set anew for those that are due as well.
    for (let count = 0; count < EXPIRIES_PER_TURN; count++) {
      const first = this.#heap[0];
      if (first === undefined || dueMs(first) > nowMs) break;
      this.remove(first);
      first.expire();
    }
    this.#setTimer();
  }

  /** Moves one up or down from a place until it is in order. */
  #settle(one: Deadlined, from: number): void {
    const heap = this.#heap;
    let place = from;
    while (place > 0) {
      const above = heap[(place - 1) >> 1]!;
      if (dueMs(above) <= dueMs(one)) break;
      heap[place] = above;
      above.deadlinePlace = place;
      place = (place - 1) >> 1;
    }
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && dueMs(right) < dueMs(heap[child]!)) child++;
      const below = heap[child]!;
      if (dueMs(one) <= dueMs(below)) break;
      heap[place] = below;
      below.deadlinePlace = place;
      place = child;
    }
    heap[place] = one;
    one.deadlinePlace = place;
  }
}

function dueMs(one: Deadlined): number {
  return one.deadlineMs ?? Infinity;
}
