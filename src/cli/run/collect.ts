/**
 * What a command has written, for the archive.
 *
 * @module
 */

import type { BigIntStats } from "node:fs";
import { lstat, stat } from "node:fs/promises";
import { join } from "node:path";
import { outEntry } from "./archive.ts";
import { isOwnName } from "./aside_names.ts";
import { leadsInside } from "./inside.ts";
import { stampOf } from "./inputs/stamp.ts";
import { nameBelow, type Out } from "./outs.ts";
import type { Entry } from "./pack.ts";
import { linkAt } from "./places.ts";
import type { Written } from "./taken.ts";
import type { Leaf } from "./tree.ts";

/** What was found, and how to find out whether it is still the same. */
export interface Collected {
  /** The outs that are there. */
  readonly entries: readonly Entry[];
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
  for (const [index, out] of outs.entries()) {
    const result = written.get(out);
    if (!result) {
      if (mayMiss) continue;
      throw new Error(`${out.name} was not written`);
    }
    if (out.kind === "file") await found.addFile(index, { mayMiss });
    else await found.addTree(index, result.leaves);
  }
  return found;
}

/** What is found, as it is. */
class Found implements Collected {
  readonly entries: Entry[] = [];
  readonly #outs: readonly Out[];
  readonly #names: readonly string[];
  readonly #stamps = new Map<string, string>();

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
      return await this.#addLink(name, out.name, link.target);
    }
    const info = await stat(out.path, { bigint: true }).catch(() => undefined);
    if (!info && mayMiss) return;
    if (info?.isDirectory()) {
      throw new Error(`${out.name} is a folder: write --out ${out.name}/`);
    }
    if (!info?.isFile()) {
      throw new Error(`${out.name} ${info ? "is no file" : "was not written"}`);
    }
    this.#add(name, out.path, info);
  }

  async addTree(index: number, leaves: readonly Leaf[]): Promise<void> {
    const out = this.#outs[index]!;
    if (!out.pattern) {
      const { mode } = await lstat(out.place);
      this.entries.push({
        name: `${outEntry(index)}/`,
        folderMode: mode & PERMISSION_BITS,
      });
    }
    for (const { below, info, target } of leaves) {
      const name = outEntry(index, below);
      const called = nameBelow(out, below);
      if (below.split("/").some(isOwnName)) {
        throw new Error(`${called} is that of another larder run`);
      } else if (info.isDirectory()) {
        const folderMode = Number(info.mode) & PERMISSION_BITS;
        this.entries.push({ name: `${name}/`, folderMode });
      } else if (target !== undefined) {
        await this.#addLink(name, called, target);
      } else if (info.isFile()) {
        this.#add(name, join(out.place, below), info);
      } else {
        throw new Error(`${called} is no file`);
      }
    }
  }

  async check(): Promise<void> {
    for (const [path, stamp] of this.#stamps) {
      if (stampOf(await stat(path, { bigint: true })) !== stamp) {
        throw new Error(`${path} changed while it was stored`);
      }
    }
  }

  #add(name: string, path: string, info: BigIntStats): void {
    this.#stamps.set(path, stampOf(info));
    const mode = Number(info.mode) & PERMISSION_BITS;
    this.entries.push({ name, path, size: Number(info.size), mode });
  }

  async #addLink(name: string, called: string, target: string): Promise<void> {
    if (await leadsInside(called, target, this.#names)) {
      this.entries.push({ name, target });
      return;
    }
    throw new Error(
      `${called} is a link to ${target}; only relative ones that stay inside ` +
        "the outs are kept",
    );
  }
}
