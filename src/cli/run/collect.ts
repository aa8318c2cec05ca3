/**
 * What a command has written, for the archive.
 *
 * @module
 */

import { statSync } from "node:fs";
import { lstat, stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { outEntry } from "./archive.ts";
import { isOwnName } from "./aside_names.ts";
import { leadsInside } from "./inside.ts";
import { stampOf } from "./inputs/stamp.ts";
import { nameBelow, type Out, turnedOf } from "./outs.ts";
import type { Entry } from "./pack.ts";
import { linkAt } from "./places.ts";
import type { Written } from "./taken.ts";
import { FILES_A_TURN, type Leaf } from "./tree.ts";

/** What was found, and how to find out whether it is still the same. */
export interface Collected {
  /** The outs that are there, one after the other. */
  entries(): Iterable<Entry>;
  /** Throws if one of the files was written meanwhile. */
  check(): Promise<void>;
}

/** Who may do what with a file; never whose rights it runs with. */
const PERMISSION_BITS = 0o777;

/**
 * Looks at the outs.
 *
 * @param outs As they stood before the command was run.
 * @param written What it has written of them.
 * @param mayMiss Whether some need not be there: the command has failed.
 * @throws One is missing, or cannot be kept.
 */
export async function collect(
  outs: readonly Out[],
  written: ReadonlyMap<Out, Written>,
  { mayMiss }: { readonly mayMiss: boolean },
): Promise<Collected> {
  const found = new Found(outs);
  await found.checkFolders();
  for (const [index, out] of outs.entries()) {
    const result = written.get(out);
    if (!result) {
      if (mayMiss) continue;
      throw new Error(`${out.name} was not written`);
    }
    if (result.trouble !== undefined) throw result.trouble;
    if (out.kind === "file") await found.addFile(index, { mayMiss });
    else await found.addTree(index, result.leaves);
  }
  return found;
}

/** An entry, and what tells its file from one that was written later. */
interface Stamped {
  readonly entry: Entry;
  readonly stamp?: string;
}

/** What is found, as it is. There may be 100,000 files: each is named when its turn comes. */
class Found implements Collected {
  readonly #parts: Iterable<Stamped>[] = [];
  readonly #outs: readonly Out[];
  readonly #names: readonly string[];

  constructor(outs: readonly Out[]) {
    this.#outs = outs;
    this.#names = outs.map(({ name }) => name);
  }

  async addFile(
    index: number,
    { mayMiss }: { readonly mayMiss: boolean },
  ): Promise<void> {
    const out = this.#outs[index]!;
    const name = outEntry(index);
    const link = await linkAt(out.path);
    if (link !== undefined && link.id !== out.link) {
      const { target } = link;
      await this.#checkLink(out.name, target);
      this.#parts.push([{ entry: { name, target } }]);
      return;
    }
    const info = await stat(out.path, { bigint: true }).catch(() => undefined);
    if (!info && mayMiss) return;
    if (info?.isDirectory()) {
      throw new Error(`${out.name} is a folder: write --out ${out.name}/`);
    }
    if (!info?.isFile()) {
      throw new Error(`${out.name} ${info ? "is no file" : "was not written"}`);
    }
    const mode = Number(info.mode) & PERMISSION_BITS;
    const size = Number(info.size);
    const entry = { name, path: out.path, size, mode };
    this.#parts.push([{ entry, stamp: stampOf(info) }]);
  }

  async addTree(index: number, leaves: Iterable<Leaf>): Promise<void> {
    const out = this.#outs[index]!;
    for (const { below, kind, target } of leaves) {
      const called = nameBelow(out, below);
      if (below.split("/").some(isOwnName)) {
        throw new Error(`${called} is that of another larder run`);
      } else if (target !== undefined) {
        await this.#checkLink(called, target);
      } else if (kind === "other") {
        throw new Error(`${called} is no file`);
      }
    }
    if (!out.pattern) {
      const { mode } = await lstat(out.place);
      const folderMode = mode & PERMISSION_BITS;
      this.#parts.push([{
        entry: { name: `${outEntry(index)}/`, folderMode },
      }]);
    }
    const entries = () => treeEntries(index, out, leaves);
    this.#parts.push({ [Symbol.iterator]: entries });
  }

  async checkFolders(): Promise<void> {
    const name = await turnedOf(this.#outs);
    if (name === undefined) return;
    throw new Error(`the folder of ${name} is another one than at the start`);
  }

  *entries(): Generator<Entry> {
    for (const { entry } of this.#all()) yield entry;
  }

  async check(): Promise<void> {
    await this.checkFolders();
    let count = 0;
    for (const { entry, stamp } of this.#all()) {
      if (++count % FILES_A_TURN === 0) await setImmediate();
      if (stamp === undefined || !("path" in entry)) continue;
      if (stampOf(statSync(entry.path, { bigint: true })) !== stamp) {
        throw new Error(`${entry.path} changed while it was stored`);
      }
    }
  }

  *#all(): Generator<Stamped> {
    for (const part of this.#parts) yield* part;
  }

  async #checkLink(called: string, target: string): Promise<void> {
    if (await leadsInside(called, target, this.#names)) return;
    throw new Error(
      `${called} is a link to ${target}; only relative ones that stay inside ` +
        "the outs are kept",
    );
  }
}

function* treeEntries(
  index: number,
  { place }: Out,
  leaves: Iterable<Leaf>,
): Generator<Stamped> {
  for (const { below, kind, mode, size, stamp, target } of leaves) {
    const name = outEntry(index, below);
    if (kind === "folder") {
      yield { entry: { name: `${name}/`, folderMode: mode } };
    } else if (target !== undefined) {
      yield { entry: { name, target } };
    } else {
      yield { entry: { name, path: join(place, below), size, mode }, stamp };
    }
  }
}
