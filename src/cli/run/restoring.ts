/**
 * The outs of a hit, on their way to their places.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { chmod, lstat, rename, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { writeNewFile } from "../replace_file.ts";
import { isErrno } from "./disk.ts";
import { isWritable, overwrite } from "./in_place.ts";
import { leadsInside } from "./inside.ts";
import { named } from "./named_failure.ts";
import { nameBelow, type Out } from "./outs.ts";
import { share } from "./share.ts";
import type { Scratch } from "./spool.ts";
import { Staging } from "./staging.ts";
import { TreeRestore } from "./tree_restore.ts";
import type { UnpackedOut } from "./unpack.ts";

/** Something that waits for its place. */
interface Move {
  readonly from: string;
  readonly to: string;
  readonly mode: number;
}

/** Takes what comes, and puts all of it into its place. */
export class Restoring implements AsyncDisposable {
  readonly #names: readonly string[];
  readonly #outs: readonly Out[];
  readonly #scratch: Scratch;
  readonly #files: Move[] = [];
  readonly #links: Move[] = [];
  readonly #trees = new Map<Out, TreeRestore>();
  /** By the folders in which the places are. */
  readonly #stagings = new Map<string, Staging>();

  /** What can come is `outs`. */
  constructor(
    names: readonly string[],
    outs: readonly Out[],
    scratch: Scratch,
  ) {
    this.#names = names;
    this.#outs = outs;
    this.#scratch = scratch;
  }

  /** Takes something that has come. */
  async take(entry: UnpackedOut): Promise<void> {
    const out = this.#outs[entry.index]!;
    const below = entry.below ?? "";
    if (entry.kind === "link") {
      const { target } = entry;
      const name = out.kind === "file" ? out.name : nameBelow(out, below);
      if (!await leadsInside(name, target, this.#names)) {
        throw new Error(`${name} would lead to no out here`);
      }
      if (out.kind === "file") await this.#takeLink(out, target);
      else (await this.#treeOf(out)).link(below, target);
    } else if (entry.kind === "folder") {
      (await this.#treeOf(out)).folder(below, entry.mode);
    } else if (out.kind === "file") {
      await this.#takeFile(out, entry);
    } else {
      await (await this.#treeOf(out)).file(below, entry);
    }
  }

  /** Throws if something stands where it cannot be replaced. */
  async check(): Promise<void> {
    for (const tree of this.#trees.values()) await tree.check();
  }

  /**
   * Puts it all into its place; links last: nothing is written through one that
   * was kept.
   *
   * @returns What is in the outs, and none of the command's.
   */
  async put(): Promise<readonly string[]> {
    const stayed: string[] = [];
    const moves = [...this.#files, ...this.#links];
    await share(moves.map(({ to }) => to));
    for (const [out, tree] of this.#trees) {
      await share([out.place, ...tree.used]);
      for (const below of await tree.put()) stayed.push(nameBelow(out, below));
    }
    for (const move of moves) await put(move);
    return stayed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const staging of this.#stagings.values()) {
      await staging[Symbol.asyncDispose]();
    }
    for (const tree of this.#trees.values()) {
      await tree[Symbol.asyncDispose]();
    }
  }

  async #treeOf(out: Out): Promise<TreeRestore> {
    const known = this.#trees.get(out);
    if (known) return known;
    const made = await TreeRestore.of(out);
    this.#trees.set(out, made);
    return made;
  }

  async #takeFile(
    { name, place }: Out,
    { mode, pieces }: Extract<UnpackedOut, { kind: "file" }>,
  ): Promise<void> {
    await checkReplaceable(name, place);
    const from = await this.#waitingPlace(place);
    this.#files.push({ from, to: place, mode });
    await named(name, () => writeNewFile(from, pieces));
    await chmod(from, mode);
  }

  async #takeLink({ name, path }: Out, target: string): Promise<void> {
    await checkReplaceable(name, path);
    const from = (await this.#stagingIn(dirname(path))).file();
    this.#links.push({ from, to: path, mode: 0 });
    await symlink(target, from);
  }

  /** Where a file can wait: beside its place, or elsewhere if it must stay. */
  async #waitingPlace(to: string): Promise<string> {
    try {
      return (await this.#stagingIn(dirname(to))).file();
    } catch (error) {
      if (!isErrno(error, ...FIXED) || !await isWritable(to)) throw error;
      return await this.#scratch.file();
    }
  }

  async #stagingIn(folder: string): Promise<Staging> {
    const known = this.#stagings.get(folder);
    if (known) return known;
    const made = await Staging.in(folder);
    this.#stagings.set(folder, made);
    return made;
  }
}

/** What a folder says that takes no new files, or a file that must stay. */
const FIXED = ["EACCES", "EPERM", "EROFS", "EBUSY", "EXDEV"] as const;

async function put({ from, to, mode }: Move): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, ...FIXED) || !await isWritable(to)) throw error;
    await named(to, () => overwrite(to, from, mode));
  }
}

/** Devices, pipes and folders stay what they are. */
async function checkReplaceable(name: string, path: string): Promise<void> {
  const info: Stats | undefined = await lstat(path).catch(() => undefined);
  if (info && !info.isFile() && !info.isSymbolicLink()) {
    throw new Error(`${name} is there, and is no file`);
  }
}
