/**
 * The places of all outs, while a command runs that is to find none of them.
 *
 * @module
 */

import { whyNot } from "../cannot.ts";
import { Ahead, type Aim, aimOf, tellAhead, userAhead } from "./ahead.ts";
import { Busy } from "./aside.ts";
import type { Out } from "./outs.ts";
import { guestAt, userAround } from "./share.ts";
import {
  type Taken,
  TakenFile,
  type TakeOptions,
  type Written,
} from "./taken.ts";
import { TakenFolder } from "./taken_folder.ts";
import { TakenPattern } from "./taken_pattern.ts";

/** What was found after the command. */
export interface Settled {
  /** The outs that it has written. */
  readonly written: ReadonlyMap<Out, Written>;
  /** What was there before, is none of the command's, and is there again. */
  readonly stayed: readonly string[];
  /** An old file could not be put back; `undefined`: all are. */
  readonly failure: Error | undefined;
}

const TAKING = {
  file: TakenFile,
  folder: TakenFolder,
  pattern: TakenPattern,
} as const;

/** Places that are taken until it is disposed of. */
export class Prepared implements AsyncDisposable {
  readonly #taken = new Map<Out, Taken>();
  readonly #ahead: Ahead;
  readonly #aims: readonly Aim[];
  #isSettled = false;

  private constructor(ahead: Ahead, aims: readonly Aim[]) {
    this.#ahead = ahead;
    this.#aims = aims;
  }

  /**
   * Takes the places, and sets aside what stands there.
   *
   * @throws One could not be set aside; all are as before.
   */
  static async at(
    outs: readonly Out[],
    options: TakeOptions,
  ): Promise<Prepared> {
    const places = outs.map(({ place }) => place);
    const aims = outs.map(aimOf);
    const prepared = new Prepared(await Ahead.at(aims), aims);
    const guest = async () => await guestAt(places) ?? await userAhead(aims);
    let [at = ""] = outs.map(({ name }) => name);
    try {
      // Before anything is moved from under its command.
      refuse(await guest());
      for (const out of outs) {
        at = out.name;
        prepared.#taken.set(out, await TAKING[out.kind].at(out, options));
      }
      // After that: of two who come at the same time, one sees the other.
      refuse(await userAround(outs.map(aroundOf)) ?? await guest());
      return prepared;
    } catch (error) {
      await prepared.settle();
      await prepared[Symbol.asyncDispose]();
      throw new Error(`${at} could not be set aside: ${why(error)}`);
    }
  }

  /**
   * Ends what was begun: an old file comes back where nothing was written, and
   * is gone elsewhere.
   */
  async settle(): Promise<Settled> {
    this.#isSettled = true;
    const written = new Map<Out, Written>();
    const stayed: string[] = [];
    let failure: Error | undefined;
    for (const [out, taken] of this.#taken) {
      try {
        const result = await taken.settle();
        if (result.written) written.set(out, result.written);
        stayed.push(...result.stayed);
      } catch (error) {
        // Its lock stays, and so the next run tries again.
        failure = new Error(`${out.name} could not be put back: ${why(error)}`);
      }
    }
    return { written, stayed, failure };
  }

  /** Whether nobody else has written to the places, as far as others tell. */
  async isOurs(): Promise<boolean> {
    for (const taken of this.#taken.values()) {
      if (!await taken.isOurs()) return false;
    }
    // One with a pattern may have come since, and have seen no lock.
    if (await userAhead(this.#aims) !== undefined) {
      await tellAhead(this.#aims);
      return false;
    }
    return await this.#ahead.isOurs();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isSettled) await this.settle();
    for (const taken of this.#taken.values()) await taken.release();
    await this.#ahead[Symbol.asyncDispose]();
  }
}

function refuse(user: string | undefined): void {
  if (user !== undefined) throw new Busy(user);
}

/** The files of a pattern lie in its folder. */
function aroundOf({ place, pattern }: Out): string {
  return pattern ? `${place}/x` : place;
}

function why(error: unknown): string {
  return error instanceof Busy ? error.message : whyNot(error);
}
