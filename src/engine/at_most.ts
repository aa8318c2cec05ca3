/**
 * Work of which only so much goes on at once.
 *
 * @module
 */

/** Lets work wait, the first first, while there is enough of it under way. */
export class AtMost {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Of work that begins so many times at once. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Does the work in its turn; resolves, or rejects, as it does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) {
      // Whoever ends hands its place over.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
