/**
 * A file that stands where a command will write one, while the command runs: it
 * is moved to a name beside its place, and comes back if the command writes
 * none. Whoever dies meanwhile is cleaned up after by the next one.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LOCK, type Names, namesOf, placeIn } from "./aside_names.ts";
import { DISK, type Disk, isErrno } from "./disk.ts";
import { mergeLeft } from "./left.ts";
import { inFolder } from "./lent.ts";
import { idOf, thisOwner } from "./owner.ts";
import { giveBack, isTrusted, lineOf, takeLock, TAKING } from "./place_lock.ts";
import { whoHas } from "./lock_users.ts";
import { isStale, STAGING } from "./staging.ts";
import { isOver } from "./survivors.ts";

/** Who may do what with a folder. */
const PERMISSION_BITS = 0o777;

/** A place that is somebody else's. */
export class Busy extends Error {}

/** A place where a command writes, and what stood there. */
export class Aside {
  readonly #place: string;
  readonly #names: Names;
  readonly #line: string;
  readonly #disk: Disk;
  #isStuck = false;
  /** Where something was moved away, its folder. */
  #folder: string | undefined;
  #isLost = false;

  private constructor(place: string, line: string, disk: Disk) {
    this.#place = place;
    this.#names = namesOf(place);
    this.#line = line;
    this.#disk = disk;
  }

