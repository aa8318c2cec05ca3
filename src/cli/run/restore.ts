/**
 * Puts back what a command did when it was run.
 *
 * @module
 */

import { createReadStream, type Stats } from "node:fs";
import { chmod, lstat, mkdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Writable } from "node:stream";
import { temporaryName, writeNewFile } from "../replace_file.ts";
import { share } from "./aside.ts";
import { passOn } from "./pass_on.ts";
import { leadsToOut, outsOf } from "./places.ts";
import type { Unpacking } from "./unpack.ts";

/** How to restore. */
export interface RestoreOptions {
  /** The files that may be written, as they were named. */
  readonly outs: readonly string[];
  /** An empty folder, for what is on its way. */
  readonly folder: string;
  /** Is called when all has come, before anything is replaced; it may throw. */
  readonly before: () => Promise<void>;
}

/** Something that waits beside its place. */
interface Move {
  readonly from: string;
  readonly to: string;
}

/**
 * Writes the files, then says what the command said. Nothing is replaced before
 * all of it has come, and links are made last: nothing is written through one
 * that was kept.
 *
 * @returns The command's exit code.
 */
export async function restore(
  kept: Unpacking,
  { outs: names, folder, before }: RestoreOptions,
): Promise<number> {
  const outs = await outsOf(names);
  const files: Move[] = [];
  const links: Move[] = [];
  const waiting = (to: string, moves: Move[]) => {
    const from = temporaryName(to);
    moves.push({ from, to });
    return from;
  };
  try {
    for await (const entry of kept.entries()) {
      if (entry.kind === "said") {
        await writeNewFile(join(folder, entry.name), entry.pieces);
        continue;
      }
      const { name, path, place } = outs[entry.index]!;
      const to = entry.kind === "link" ? path : place;
      await mkdir(dirname(to), { recursive: true });
      await checkReplaceable(name, to);
      if (entry.kind === "file") {
        const from = waiting(to, files);
        await writeNewFile(from, entry.pieces);
        await chmod(from, entry.mode);
      } else {
        if (!await leadsToOut(name, entry.target, names)) {
          throw new Error(`${name} would lead to no out here`);
        }
        await symlink(entry.target, waiting(to, links));
      }
    }
    await before();
    for (const { from, to } of [...files, ...links]) {
      await share(to);
      await rename(from, to);
    }
  } finally {
    for (const { from } of [...files, ...links]) {
      await rm(from, { force: true });
    }
  }
  await replay(join(folder, "stdout"), process.stdout);
  await replay(join(folder, "stderr"), process.stderr);
  return kept.exitCode;
}

/** Devices, pipes and folders stay what they are. */
async function checkReplaceable(name: string, path: string): Promise<void> {
  const info: Stats | undefined = await lstat(path).catch(() => undefined);
  if (info && !info.isFile() && !info.isSymbolicLink()) {
    throw new Error(`${name} is there, and is no file`);
  }
}

async function replay(path: string, to: Writable): Promise<void> {
  await passOn(createReadStream(path), to);
}
