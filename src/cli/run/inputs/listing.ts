/**
 * What was found of an input: its files, each with what counts of it.
 *
 * @module
 */

import type { BigIntStats } from "node:fs";
import { sha256Hex } from "../../../../workers/digest.ts";

/** More are no input, but a mistake, or a whole disk. */
const MAX_LINES = 1_000_000;

/** Nobody can say what the output depends on: no fault of the command line's. */
export class Obstacle extends Error {}

/** Something that an input holds, which no out may be. */
export interface Held {
  /** Its name, as the command would say it. */
  readonly name: string;
  /** Its real path. */
  readonly path: string;
  /** Which file it is; with hard links, a file has several names. */
  readonly id: string;
}

/** The files of an input, by the names that the command would say. */
export class Listing {
  readonly #lines = new Map<string, string>();
  /** What lies elsewhere than the input's own name says. */
  readonly held: Held[] = [];
  #digest: string | undefined;

  /** Adds a file, and what counts of it. */
  add(name: string, what: string): void {
    if (this.#lines.size === MAX_LINES) {
      throw new Obstacle(`more than ${MAX_LINES} key files`);
    }
    this.#lines.set(name, what);
  }

  /** Adds where something really is. */
  hold(name: string, path: string, info: BigIntStats): void {
    this.held.push({ name, path, id: `${info.dev} ${info.ino}` });
  }

  /** The files, and what counts of each. */
  get lines(): ReadonlyMap<string, string> {
    return this.#lines;
  }

  /** The same for the same lines, in whichever order. */
  get digest(): string {
    return this.#digest ??= sha256Hex(
      [...this.#lines].map((line) => JSON.stringify(line)).sort().join("\n"),
    );
  }

  /** The first file in which the other one differs; `undefined`: none. */
  differenceTo(other: Listing): string | undefined {
    if (this.digest === other.digest) return undefined;
    for (const [name, what] of this.lines) {
      if (other.lines.get(name) !== what) return name;
    }
    for (const name of other.lines.keys()) {
      if (!this.lines.has(name)) return name;
    }
    return undefined;
  }
}
