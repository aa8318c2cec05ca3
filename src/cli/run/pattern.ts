/**
 * Names with wildcards, behind one file. Whether a name is one is told by its
 * words, never by what is on the disk.
 *
 * @module
 */

import { Minimatch } from "minimatch";
import { StartError } from "../../errors.ts";

/** What makes a name a pattern; then, `\` takes the meaning from a character. */
const MAGIC = /[*?[{]/;

/** A pattern such as `rtl/*.v`. */
export class Pattern {
  /** As it was written. */
  readonly text: string;
  /** The folder below which its files are; `.` if it names none. */
  readonly base: string;
  readonly #rest: Minimatch;

  private constructor(text: string, base: string, rest: string) {
    this.text = text;
    this.base = base;
    this.#rest = new Minimatch(rest, {
      nocomment: true,
      nonegate: true,
      noext: true,
      platform: "linux",
    });
  }

  /**
   * The pattern that a name is; `undefined`: it is the name of a file.
   *
   * @throws {StartError} It says `..` after a wildcard.
   */
  static of(name: string): Pattern | undefined {
    if (!MAGIC.test(name)) return undefined;
    const parts = name.split("/");
    const first = parts.findIndex((part) => MAGIC.test(part));
    const rest = parts.slice(first).filter((part) => part !== "");
    if (rest.some((part) => part === "." || part === "..")) {
      throw new StartError(2, `${name}: write . and .. before the wildcards`);
    }
    const base = parts.slice(0, first).join("/").replaceAll(/\\(.)/g, "$1");
    return new Pattern(name, base || (first > 0 ? "/" : "."), rest.join("/"));
  }

  /** What it says from {@linkcode Pattern.base} on. */
  get rest(): string {
    return this.#rest.pattern;
  }

  /** Whether a file is meant, by its name from {@linkcode Pattern.base} on. */
  matches(name: string): boolean {
    return this.#rest.match(name);
  }

  /** Whether files in a folder may be meant. */
  leadsInto(folder: string): boolean {
    return this.#rest.match(folder, true);
  }
}
