/**
 * What is under way, by its number: calls, streams, operations.
 *
 * A `Map` that is filled and emptied all the time makes a new table again and
 * again, and each table refers to the one after it. Once V8 has moved one of them
 * to its old objects, all later tables, with all that was ever in them, live until
 * it collects the old objects: of the memory of each call a quarter was copied
 * twice for nothing. The arrays here know nothing of each other.
 *
 * @module
 */

/** No key: those are 0 or more. */
const FREE = -1;
const LEAST_PLACES = 8;
/**
 * A table of so many does not shrink any more. A connection's calls come and end
 * some sixteen at a time: to follow them took a twentieth of a small call.
 */
const KEPT_PLACES = 64;
/** Spreads numbers that follow each other: 2^32 by the golden ratio, odd. */
const SPREAD = 0x9e3779b1;

/**
 * A map of whole numbers from 0. It is listed by them: what came first, and has the
 * smallest number, stays the first.
 */
export class NumberMap<V> {
  #keys: number[] = [];
  #values: (V | undefined)[] = [];
  /** Places are a power of two: a hash is shifted by so much. */
  #shift = 0;
  #size = 0;

  /** It is empty. */
  constructor() {
    this.#make(LEAST_PLACES);
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** What is there, if anything. */
  get(key: number): V | undefined {
    return this.#values[this.#find(key)];
  }

  /** Whether something is there. */
  has(key: number): boolean {
    return this.#keys[this.#find(key)] === key;
  }

  /** Puts a value there, in the place of another one. */
  set(key: number, value: V): void {
    const at = this.#find(key);
    this.#values[at] = value;
    if (this.#keys[at] === key) return;
    this.#keys[at] = key;
    this.#size += 1;
    const places = this.#keys.length;
    if (this.#size > places / 2) this.#resize(places * 2);
  }

  /** Removes what is there; whether something was. */
  delete(key: number): boolean {
    let free = this.#find(key);
    if (this.#keys[free] !== key) return false;
    const last = this.#keys.length - 1;
    // Whoever was pushed on by what goes moves up: no search ends too early.
    for (let at = (free + 1) & last; this.#keys[at] !== FREE;) {
      const wanted = this.#placeOf(this.#keys[at]!);
      if (((at - wanted) & last) >= ((at - free) & last)) {
        this.#keys[free] = this.#keys[at]!;
        this.#values[free] = this.#values[at];
        free = at;
      }
      at = (at + 1) & last;
    }
    this.#keys[free] = FREE;
    this.#values[free] = undefined;
    this.#size -= 1;
    const places = this.#keys.length;
    if (places > KEPT_PLACES && this.#size < places / 8) {
      this.#resize(places / 2);
    }
    return true;
  }

  /** Removes all. */
  clear(): void {
    this.#make(LEAST_PLACES);
  }

  /** The keys as they are now, the smallest first. */
  keys(): number[] {
    return this.#keys.filter((key) => key !== FREE).sort((a, b) => a - b);
  }

  /** The values as they are now, in the order of their keys. */
  values(): V[] {
    return this.keys().map((key) => this.get(key)!);
  }

  /** Where a key is, or would be. */
  #find(key: number): number {
    const last = this.#keys.length - 1;
    let at = this.#placeOf(key);
    while (this.#keys[at] !== key && this.#keys[at] !== FREE) {
      at = (at + 1) & last;
    }
    return at;
  }

  #placeOf(key: number): number {
    return Math.imul(key, SPREAD) >>> this.#shift;
  }

  #make(places: number): void {
    this.#keys = new Array(places).fill(FREE);
    this.#values = new Array(places).fill(undefined);
    this.#shift = 32 - Math.log2(places);
    this.#size = 0;
  }

  #resize(places: number): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#make(places);
    for (const [at, key] of keys.entries()) {
      if (key !== FREE) this.set(key, values[at]!);
    }
  }
}
