/**
 * The files that a key depends on: their hashes, and whether they have changed
 * since.
 *
 * @module
 */

import type { BigIntStats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { Sha256 } from "../../../workers/digest.ts";

/**
 * A file that was changed so shortly before it was hashed may be changed again
 * with no other time in its inode: file systems count in up to 2 s.
 */
const SETTLED_MS = 2_000n;
const NS_PER_MS = 1_000_000n;

/** A file, as it was when it was hashed. */
export interface HashedFile {
  /** As it was named. */
  readonly name: string;
  /** Of what it held; `undefined`: there was none. */
  readonly sha256: string | undefined;
  /** Its inode; `undefined`: it may have changed without a trace in that. */
  readonly stamp: string | undefined;
  /** Whether it can be read once only: a pipe, as of `<(date)`. */
  readonly isPipe: boolean;
}

/**
 * Hashes a file.
 *
 * @throws It cannot be read.
 */
export async function hashFile(name: string): Promise<HashedFile> {
  const file = await open(name, "r");
  try {
    const before = await file.stat({ bigint: true });
    const startedMs = BigInt(Date.now());
    const sha256 = await hashOf(file);
    const isSettled = before.ctimeNs / NS_PER_MS + SETTLED_MS < startedMs;
    const stamp = stampOf(before);
    const isSame = stamp === stampOf(await file.stat({ bigint: true }));
    return {
      name,
      sha256,
      stamp: isSettled && isSame ? stamp : undefined,
      isPipe: !before.isFile(),
    };
  } finally {
    await file.close();
  }
}

/** Hashes a file that may be missing, or be none. */
export async function hashIfFile(name: string): Promise<HashedFile> {
  const info = await stat(name).catch(() => undefined);
  return info?.isFile()
    ? await hashFile(name)
    : { name, sha256: undefined, stamp: undefined, isPipe: false };
}

/**
 * The first of some files that holds something else than when it was hashed;
 * `undefined`: none does.
 */
export async function changedOf(
  files: readonly HashedFile[],
): Promise<HashedFile | undefined> {
  for (const file of files) if (await hasChanged(file)) return file;
  return undefined;
}

async function hasChanged(
  { name, sha256, stamp, isPipe }: HashedFile,
): Promise<boolean> {
  if (isPipe) return false;
  try {
    const now = stampOf(await stat(name, { bigint: true }));
    if (stamp !== undefined && stamp === now) return false;
    return (await hashFile(name)).sha256 !== sha256;
  } catch {
    // It is gone, or cannot be read any more.
    return sha256 !== undefined;
  }
}

/** What differs when a file is written, or another one takes its place. */
export function stampOf(info: BigIntStats): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = info;
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = new Sha256();
  const stream = file.createReadStream({ autoClose: false });
  for await (const piece of stream) hash.update(piece);
  return hash.hex();
}
