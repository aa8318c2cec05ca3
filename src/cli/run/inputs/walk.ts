/**
 * Looks through folders for what counts of an input: the names of all there is,
 * what files hold and whether they may be executed, what links say and what
 * they lead to.
 *
 * @module
 */

import {
  type BigIntStats,
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";
import { cannotRead } from "../../cannot.ts";
import { NO_UTF8 } from "../../../flags/words.ts";
import { isOwnName } from "../aside_names.ts";
import { isErrno } from "../disk.ts";
import type { Pattern } from "../pattern.ts";
import type { Hashes } from "./hashes.ts";
import { type Listing, Obstacle } from "./listing.ts";

const EXECUTABLE = 0o100n;

/** Adds what it finds to a listing. */
export class Walk {
  readonly #listing: Listing;
  readonly #hashes: Hashes;
  /** The folders that have been looked through, and their names. */
  readonly #folders = new Map<string, string>();

  /** Hashes files with `hashes`. */
  constructor(listing: Listing, hashes: Hashes) {
    this.#listing = listing;
    this.#hashes = hashes;
  }

  /**
   * Adds a folder and all that is below it. Each is looked through once, also
   * where links lead to it: they may lead round and round.
   */
  async folder(name: string): Promise<void> {
    const info = reading(name, () => statSync(name, { bigint: true }));
    const id = `${info.dev} ${info.ino}`;
    const label = name.endsWith("/") ? name : `${name}/`;
    const earlier = this.#folders.get(id);
    if (earlier !== undefined) {
      return this.#listing.add(label, `the folder ${earlier}`);
    }
    this.#folders.set(id, label);
    this.#listing.add(label, "a folder");
    const path = reading(name, () => realpathSync(name));
    this.#listing.hold(name, path, info);
    for (const each of namesIn(name)) {
      await this.entry(`${label}${each}`, `${path}/${each}`);
    }
  }

  /**
   * Adds a file, a link and what it leads to, or a folder.
   *
   * @param name As the command would say it.
   * @param path Where it is.
   */
  async entry(name: string, path: string): Promise<void> {
    const info = reading(name, () => lstatSync(name, { bigint: true }));
    if (info.isDirectory()) return await this.folder(name);
    await this.#hashes.turn();
    this.#listing.hold(name, path, info);
    if (!info.isSymbolicLink()) {
      return this.#listing.add(name, await this.#what(name, info));
    }
    const link = `a link to ${reading(name, () => readlinkSync(name))}`;
    const target = targetOf(name);
    if (!target) return this.#listing.add(name, `${link}, nothing`);
    this.#listing.hold(name, realpathSync(name), target);
    const what = await this.#what(name, target);
    this.#listing.add(name, `${link}, ${what}`);
    if (target.isDirectory()) await this.folder(name);
  }

  /** Adds the files that a pattern means; links to folders lead nowhere. */
  async matching(pattern: Pattern): Promise<void> {
    const { base } = pattern;
    const info = targetOf(base);
    if (!info?.isDirectory()) return;
    const path = reading(base, () => realpathSync(base));
    const prefix = base === "." ? "" : base.endsWith("/") ? base : `${base}/`;
    await this.#below("", { pattern, prefix, path });
  }

  async #below(
    folder: string,
    at: { pattern: Pattern; prefix: string; path: string },
  ): Promise<void> {
    const { pattern, prefix, path } = at;
    for (const each of namesIn(`${prefix}${folder}` || ".")) {
      const below = `${folder}${each}`;
      const name = `${prefix}${below}`;
      await this.#hashes.turn();
      const info = reading(name, () => lstatSync(name));
      if (info.isDirectory()) {
        if (pattern.leadsInto(below)) await this.#below(`${below}/`, at);
      } else if (pattern.matches(below) && !targetOf(name)?.isDirectory()) {
        await this.entry(name, `${path}/${below}`);
      }
    }
  }

  async #what(name: string, info: BigIntStats): Promise<string> {
    if (info.isDirectory()) return "a folder";
    // Opening it could take for ever, and what it says is not in it.
    if (!info.isFile()) return "no file";
    const kind = info.mode & EXECUTABLE ? "program" : "file";
    try {
      return `${kind} ${await this.#hashes.of(name, info)}`;
    } catch (error) {
      throw cannotRead(name, error);
    }
  }
}

/**
 * In an order that is everywhere the same, and without what runs put there for
 * as long as they work.
 */
function namesIn(folder: string): string[] {
  const names = reading(folder, () => readdirSync(folder))
    .filter((name) => !isOwnName(name)).sort();
  const garbled = names.find((name) => name.includes(NO_UTF8));
  if (garbled === undefined) return names;
  throw new Obstacle(`the name of ${folder}/${garbled} is not UTF-8`);
}

/** What a path leads to; `undefined`: nothing. */
function targetOf(name: string): BigIntStats | undefined {
  try {
    return statSync(name, { bigint: true });
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw cannotRead(name, error);
  }
}

function reading<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw cannotRead(name, error);
  }
}
