/**
 * The places of all outs, while a command runs that is to find none of them.
 *
 * @module
 */

import { lstat } from "node:fs/promises";
import { whyNot } from "../cannot.ts";
import { Aside, type AsideOptions, Busy } from "./aside.ts";
import type { Out } from "./places.ts";

/** How to prepare them. */
export interface PrepareOptions extends AsideOptions {
  /** Whether the command finds the outs that are there. */
  readonly keepsOuts: boolean;
}

/** What was found after the command. */
export interface Settled {
  /** The outs that it has written. */
  readonly written: ReadonlySet<Out>;
  /** An old file could not be put back; `undefined`: all are. */
  readonly failure: Error | undefined;
}

/** Places that are taken until it is disposed of. */
export class Prepared implements AsyncDisposable {
  readonly #outs: readonly Out[];
  readonly #options: PrepareOptions;
  readonly #asides = new Map<Out, Aside>();
  #isShared = false;
  #isSettled = false;

  private constructor(outs: readonly Out[], options: PrepareOptions) {
    this.#outs = outs;
    this.#options = options;
  }

  /**
   * Takes the places, and sets aside what stands there.
   *
   * @throws One could not be set aside; all are as before.
   */
  static async at(
    outs: readonly Out[],
    options: PrepareOptions,
  ): Promise<Prepared> {
    const prepared = new Prepared(outs, options);
    for (const out of outs) {
      try {
        const aside = await prepared.#take(out);
        if (!options.keepsOuts) await aside?.move();
      } catch (error) {
        await prepared.settle();
        await prepared[Symbol.asyncDispose]();
        throw new Error(`${out.name} could not be set aside: ${why(error)}`);
      }
    }
    return prepared;
  }

  /**
   * Ends what was begun: an old file comes back where nothing was written, and
   * is gone elsewhere.
   */
  async settle(): Promise<Settled> {
    this.#isSettled = true;
    const written = new Set<Out>();
    for (const out of this.#outs) {
      const isThere = await lstat(out.path).then(() => true, () => false);
      if (isThere) written.add(out);
    }
    let failure: Error | undefined;
    for (const [out, aside] of this.#asides) {
      try {
        await aside.settle();
      } catch (error) {
        // Its lock stays, and so the next run tries again.
        failure = new Error(`${out.name} could not be put back: ${why(error)}`);
      }
    }
    // Whose folder was made by the command.
    for (const out of this.#outs) {
      if (!this.#asides.has(out)) {
        await this.#take(out).catch(() => this.#isShared = true);
      }
    }
    return { written, failure };
  }

  /** Whether nobody else has written to the places, as far as others tell. */
  async isOurs(): Promise<boolean> {
    if (this.#isShared) return false;
    for (const [, aside] of this.#asides) {
      if (!await aside.isOurs()) return false;
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isSettled) await this.settle();
    for (const [, aside] of this.#asides) {
      // The next run finds it.
      await aside.release().catch(() => {});
    }
  }

  async #take(out: Out): Promise<Aside | undefined> {
    const info = await lstat(out.place).catch(() => undefined);
    // A device, a pipe or a folder is nobody's to move, nor kept.
    if (info && !info.isFile() && !info.isSymbolicLink()) return undefined;
    const aside = await Aside.at(out.place, this.#options);
    if (aside) this.#asides.set(out, aside);
    return aside;
  }
}

function why(error: unknown): string {
  return error instanceof Busy ? error.message : whyNot(error);
}
