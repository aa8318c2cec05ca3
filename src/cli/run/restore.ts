/**
 * Puts back what a command did when it was run.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { chmod, lstat, rename, rm, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import type { Writable } from "node:stream";
import { messageOf } from "../../errors.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { say } from "../output.ts";
import { temporaryName, writeNewFile } from "../replace_file.ts";
import { share } from "./aside.ts";
import { isErrno } from "./disk.ts";
import { isWritable, overwrite } from "./in_place.ts";
import { passOn } from "./pass_on.ts";
import { leadsToOut, outsOf } from "./places.ts";
import { type Scratch, Spool } from "./spool.ts";
import type { Unpacking } from "./unpack.ts";
import { makeFolder } from "../make_folder.ts";

/** How to restore. */
export interface RestoreOptions {
  /** The files that may be written, as they were named. */
  readonly outs: readonly string[];
  /** For what is on its way. */
  readonly scratch: Scratch;
  /** Is called when all has come, before anything is replaced; it may throw. */
  readonly before: () => Promise<void>;
}

/** Something that waits for its place. */
interface Move {
  readonly from: string;
  readonly to: string;
  readonly mode: number;
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
  { outs: names, scratch, before }: RestoreOptions,
): Promise<number> {
  const outs = await outsOf(names);
  await using stdout = new Spool(scratch);
  await using stderr = new Spool(scratch);
  const said = { stdout, stderr };
  const files: Move[] = [];
  const links: Move[] = [];
  try {
    for await (const entry of kept.entries()) {
      if (entry.kind === "said") {
        const spool = said[entry.name];
        for await (const piece of entry.pieces) await spool.write(piece);
        if (spool.failure) throw spool.failure;
        continue;
      }
      const { name, path, place } = outs[entry.index]!;
      const to = entry.kind === "link" ? path : place;
      await checkReplaceable(name, to);
      if (entry.kind === "file") {
        const { mode, pieces } = entry;
        const from = await waitingPlace(to, scratch);
        files.push({ from, to, mode });
        await writeNewFile(from, pieces);
        await chmod(from, mode);
      } else {
        if (!await leadsToOut(name, entry.target, names)) {
          throw new Error(`${name} would lead to no out here`);
        }
        await makeFolder(dirname(to));
        const from = temporaryName(to);
        links.push({ from, to, mode: 0 });
        await symlink(entry.target, from);
      }
    }
    await before();
    for (const move of [...files, ...links]) {
      await share(move.to);
      await put(move);
    }
  } finally {
    for (const { from } of [...files, ...links]) {
      await rm(from, { force: true });
    }
  }
  const isSaid = await replay(stdout, process.stdout) &&
    await replay(stderr, process.stderr);
  return kept.exitCode === OK && !isSaid ? FAILED : kept.exitCode;
}

/** What a folder says that takes no new files, or a file that must stay. */
const FIXED = ["EACCES", "EPERM", "EROFS", "EBUSY", "EXDEV"] as const;

/** Where a file can wait: beside its place, or elsewhere if it must stay. */
async function waitingPlace(to: string, scratch: Scratch): Promise<string> {
  const from = temporaryName(to);
  try {
    await makeFolder(dirname(to));
    await writeNewFile(from, []);
    await rm(from);
    return from;
  } catch (error) {
    if (!isErrno(error, ...FIXED) || !await isWritable(to)) throw error;
    return await scratch.file();
  }
}

async function put({ from, to, mode }: Move): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, ...FIXED) || !await isWritable(to)) throw error;
    await overwrite(to, from, mode);
  }
}

/** Devices, pipes and folders stay what they are. */
async function checkReplaceable(name: string, path: string): Promise<void> {
  const info: Stats | undefined = await lstat(path).catch(() => undefined);
  if (info && !info.isFile() && !info.isSymbolicLink()) {
    throw new Error(`${name} is there, and is no file`);
  }
}

/** Whether it could be written. */
async function replay(spool: Spool, to: Writable): Promise<boolean> {
  const { failure } = await passOn(spool.read(), to);
  if (failure === undefined) return true;
  say(`cannot write what the command said: ${messageOf(failure)}`);
  return false;
}
