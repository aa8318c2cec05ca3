/**
 * The next turn of the event loop.
 *
 * @module
 */

/** Deno and Node have it; a timer of 0 ms takes a thousand times as long. */
declare const setImmediate: (call: () => void) => unknown;

/** Calls back after everything that is ready now has had its turn. */
export function nextTurn(call: () => void): void {
  setImmediate(call);
}

/** Gathers calls of one turn: they are made together in the next ones. */
export class Gathered<T> {
  readonly #call: (item: T) => void;
  readonly #most: number;
  #items = new Set<T>();

  /** Called once for each item that was added in a turn, `most` in a row. */
  constructor(call: (item: T) => void, most: number) {
    this.#call = call;
    this.#most = most;
  }

  /** Adds an item, once. */
  add(item: T): void {
    this.#items.add(item);
    if (this.#items.size === 1) nextTurn(() => this.#flush());
  }

  #flush(): void {
    const items = [...this.#items];
    // A new one: to V8 a set that is filled and emptied again and again is never young.
    this.#items = new Set(items.splice(this.#most));
    // What is added from here on has scheduled its turn by itself.
    if (this.#items.size > 0) nextTurn(() => this.#flush());
    for (const item of items) this.#call(item);
  }
}
