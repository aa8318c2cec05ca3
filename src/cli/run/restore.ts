/**
 * Puts back what a command did when it was run.
 *
 * @module
 */

import process from "node:process";
import type { Writable } from "node:stream";
import { messageOf } from "../../errors.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { say } from "../output.ts";
import { outsOf } from "./outs.ts";
import { passOn } from "./pass_on.ts";
import { Restoring } from "./restoring.ts";
import { type Scratch, Spool } from "./spool.ts";
import type { Unpacking } from "./unpack.ts";

/** How to restore. */
export interface RestoreOptions {
  /** The files that may be written, as they were named. */
  readonly outs: readonly string[];
  /** For what is on its way. */
  readonly scratch: Scratch;
  /** Is called when all has come, before anything is replaced; it may throw. */
  readonly before: () => Promise<void>;
  /** Is told of what is in the outs, and none of the command's. */
  readonly onStayed: (names: readonly string[]) => void;
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
  { outs: names, scratch, before, onStayed }: RestoreOptions,
): Promise<number> {
  const outs = await outsOf(names);
  await using stdout = new Spool(scratch);
  await using stderr = new Spool(scratch);
  const said = { stdout, stderr };
  await using incoming = new Restoring(names, outs, scratch);
  for await (const entry of kept.entries()) {
    if (entry.kind !== "said") {
      await incoming.take(entry);
      continue;
    }
    const spool = said[entry.name];
    for await (const piece of entry.pieces) await spool.write(piece);
    if (spool.failure) throw spool.failure;
  }
  await incoming.check();
  await before();
  onStayed(await incoming.put());
  const isSaid = await replay(stdout, process.stdout) &&
    await replay(stderr, process.stderr);
  return kept.exitCode === OK && !isSaid ? FAILED : kept.exitCode;
}

/** Whether it could be written. */
async function replay(spool: Spool, to: Writable): Promise<boolean> {
  const { failure } = await passOn(spool.read(), to);
  if (failure === undefined) return true;
  say(`cannot write what the command said: ${messageOf(failure)}`);
  return false;
}
