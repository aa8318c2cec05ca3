/**
 * Puts the files of a folder or a pattern into their places: all of them wait
 * beside these until the last one has come, and then each is moved as a whole.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { writeNewFile } from "../replace_file.ts";
import { makeFolder, openFolder, permit } from "../make_folder.ts";
import { isErrno } from "./disk.ts";
import { stampOf } from "./inputs/stamp.ts";
import { named } from "./named_failure.ts";
import { markedPlace, nameBelow, type Out } from "./outs.ts";
import { markOf, readMarks, saveMarks } from "./record.ts";
import { Staging } from "./staging.ts";
import { Standing } from "./standing.ts";
import { FILES_A_TURN } from "./tree.ts";

/** Larger files are written as they come. */
const AT_ONCE_BYTES = 256 * 1024;
const OWNER_BITS = 0o700;

/** A file on its way. */
export interface Incoming {
  readonly mode: number;
  readonly size: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** An out of many files on its way. */
export class TreeRestore implements AsyncDisposable {
  readonly #out: Out;
  readonly #staging: Staging;
  /** Whether its place was made for it. */
  readonly #isMade: boolean;
  readonly #folders = new Map<string, number>();
  readonly #files = new Set<string>();
  readonly #links = new Map<string, string>();
  #standing: Standing | undefined;

  private constructor(out: Out, staging: Staging, isMade: boolean) {
    this.#out = out;
    this.#staging = staging;
    this.#isMade = isMade;
  }

  /** Makes room for it. */
  static async of(out: Out): Promise<TreeRestore> {
    const isThere = lstatSync(out.place, { throwIfNoEntry: false });
    if (isThere && !isThere.isDirectory()) {
      throw new Error(`${out.name} is there, and is no folder`);
    }
    return new TreeRestore(out, await Staging.in(out.place), !isThere);
  }

  /** A folder has come. */
  folder(below: string, mode: number): void {
    this.#folders.set(below, mode);
    if (below === "") return;
    const path = this.#waiting(below);
    mkdirSync(path, OWNER_BITS);
    permit(path, OWNER_BITS);
  }

  /** A file has come. */
  async file(below: string, { mode, size, pieces }: Incoming): Promise<void> {
    const path = this.#waiting(below);
    if (this.#out.pattern) await makeFolder(dirname(path));
    await named(nameBelow(this.#out, below), async () => {
      if (size > AT_ONCE_BYTES) return await writeNewFile(path, pieces);
      const whole: Uint8Array[] = [];
      for await (const piece of pieces) whole.push(piece);
      writeFileSync(path, Buffer.concat(whole), { flag: "wx" });
    });
    chmodSync(path, mode);
    this.#files.add(below);
  }

  /** A link has come. */
  link(below: string, target: string): void {
    this.#links.set(below, target);
  }

  /**
   * Looks at what stands there.
   *
   * @throws Something does that nobody has recorded to be one of a run, and that
   * cannot stay.
   */
  async check(): Promise<void> {
    const { place, pattern } = this.#out;
    const marks = await readMarks(markedPlace(this.#out));
    this.#standing = await Standing.at(place, { pattern, marks });
    const folders = new Set(this.#folders.keys());
    const others = [...this.#files, ...this.#links.keys()];
    for (const below of others) {
      for (let at = dirname(below); at !== "."; at = dirname(at)) {
        folders.add(at);
      }
    }
    const wrong = this.#standing.inTheWay({ folders, others });
    if (wrong === undefined) return;
    const { below, what } = wrong;
    throw new Error(
      `${nameBelow(this.#out, below)} is there, and is ${what}`,
    );
  }

  /** The places in it that runs use. */
  get used(): readonly string[] {
    return this.#standing!.used;
  }

  /**
   * Moves everything to its place, and removes what earlier runs have put there.
   *
   * @returns What was there, and stays.
   */
  async put(): Promise<readonly string[]> {
    const { place } = this.#out;
    const isNew = (below: string) =>
      this.#files.has(below) || this.#links.has(below);
    const { own, others } = this.#standing!;
    await removeAll(place, own.filter((below) => !isNew(below)));
    const marks = new Map<string, string>();
    for (const [below] of this.#folders) await makeOpen(join(place, below));
    let count = 0;
    for (const below of this.#files) {
      if (++count % FILES_A_TURN === 0) await setImmediate();
      if (this.#out.pattern) await makeFolder(dirname(join(place, below)));
      marks.set(below, await this.#move(below));
    }
    // Last: nothing is written through one of them.
    for (const [below, target] of this.#links) {
      if (this.#out.pattern) await makeFolder(dirname(join(place, below)));
      const path = this.#waiting(below);
      if (this.#out.pattern) await makeFolder(dirname(path));
      symlinkSync(target, path);
      marks.set(below, await this.#move(below));
    }
    for (const [below, mode] of [...this.#folders].reverse()) {
      permit(join(place, below), mode);
    }
    await saveMarks(markedPlace(this.#out), marks);
    return others.filter((below) => !isNew(below));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#staging[Symbol.asyncDispose]();
    // Made for nothing; what was there may be the working folder.
    if (this.#isMade) await rmdir(this.#out.place).catch(() => {});
  }

  #waiting(below: string): string {
    return join(this.#staging.path, below);
  }

  /** Moves a file; its mark. */
  async #move(below: string): Promise<string> {
    const from = this.#waiting(below);
    const to = join(this.#out.place, below);
    const mark = markOf(stampOf(lstatSync(from, { bigint: true })));
    try {
      renameSync(from, to);
    } catch (error) {
      if (!isErrno(error, "EISDIR")) throw error;
      // An empty one, or it would have been in the way.
      await rmdir(to);
      renameSync(from, to);
    }
    return mark;
  }
}

/** A folder that can be written to, for now. */
async function makeOpen(path: string): Promise<void> {
  await makeFolder(path);
  await openFolder(path);
}

/** Removes files, and the folders in which nothing is then. */
async function removeAll(
  place: string,
  names: readonly string[],
): Promise<void> {
  const emptied = new Set<string>();
  for (const below of names) {
    await makeOpen(dirname(join(place, below)));
    await unlink(join(place, below));
    for (let at = dirname(below); at !== "."; at = dirname(at)) emptied.add(at);
  }
  // The deepest first.
  for (const below of [...emptied].sort().reverse()) {
    await rmdir(join(place, below)).catch(() => {});
  }
}
