/**
 * The dynamic table of HPACK (RFC 7541, section 2.3.2) as a ring.
 *
 * @module
 */

/** What an entry takes beside its octets (RFC 7541, section 4.1). */
export const ENTRY_OVERHEAD_BYTES = 32;
/** Slots of the first ring: connections that send nothing have none. */
const FIRST_SLOTS = 16;

/**
 * Fields that a client refers to by index, the newest first.
 *
 * Sizes are as the RFC counts them: octets of name and value, and 32 more.
 */
export class HeaderTable {
  /** Slots, as many as a power of two; they grow with the entries. */
  #names: string[] = [];
  #values: string[] = [];
  #newest = 0;
  #length = 0;
  #sizeBytes = 0;
  #maxBytes: number;

  /** Makes an empty table that holds at most `maxBytes`. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many entries there are. */
  get length(): number {
    return this.#length;
  }

  /** What the entries take. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The name of entry `index`, below `length`; 0 is the newest. */
  nameAt(index: number): string {
    return this.#names[(this.#newest - index) & (this.#names.length - 1)]!;
  }

  /** The value of entry `index`, below `length`; 0 is the newest. */
  valueAt(index: number): string {
    return this.#values[(this.#newest - index) & (this.#values.length - 1)]!;
  }

  /**
   * Adds an entry in front; the oldest make room for it first. One that is
   * larger than the table leaves it empty.
   */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#evictDownTo(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return;
    if (this.#length === this.#names.length) this.#grow();
    this.#newest = (this.#newest + 1) & (this.#names.length - 1);
    this.#names[this.#newest] = name;
    this.#values[this.#newest] = value;
    this.#length++;
    this.#sizeBytes += bytes;
  }

  /** Holds at most `maxBytes` from now on. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evictDownTo(maxBytes);
  }

  #evictDownTo(bytes: number): void {
    while (this.#sizeBytes > bytes && this.#length > 0) {
      const oldest = (this.#newest - --this.#length) &
        (this.#names.length - 1);
      this.#sizeBytes -= this.#names[oldest]!.length +
        this.#values[oldest]!.length + ENTRY_OVERHEAD_BYTES;
      // Frees the strings, not only their place.
      this.#names[oldest] = this.#values[oldest] = "";
    }
  }

  #grow(): void {
    const slots = Math.max(FIRST_SLOTS, 2 * this.#names.length);
    const names = new Array<string>(slots).fill("");
    const values = new Array<string>(slots).fill("");
    for (let index = 0; index < this.#length; index++) {
      const slot = this.#length - 1 - index;
      names[slot] = this.nameAt(index);
      values[slot] = this.valueAt(index);
    }
    this.#names = names;
    this.#values = values;
    this.#newest = this.#length - 1;
  }
}
