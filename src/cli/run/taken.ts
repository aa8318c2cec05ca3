/**
 * The place of one out, while a command runs that is to find nothing there.
 *
 * @module
 */

import { lstat } from "node:fs/promises";
import { Aside, type AsideOptions } from "./aside.ts";
import type { Out } from "./outs.ts";
import { linkAt } from "./places.ts";
import { share } from "./share.ts";
import type { Leaf } from "./tree.ts";

/** How to take a place. */
export interface TakeOptions extends AsideOptions {
  /** Whether the command finds the outs that are there. */
  readonly keepsOuts: boolean;
}

/** What a command has made of an out. */
export interface Result {
  /** What was written; `undefined`: nothing. */
  readonly written: Written | undefined;
  /** What was there before, is none of the command's, and is there again. */
  readonly stayed: readonly string[];
}

/** What was written: of an out of many files, what lies there. */
export interface Written {
  readonly leaves: Iterable<Leaf>;
  /** Why not all of it can be told; `undefined`: it is all. */
  readonly trouble?: unknown;
}

/** A place that is taken until it is released. */
export interface Taken {
  /** Ends what was begun; what cannot be put back makes it fail. */
  settle(): Promise<Result>;
  /** Whether nobody else has written there, as far as others tell. */
  isOurs(): Promise<boolean>;
  /** Lets go of it. Never fails. */
  release(): Promise<void>;
}

/** The place of a file. */
export class TakenFile implements Taken {
  readonly #out: Out;
  #aside: Aside | undefined;
  #isShared = false;

  private constructor(out: Out, aside: Aside | undefined) {
    this.#out = out;
    this.#aside = aside;
  }

  /**
   * Takes it, and sets aside what stands there.
   *
   * @throws {Busy} Somebody else has it.
   * @throws It cannot be set aside.
   */
  static async at(out: Out, options: TakeOptions): Promise<TakenFile> {
    const taken = new TakenFile(out, await take(out, options));
    try {
      if (!options.keepsOuts) await taken.#aside?.move();
      return taken;
    } catch (error) {
      await taken.release();
      throw error;
    }
  }

  async settle(): Promise<Result> {
    const isThere = await isWritten(this.#out);
    await this.#aside?.settle();
    this.#aside?.checkLost();
    await this.#takeLate();
    return { written: isThere ? { leaves: [] } : undefined, stayed: [] };
  }

  async isOurs(): Promise<boolean> {
    return !this.#isShared && await this.#aside?.isOurs() !== false;
  }

  async release(): Promise<void> {
    // The next run finds what is left.
    await this.#aside?.release().catch(() => {});
  }

  /** Of a place whose folder was made by the command. */
  async #takeLate(): Promise<void> {
    if (this.#aside) return;
    try {
      this.#aside = await take(this.#out);
    } catch {
      this.#isShared = true;
      await share([this.#out.place]);
    }
  }
}

/** Whether something is there now; a link that stood there leads to it. */
async function isWritten({ path, place, link }: Out): Promise<boolean> {
  const isStill = link !== undefined && (await linkAt(path))?.id === link;
  return await lstat(isStill ? place : path).then(() => true, () => false);
}

async function take(
  { place }: Out,
  options: AsideOptions = {},
): Promise<Aside | undefined> {
  const info = await lstat(place).catch(() => undefined);
  // A device, a pipe or a folder is nobody's to move, nor kept.
  if (info && !info.isFile() && !info.isSymbolicLink()) return undefined;
  return await Aside.at(place, options);
}
