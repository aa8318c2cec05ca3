/**
 * Metadata: what goes with a call beside its messages.
 *
 * @module
 */

/** What a name may be. */
export const NAME = /^[0-9a-z_.-]+$/;
/** What the values of names without `-bin` may be. */
export const PRINTABLE = /^[ -~]*$/;
/** Ends the names whose values are bytes. */
export const BINARY_SUFFIX = "-bin";

/**
 * Names with values in order; a name can occur several times. The values of
 * names that end in `-bin` are bytes, all others printable ASCII.
 */
export class Metadata {
  readonly #entries: [string, string | Uint8Array][] = [];

  /** How many entries there are. */
  get size(): number {
    return this.#entries.length;
  }

  /**
   * Adds an entry, beside those of the same name.
   *
   * @param name Upper case is lowered.
   * @param value Bytes for `-bin`, else printable ASCII.
   * @returns This.
   */
  add(name: string, value: string | Uint8Array): this {
    const lower = name.toLowerCase();
    if (!NAME.test(lower)) {
      throw new TypeError(
        `${JSON.stringify(name)} is no name for metadata: use a-z 0-9 _ . -`,
      );
    }
    if (lower.endsWith(BINARY_SUFFIX) !== (value instanceof Uint8Array)) {
      throw new TypeError(
        `the values of ${lower} are ${
          typeof value === "string" ? "bytes" : "text"
        }: names of bytes end in -bin`,
      );
    }
    if (typeof value === "string" && !PRINTABLE.test(value)) {
      throw new TypeError(
        `the value of ${lower} is not printable ASCII: use a name with -bin`,
      );
    }
    this.#entries.push([lower, value]);
    return this;
  }

  /** The first value of a name. */
  get(name: string): string | Uint8Array | undefined {
    const lower = name.toLowerCase();
    return this.#entries.find(([known]) => known === lower)?.[1];
  }

  /** All values of a name, in order. */
  getAll(name: string): (string | Uint8Array)[] {
    const lower = name.toLowerCase();
    return this.#entries.filter(([known]) => known === lower)
      .map(([, value]) => value);
  }

  /** The entries in order. */
  [Symbol.iterator](): Iterator<[string, string | Uint8Array]> {
    return this.#entries[Symbol.iterator]();
  }
}
