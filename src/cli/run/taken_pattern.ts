/**
 * The files of a pattern, while a command runs that is to find none of them.
 *
 * @module
 */

import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { tellAhead, userAhead } from "./ahead.ts";
import { Aside, type AsideOptions } from "./aside.ts";
import { Leaves } from "./leaves.ts";
import { lockPlaceOf, markedPlace, nameBelow, type Out } from "./outs.ts";
import { markOf, readMarks, saveMarks } from "./record.ts";
import { share } from "./share.ts";
import type { Result, Taken, TakeOptions } from "./taken.ts";
import { leafAt, leavesOf, marksOf } from "./tree.ts";

/** The places of the files that were there, and the pattern's own lock. */
export class TakenPattern implements Taken {
  readonly #out: Out;
  readonly #options: TakeOptions;
  readonly #asides = new Map<string, Aside>();
  #lock: Aside | undefined;
  #isShared = false;

  private constructor(out: Out, options: TakeOptions) {
    this.#out = out;
    this.#options = options;
  }

  /**
   * Takes the places, and sets aside what stands there.
   *
   * @throws {Busy} Somebody else has one of them.
   * @throws One cannot be set aside.
   */
  static async at(out: Out, options: TakeOptions): Promise<TakenPattern> {
    const taken = new TakenPattern(out, options);
    try {
      await taken.#take();
      return taken;
    } catch (error) {
      for (const aside of taken.#asides.values()) await aside.settle();
      await taken.release();
      throw error;
    }
  }

  async settle(): Promise<Result> {
    const { place, pattern } = this.#out;
    const leaves = new Leaves();
    for await (const leaf of leavesOf(place, pattern)) leaves.add(leaf);
    for (const aside of this.#asides.values()) await aside.settle();
    for (const aside of this.#asides.values()) aside.checkLost();
    await this.#takeLate(leaves);
    if (leaves.length === 0) return { written: undefined, stayed: [] };
    if (this.#options.keepsOuts) return { written: { leaves }, stayed: [] };
    const stayed = await this.#removeMarked(new Map(marksOf(leaves)));
    return { written: { leaves }, stayed };
  }

  async isOurs(): Promise<boolean> {
    if (this.#isShared || await this.#lock?.isOurs() === false) return false;
    for (const aside of this.#asides.values()) {
      if (!await aside.isOurs()) return false;
    }
    return true;
  }

  async release(): Promise<void> {
    for (const aside of this.#asides.values()) {
      await aside.release().catch(() => {});
    }
    await this.#lock?.release().catch(() => {});
  }

  async #take(): Promise<void> {
    const { place, pattern } = this.#out;
    this.#lock = await Aside.at(this.#lockPlace, this.#options);
    for await (const { below, kind } of leavesOf(place, pattern)) {
      if (kind !== "file" && kind !== "link") continue;
      const aside = await this.#asideAt(below, this.#options);
      if (!aside) continue;
      this.#asides.set(below, aside);
      if (!this.#options.keepsOuts) await aside.move();
    }
  }

  /** Files that were not there before, and so were nobody's. */
  async #takeLate(leaves: Leaves): Promise<void> {
    const { place } = this.#out;
    const placesOf = () =>
      Array.from(leaves, ({ below }) => join(place, below));
    try {
      this.#lock ??= await Aside.at(this.#lockPlace);
      for (const { below } of leaves) {
        if (this.#asides.has(below)) continue;
        const aside = await this.#asideAt(below);
        if (aside) this.#asides.set(below, aside);
      }
      // Who has another pattern that means one of them.
      const aims = placesOf().map((place) => ({ place }));
      if (await userAhead(aims) === undefined) return;
      this.#isShared = true;
      await tellAhead(aims);
    } catch {
      this.#isShared = true;
      await share(placesOf());
    }
  }

  /** Removes what earlier runs have left; what is nobody's stays. */
  async #removeMarked(
    written: ReadonlyMap<string, string>,
  ): Promise<readonly string[]> {
    const { place } = this.#out;
    const marks = await readMarks(markedPlace(this.#out));
    const stayed: string[] = [];
    for (const below of this.#asides.keys()) {
      if (written.has(below)) continue;
      const leaf = leafAt(place, below);
      if (!leaf) continue;
      if (marks.get(below) === markOf(leaf.stamp)) {
        await unlink(join(place, below));
      } else {
        stayed.push(nameBelow(this.#out, below));
      }
    }
    await saveMarks(markedPlace(this.#out), written);
    return stayed;
  }

  /** A file may have the pattern's own name: its place is had already. */
  async #asideAt(
    below: string,
    options: AsideOptions = {},
  ): Promise<Aside | undefined> {
    const path = join(this.#out.place, below);
    return path === this.#lockPlace
      ? this.#lock
      : await Aside.at(path, options);
  }

  /** Tells the runs of one pattern of each other. */
  get #lockPlace(): string {
    return lockPlaceOf(this.#out);
  }
}
