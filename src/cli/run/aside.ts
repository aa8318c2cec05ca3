/**
 * A file that stands where a command will write one, while the command runs: it
 * is moved to a name beside its place, and comes back if the command writes
 * none. Whoever dies meanwhile is cleaned up after by the next one.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { sha256Hex } from "../../../workers/digest.ts";
import { DISK, type Disk, isErrno } from "./disk.ts";
import { isDead, OWNER_WORDS, ownerOf, thisOwner } from "./owner.ts";
import { giveBack, isTrusted, lineOf, takeLock, TAKING } from "./place_lock.ts";

/** File systems take names of so many bytes. */
const MAX_NAME_BYTES = 255;
const LOCK = ".larder-lock";
/** The longest of what is added to a name. */
const ADDED = "..larder-partial";
const NAME_DIGITS = 32;

/** Whether a file of that name would be taken for one of ours. */
export function isOwnName(name: string): boolean {
  return /^\..*\.larder-(?:lock|old|partial|shared)$/s.test(name) ||
    name.startsWith(TAKING);
}

/** The names beside a place. */
interface Names {
  /** Who uses the place. */
  readonly lock: string;
  /** What was there before. */
  readonly old: string;
  /** What a command had written whose `larder run` was killed. */
  readonly partial: string;
  /** Somebody else has written to the place meanwhile. */
  readonly shared: string;
}

function namesOf(place: string): Names {
  const name = basename(place);
  const isLong = Buffer.byteLength(name) + ADDED.length > MAX_NAME_BYTES;
  const short = isLong ? sha256Hex(name).slice(0, NAME_DIGITS) : name;
  const base = join(dirname(place), `.${short}`);
  return {
    lock: `${base}${LOCK}`,
    old: `${base}.larder-old`,
    partial: `${base}.larder-partial`,
    shared: `${base}.larder-shared`,
  };
}

/** A place that is somebody else's. */
export class Busy extends Error {}

/** A place where a command writes, and what stood there. */
export class Aside {
  readonly #place: string;
  readonly #names: Names;
  readonly #line: string;
  readonly #disk: Disk;
  #isStuck = false;

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
      if (other !== undefined) throw new Busy(whoHas(lock, other));
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

  /** Moves what is there away: a file or a link, and nothing else. */
  async move(): Promise<void> {
    const info = await infoOf(this.#place);
    if (!info?.isFile() && !info?.isSymbolicLink()) return;
    await this.#disk.rename(this.#place, this.#names.old);
  }

  /**
   * Ends what {@linkcode Aside.move} began: what stood there goes if something
   * was written, and else comes back.
   */
  async settle(): Promise<void> {
    const { old } = this.#names;
    this.#isStuck = true;
    if (await infoOf(old)) {
      if (await infoOf(this.#place)) await this.#disk.unlink(old);
      else await this.#disk.rename(old, this.#place);
    }
    this.#isStuck = false;
  }

  /** Whether nobody else has written there, as far as others tell. */
  async isOurs(): Promise<boolean> {
    return await lineOf(this.#names.shared) !== this.#line;
  }

  /** Lets go of the place. What could not be put back is left to the next one. */
  async release(): Promise<void> {
    if (this.#isStuck) return;
    await giveBack(this.#names.lock, this.#line, this.#disk);
    // In this order: who comes later than the first sees that nobody is told.
    await giveBack(this.#names.shared, this.#line, this.#disk);
  }

  /** Puts back what a dead process has left; whether there was anything. */
  async #recover(): Promise<boolean> {
    const { old, partial, shared } = this.#names;
    if (await infoOf(shared)) await this.#disk.unlink(shared);
    if (!await infoOf(old)) return false;
    if (!await isTrusted(old)) throw new Busy(`${old} is in the way`);
    this.#isStuck = true;
    if (await infoOf(this.#place)) {
      await this.#disk.rename(this.#place, partial);
    }
    await this.#disk.rename(old, this.#place);
    this.#isStuck = false;
    return true;
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
 * Tells whoever uses a place that somebody else writes there now. Never fails:
 * it is a courtesy to the other.
 */
export async function share(place: string): Promise<void> {
  const { lock, shared } = namesOf(place);
  try {
    const other = await lineOf(lock);
    const isOwn = other?.startsWith(`${await thisOwner()} `);
    if (other === undefined || isOwn || await isDead(other)) return;
    const told = await lineOf(shared);
    if (told === other) return;
    // One who has let go of the place since.
    if (told !== undefined) await DISK.unlink(shared);
    await DISK.symlink(other, shared);
    if (await lineOf(lock) !== other) await giveBack(shared, other, DISK);
  } catch {
    // Another one tells it at the same time, or it cannot be told.
  }
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
      const line = name.endsWith(LOCK) || name.startsWith(TAKING)
        ? await lineOf(path)
        : undefined;
      if (line === undefined || !await isDead(line)) continue;
      if (name.startsWith(TAKING)) {
        if (await takeLock(path, await thisOwner(), disk) === undefined) {
          await disk.unlink(path);
        }
        continue;
      }
      const place = join(folder, nameIn(line));
      // A link that only looks like one of ours.
      if (namesOf(place).lock !== path) continue;
      await (await Aside.at(place, options))?.release();
    } catch {
      // As above.
    }
  }
}

/** The name of a place, which stands in the line of its lock after the owner. */
function nameIn(line: string): string {
  return line.split(" ").slice(OWNER_WORDS).join(" ");
}

function whoHas(lock: string, line: string): string {
  const { pid, host } = ownerOf(line);
  return line === ""
    ? `${lock} is in the way`
    : `larder run with process number ${pid} on ${host} uses it ` +
      `(if that is gone, remove ${lock})`;
}

async function infoOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
