/**
 * When requests are answered whatever happens, the earliest first.
 *
 * @module
 */

/** So many that were taken stay in front before the rest moves up. */
const MOST_TAKEN = 1_024;

/**
 * Numbers only: what has been answered meanwhile is not kept in memory by it, and
 * is left out when its time comes.
 */
export class DueTimes {
  #tickets: number[] = [];
  #dueMs: number[] = [];
  #first = 0;

  /** A request is to be answered by then, which is no sooner than the one before. */
  add(ticket: number, dueMs: number): void {
    this.#tickets.push(ticket);
    this.#dueMs.push(dueMs);
  }

  /** When the first of those is due that still wait. */
  earliest(waits: (ticket: number) => boolean): number | undefined {
    while (this.#first < this.#tickets.length) {
      if (waits(this.#tickets[this.#first]!)) return this.#dueMs[this.#first]!;
      this.#take();
    }
    return undefined;
  }

  /** Takes the next request that is due, whether it still waits or not. */
  takeDue(nowMs: number): number | undefined {
    const dueMs = this.#dueMs[this.#first];
    return dueMs !== undefined && dueMs <= nowMs ? this.#take() : undefined;
  }

  #take(): number {
    const ticket = this.#tickets[this.#first]!;
    this.#first += 1;
    if (this.#first > MOST_TAKEN && 2 * this.#first > this.#tickets.length) {
      this.#tickets = this.#tickets.slice(this.#first);
      this.#dueMs = this.#dueMs.slice(this.#first);
      this.#first = 0;
    }
    return ticket;
  }
}
