/**
 * What a key depends on, beside the words of the command. It is looked at when
 * the key is made, and again whenever it matters whether the key is still the
 * right one.
 *
 * @module
 */

import type { JsonValue } from "../../../client/codecs/json.ts";
import type { Hashes } from "./hashes.ts";
import type { Listing } from "./listing.ts";

/** Looks at an input as it is now. */
export type Look = (hashes: Hashes) => Promise<Listing>;

/** What an input is. */
export interface InputKind {
  /** What is said of it. */
  readonly name: string;
  /** One file; a folder or a pattern; or a list of files and folders. */
  readonly kind: "file" | "files" | "list";
  /** Whether it can be read once only: a pipe, as of `<(date)`. */
  readonly isPipe?: boolean;
}

/** One input, as it was when the key was made. */
export class Input {
  /** What is said of it. */
  readonly name: string;
  /** Whether it can be read once only. */
  readonly isPipe: boolean;
  /** What it held. */
  readonly listing: Listing;
  readonly #kind: InputKind["kind"];
  readonly #look: Look;
  readonly #hashes: Hashes;

  private constructor(
    { name, kind, isPipe = false }: InputKind,
    seen: { listing: Listing; look: Look; hashes: Hashes },
  ) {
    this.name = name;
    this.isPipe = isPipe;
    this.#kind = kind;
    this.listing = seen.listing;
    this.#look = seen.look;
    this.#hashes = seen.hashes;
  }

  /** Looks at it for the first time. */
  static async seen(
    kind: InputKind,
    look: Look,
    hashes: Hashes,
  ): Promise<Input> {
    return new Input(kind, { listing: await look(hashes), look, hashes });
  }

  /** What of it is part of the key. */
  get forKey(): JsonValue {
    const { name, listing } = this;
    // The name of a list may be that of a pipe.
    if (this.#kind === "list") return { list: listing.digest };
    return this.#kind === "files"
      ? { name, files: listing.digest }
      : { name, sha256: listing.lines.get(name) ?? null };
  }

  /** The first file in which it differs by now; `undefined`: in none. */
  async changed(): Promise<string | undefined> {
    if (this.#kind === "file" && this.isPipe) return undefined;
    try {
      return this.listing.differenceTo(await this.#look(this.#hashes));
    } catch {
      // Something of it is gone, or cannot be read any more.
      return this.name;
    }
  }
}

/** The first file of some inputs that is another one by now. */
export async function changedOf(
  inputs: readonly Input[],
): Promise<string | undefined> {
  for (const input of inputs) {
    const changed = await input.changed();
    if (changed !== undefined) return changed;
  }
  return undefined;
}