  /**
   * Takes a place; what a dead process has left there is put back first.
   *
   * @param place Its real path.
   * @param options The disk; and who is told that something was put back.
   * @returns `undefined`: its folder is not there.
   * @throws {Busy} Somebody else has it.
   * @throws It cannot be locked.
   */
  static async at(
    place: string,
    { disk = DISK, onRecovered = () => {} }: AsideOptions = {},
  ): Promise<Aside | undefined> {
    const line = `${await thisOwner()} ${basename(place)}`;
    const { lock } = namesOf(place);
    try {
      const other = await takeLock(lock, line, disk);
      if (other !== undefined) throw new Busy(await whoHas(lock, other));
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw error;
    }
    const aside = new Aside(place, line, disk);
    try {
      if (await aside.#recover()) onRecovered(place);
      return aside;
    } catch (error) {
      await aside.release();
      throw error;
    }
  }

  /**
   * Moves what is there away: a file or a link, and nothing else, unless it may
   * be a folder. Where there was one, the command finds an empty one.
   */
  async move({ mayBeFolder = false } = {}): Promise<void> {
    const info = await infoOf(this.#place);
    const isFolder = mayBeFolder && info?.isDirectory();
    if (!info?.isFile() && !info?.isSymbolicLink() && !isFolder) return;
    const folder = await idOf(dirname(this.#place));
    await this.#disk.rename(this.#place, this.#names.old);
    this.#folder = folder;
    if (isFolder) {
      await this.#disk.mkdir(this.#place, info!.mode & PERMISSION_BITS);
    }
  }

  /**
   * Ends what {@linkcode Aside.move} began: what stood there goes if something
   * was written, and else comes back. Of a folder, only what runs have put there
   * goes.
   *
   * @returns What was in the folder before, and is there again.
   */
  async settle(): Promise<readonly string[]> {
    this.#isStuck = true;
    await this.#follow();
    const stayed = await inFolder(dirname(this.#place), () => this.#settle());
    this.#isStuck = false;
    return stayed;
  }

  async #settle(): Promise<readonly string[]> {
    const { old, left } = this.#names;
    const was = await infoOf(old);
    if (!was) {
      this.#isLost = this.#folder !== undefined &&
        !await infoOf(this.#place) && await this.#isInFolder();
      return [];
    }
    if (!was.isDirectory()) {
      if (await infoOf(this.#place)) await this.#disk.unlink(old);
      else await this.#disk.rename(old, this.#place);
      return [];
    }
    const info = await infoOf(this.#place);
    if (info?.isSymbolicLink()) {
      // The command's own; what was in the folder is in nobody's way there.
      await this.#leave(old);
      return [];
    }
    if (!info?.isDirectory() || await this.#isEmpty()) {
      await this.#putBack();
      return [];
    }
    // From here on it goes forward, whoever dies.
    await this.#disk.rename(old, left);
    return await mergeLeft(this.#names, this.#place, this.#disk);
  }

  /** Throws if what stood there could not come back: the command has removed it. */
  checkLost(): void {
    if (!this.#isLost) return;
    const name = basename(this.#names.old);
    throw new Error(`the command has removed ${name}, which stood for it`);
  }

  /** Whether its folder is the one that it was. */
  async #isInFolder(): Promise<boolean> {
    return await idOf(dirname(this.#place)) === this.#folder;
  }

  /**
   * Where the command has given its folder another name beside it, what stood
   * there is in that, as if it had never been moved.
   */
  async #follow(): Promise<void> {
    if (this.#folder === undefined || await this.#isInFolder()) return;
    const around = dirname(dirname(this.#place));
    for (const name of await readdir(around).catch(() => [])) {
      if (await idOf(join(around, name)) !== this.#folder) continue;
      const place = join(around, name, basename(this.#place));
      const moved = new Aside(place, this.#line, this.#disk);
      if (await lineOf(moved.#names.lock) !== this.#line) continue;
      await moved.settle();
      return await moved.release();
    }
  }

  /** Whether nobody else has written there, as far as others tell. */
  async isOurs(): Promise<boolean> {
    return await lineOf(this.#names.shared) !== this.#line;
  }

  /** Lets go of the place. What could not be put back is left to the next one. */
  async release(): Promise<void> {
    if (this.#isStuck) return;
    await inFolder(dirname(this.#place), async () => {
      await giveBack(this.#names.lock, this.#line, this.#disk);
      // In this order: who comes later than the first sees that nobody is told.
      await giveBack(this.#names.shared, this.#line, this.#disk);
    });
  }

  /** Puts back what a dead process has left; whether there was anything. */
  async #recover(): Promise<boolean> {
    const { old, left, shared } = this.#names;
    if (await infoOf(shared)) await this.#disk.unlink(shared);
    const isLeft = await infoOf(left) !== undefined;
    if (!isLeft && !await infoOf(old)) return false;
    const found = isLeft ? left : old;
    if (!await isTrusted(found)) throw new Busy(`${found} is in the way`);
    this.#isStuck = true;
    if (isLeft) await mergeLeft(this.#names, this.#place, this.#disk);
    if (await infoOf(old)) await this.#putBack();
    this.#isStuck = false;
    return true;
  }

  /** Moves the old one to its place; what is there becomes the partial one. */
  async #putBack(): Promise<void> {
    const { old } = this.#names;
    const info = await infoOf(this.#place);
    if (info?.isDirectory() && await this.#isEmpty()) {
      await this.#disk.rmdir(this.#place);
    } else if (info) {
      await this.#leave(this.#place);
    }
    await this.#disk.rename(old, this.#place);
  }

  /** Leaves something beside the place, for people. */
  async #leave(path: string): Promise<void> {
    const { partial } = this.#names;
    const [info, before] = [await infoOf(path), await infoOf(partial)];
    if (before?.isDirectory() || info?.isDirectory()) {
      await rm(partial, { recursive: true, force: true });
    }
    await this.#disk.rename(path, partial);
  }

  async #isEmpty(): Promise<boolean> {
    return (await readdir(this.#place)).length === 0;
  }
}

/** What {@linkcode Aside.at} is given. */
export interface AsideOptions {
  /** The real one, unless a test has another. */
  readonly disk?: Disk;
  /** Is told of a place that has its file again. */
  readonly onRecovered?: (place: string) => void;
}

/**
 * Puts back what dead processes have left in a folder. Never fails: what cannot
 * be put back stays where it is, for the next one.
 */
export async function recoverFolder(
  folder: string,
  options: AsideOptions = {},
): Promise<void> {
  const { disk = DISK } = options;
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    try {
      if (name.startsWith(STAGING) && await isStale(path)) {
        await rm(path, { recursive: true, force: true });
        continue;
      }
      const line = name.endsWith(LOCK) || name.startsWith(TAKING)
        ? await lineOf(path)
        : undefined;
      if (line === undefined || !await isOver(line, folder)) continue;
      if (name.startsWith(TAKING)) {
        if (await takeLock(path, await thisOwner(), disk) === undefined) {
          await disk.unlink(path);
        }
        continue;
      }
      const place = join(folder, placeIn(line));
      // A link that only looks like one of ours.
      if (namesOf(place).lock !== path) continue;
      await (await Aside.at(place, options))?.release();
    } catch {
      // As above.
    }
  }
}

async function infoOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
