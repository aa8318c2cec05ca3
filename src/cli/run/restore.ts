/**
 * Puts back what a command did when it was run.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Writable } from "node:stream";
import { passOn } from "./pass_on.ts";
import { temporaryName, writeNewFile } from "../replace_file.ts";
import { ArchiveReader } from "./archive.ts";

/** Who may do what with a file; never whose rights it runs with. */
const PERMISSION_BITS = 0o777;

/**
 * Writes the files, then says what the command said. Nothing is touched before
 * all of it has come.
 *
 * @param pieces What is kept.
 * @param outs The files that may be written, as they were named.
 * @param folder An empty folder, for what is on its way.
 * @returns The command's exit code.
 */
export async function restore(
  pieces: AsyncIterable<Uint8Array>,
  outs: readonly string[],
  folder: string,
): Promise<number> {
  const reader = new ArchiveReader(pieces);
  const { exit_code, files, ...said } = await reader.header();
  const stdout = join(folder, "stdout");
  const stderr = join(folder, "stderr");
  await writeNewFile(stdout, reader.part(said.stdout));
  await writeNewFile(stderr, reader.part(said.stderr));
  const moves: { from: string; to: string }[] = [];
  try {
    for (const { path, mode, size } of files) {
      if (!outs.includes(path)) throw new Error(`${path} is no file of ours`);
      await mkdir(dirname(path), { recursive: true });
      const from = temporaryName(path);
      moves.push({ from, to: path });
      await writeNewFile(from, reader.part(size));
      await chmod(from, mode & PERMISSION_BITS);
    }
    for (const { from, to } of moves) await rename(from, to);
  } finally {
    for (const { from } of moves) await rm(from, { force: true });
  }
  await replay(stdout, process.stdout);
  await replay(stderr, process.stderr);
  return exit_code;
}

async function replay(path: string, to: Writable): Promise<void> {
  await passOn(createReadStream(path), to);
}
