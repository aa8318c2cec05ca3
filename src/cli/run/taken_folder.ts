/**
 * An out that is a folder, while a command runs that is to find it empty.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { basename } from "node:path";
import { Aside, Busy } from "./aside.ts";
import { namesOf } from "./aside_names.ts";
import { Leaves } from "./leaves.ts";
import { markedPlace, nameBelow, type Out } from "./outs.ts";
import { saveMarks } from "./record.ts";
import { share, userInside } from "./share.ts";
import type { Result, Taken, TakeOptions } from "./taken.ts";
import { leavesOf, marksOf } from "./tree.ts";

/** The command has made a file in the folder's place. */
class FileThere extends Error {}

async function infoAt(place: string): Promise<Stats | undefined> {
  return await lstat(place).catch(() => undefined);
}

/** Of a file, when the folder that was there before is back in its place. */
function whereItIs(place: string): string {
  return `it is ${basename(namesOf(place).partial)} now, as the folder that ` +
    "was there is back";
}

/** Something else is there now, which the command has made. */
function noFolder({ name }: Out, info: Stats): Error {
  if (!info.isFile()) {
    const what = info.isSymbolicLink() ? "a link now" : "no file";
    return new Error(`${name} is ${what}, and no folder`);
  }
  const file = name.replace(/\/+$/, "");
  return new FileThere(`${file} is a file: write --out ${file}`);
}

/** The place of a folder. */
export class TakenFolder implements Taken {
  readonly #out: Out;
  readonly #keepsOuts: boolean;
  #aside: Aside | undefined;
  #isShared = false;

  private constructor(
    out: Out,
    { keepsOuts }: TakeOptions,
    aside: Aside | undefined,
  ) {
    this.#out = out;
    this.#keepsOuts = keepsOuts;
    this.#aside = aside;
  }

  /**
   * Takes it, and sets aside what stands there.
   *
   * @throws {Busy} Somebody else has it, or something in it.
   * @throws It cannot be set aside.
   */
  static async at(out: Out, options: TakeOptions): Promise<TakenFolder> {
    const { place } = out;
    const info = await lstat(place).catch(() => undefined);
    if (info && !info.isFile() && !info.isDirectory()) {
      throw new Error("it is neither a folder nor a file");
    }
    const aside = await Aside.at(place, options);
    const taken = new TakenFolder(out, options, aside);
    try {
      const user = await userInside(place);
      if (user !== undefined) throw new Busy(user);
      if (!options.keepsOuts) await aside?.move({ mayBeFolder: true });
      return taken;
    } catch (error) {
      await aside?.settle();
      await taken.release();
      throw error;
    }
  }

  async settle(): Promise<Result> {
    const { place } = this.#out;
    const leaves = new Leaves();
    let trouble: unknown;
    try {
      const info = await infoAt(place);
      if (info && !info.isDirectory()) throw noFolder(this.#out, info);
      for await (const leaf of leavesOf(place)) leaves.add(leaf);
    } catch (error) {
      trouble = error;
    }
    const stayed = await this.#aside?.settle() ?? [];
    this.#aside?.checkLost();
    if (trouble instanceof FileThere && (await infoAt(place))?.isDirectory()) {
      trouble = new Error(`${trouble.message}; ${whereItIs(place)}`);
    }
    const isWritten = leaves.length > 0;
    // Of what the command has found, nobody knows who has put it there.
    if (isWritten && !this.#keepsOuts) {
      await saveMarks(markedPlace(this.#out), marksOf(leaves));
    }
    await this.#takeLate();
    return {
      written: isWritten || trouble ? { leaves, trouble } : undefined,
      stayed: stayed.map((below) => nameBelow(this.#out, below)),
    };
  }

  async isOurs(): Promise<boolean> {
    return !this.#isShared && await this.#aside?.isOurs() !== false;
  }

  async release(): Promise<void> {
    await this.#aside?.release().catch(() => {});
  }

  /** Of a folder whose own folder was made by the command. */
  async #takeLate(): Promise<void> {
    try {
      this.#aside ??= await Aside.at(this.#out.place);
    } catch {
      this.#isShared = true;
      await share([this.#out.place]);
    }
  }
}
