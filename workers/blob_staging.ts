/**
 * What the blob worker does with files that clients write.
 *
 * A client may still hold a file open when it says Done, and write to it
 * later; nothing on Linux that a confined process may use takes that right
 * away. So:
 *
 * - Up to 1 MiB the bytes are copied to a file of our own, which nobody else
 *   has ever opened: 0.1 to 1 ms buy certainty for nearly all values. It gets the
 *   mark, too, so that its first hand-out need not hash it again.
 * - A larger one stays in place, because copying 4 GiB costs the disk twice. It
 *   is made read-only and its mtime is set to a mark in the past *before* it
 *   is hashed. Every later write moves mtime away from the mark, whatever the
 *   clock's resolution, so "mtime is the mark" proves at the end of the
 *   hash, at the rename and at each hand-out that these are the bytes of the
 *   digest. (A writer through mmap can hide until its pages are written back;
 *   remote readers are safe from that too, since SHA-256 is checked on each read.)
 * - One that keeps changing, has several links or another owner is copied.
 *
 * @module
 */

import type { Digest, Hashed, OpOf, Results, Stamp } from "./blob_protocol.ts";
import type { Sha256 } from "./digest.ts";
import type { FileInfo, FileSystem, WritableFile } from "./file_system.ts";
import {
  changedMs,
  fileAt,
  fixMode,
  hashOpen,
  isHuge,
  lookAt,
  lookAtFile,
  OpenFile,
  OpError,
  sameStamp,
  stampOf,
  systemCode,
  VALUE_MODE,
  writeAll,
  writeSlice,
} from "./blob_files.ts";
import { type Capture, type Folders, isTemporaryOf } from "./blob_folders.ts";
import { removeAny } from "./removal.ts";
import { type Steps, wait } from "./blob_steps.ts";
import type { Written, WrittenFile } from "./written.ts";

/** A file that changes while it is hashed in place is copied after so many tries. */
const IN_PLACE_TRIES = 2;
/** How far back the mark lies: no clock steps back that far unnoticed. */
const MARK_AGE_S = 24 * 3600;

/** The time that a file is marked with now, in seconds. */
function markFor(fs: FileSystem): number {
  return Math.floor(fs.nowMs() / 1000) - MARK_AGE_S;
}

/** A file changed up to so much after now, where its time is cut to the second. */
const AHEAD_MS = 1000;

/** How long ago the staging file changed, as far as anybody knows. */
export function probe(
  folders: Folders,
  { staging }: OpOf<"probe">,
): number | undefined {
  const { fs } = folders;
  const info = lookAt(fs, folders.staged(staging));
  if (!info) return undefined;
  const agoMs = fs.nowMs() - changedMs(info);
  // The clock was set back: its client must not seem alive until it catches up.
  return agoMs < -AHEAD_MS ? undefined : Math.max(0, agoMs);
}

/** Takes the staging file away, then looks at it; hashes it if it is small. */
export function* capture(
  folders: Folders,
  { staging, mostBytes, again, first }: OpOf<"capture">,
): Steps<Results["capture"]> {
  const { fs } = folders;
  const captured = again
    ? there(folders, staging).path
    : take(folders, staging);
  const { taken, copied, kept } = folders.captures(staging);
  // It is new: what was captured before does not count any more, whatever it is.
  if (captured === taken && !first) {
    for (const before of [copied, kept]) yield* removeAny(folders, before);
  }
  const info = yield* regular(folders, captured);
  const { size } = info;
  if (size > mostBytes) {
    yield* giveBack(folders, { staging, captured });
    return { size, givenBack: true };
  }
  if (size <= fs.sizes.copyBytes) {
    const hashed = yield* copyIn(folders, { staging, captured, info });
    return { size, hashed };
  }
  // Opened in any case: what cannot be read is refused now, not after the reply.
  using file = yield* openCaptured(folders, { staging, captured, info });
  if (folders.keepCaptures) {
    yield* syncCaptured(folders, file);
    // A rename can be on the disk before the bytes are: only this one follows them.
    if (captured !== kept) fs.rename(captured, kept);
  }
  return { size, ...!isOurs(folders, info) && { isCopied: true } };
}

/** Hashes a captured file, and makes sure that it stays what was hashed. */
export function* hash(
  folders: Folders,
  written: Written,
  { staging, mostBytes }: OpOf<"hash">,
): Steps<Hashed> {
  const { fs } = folders;
  const captured = there(folders, staging).path;
  const info = yield* regular(folders, captured);
  const hashed = yield* hashWritten(folders, captured, written.take(staging));
  if (hashed) return hashed;
  if (isOurs(folders, info) && info.size > fs.sizes.copyBytes) {
    for (let tries = 0; tries < IN_PLACE_TRIES; tries += 1) {
      const now = lookAtFile(fs, captured);
      if (now.size > mostBytes) break;
      const hashed = yield* hashInPlace(folders, captured, now);
      if (hashed) return hashed;
    }
  }
  const now = yield* regular(folders, captured);
  return yield* copyIn(folders, { staging, captured, info: now }, mostBytes);
}

/** Whether nobody else may write to a file by who they are, or by another name. */
function isOurs({ uid }: Folders, info: FileInfo): boolean {
  return info.uid === uid && info.nlink === 1;
}

/** Renames a captured file to its final path. */
export function* install(
  folders: Folders,
  { staging, name, stamp, isCopy }: OpOf<"install">,
): Steps<Stamp> {
  const captured = there(folders, staging, isCopy);
  const found = stampOf(folders.fs, fileAt(captured.path, captured.info));
  if (stamp && !sameStamp(stamp, found)) {
    throw new OpError(
      "damaged",
      `'${captured.path}' changed after it was hashed`,
    );
  }
  const path = folders.value(name, { create: true });
  yield* folders.rename(captured.path, path);
  // Hashed before a restart: nobody knows what happened since, so this stamp
  // fits nothing and the bytes are verified before they are handed out.
  return stamp ?? { ...found, mtimeMs: -1 };
}

/** Adds bytes to a private file, which `hash` and `install` know as a capture. */
export function* append(
  folders: Folders,
  written: Written,
  { staging, offset, value }: OpOf<"append">,
): Steps<undefined> {
  const { fs } = folders;
  // A large piece before this one may be written in several turns.
  const place = written.enqueue(staging);
  while (!written.isFirst(staging, place)) yield;
  let known = written.upTo(staging, offset);
  let file = offset === 0 ? undefined : written.reopen(known);
  try {
    if (!file) {
      file = openToAppend(fs, folders.captures(staging).taken, offset);
      if (offset === 0) known = written.begin(staging, file.statSync().ino);
    }
    yield* writeAll(fs, file, value, known?.hash);
    if (!known) return undefined;
    known.size += value.length;
    written.keep(known, file);
    file = undefined;
    return undefined;
  } finally {
    written.leave(staging);
    file?.close();
  }
}

/** Opens a private file of so many bytes; the first piece makes it. */
function openToAppend(
  fs: FileSystem,
  path: string,
  offset: number,
): WritableFile {
  const found = offset === 0 ? undefined : lookAtFile(fs, path);
  // What lies there already is not ours to write to.
  const file = fs.append(path, found ? undefined : 0o600);
  const { ino, nlink, size } = file.statSync();
  if ((!found || ino === found.ino) && nlink === 1 && size === offset) {
    return file;
  }
  file.close();
  // No trouble of the disk: of two pieces on their way the first may have failed.
  throw new OpError("damaged", `'${path}' is not what was written so far`);
}

/** Removes a staging file and its capture. */
export function* discard(
  folders: Folders,
  written: Written,
  { staging }: OpOf<"discard">,
): Steps<undefined> {
  written.take(staging);
  const { taken, copied, kept } = folders.captures(staging);
  for (const path of [folders.staged(staging), taken, copied, kept]) {
    yield* removeAny(folders, path);
  }
  return undefined;
}

/**
 * What lies in the staging folder, unless that is too much to be listed, and
 * what has been captured.
 */
export function* leftovers(folders: Folders): Steps<Results["leftovers"]> {
  const { fs } = folders;
  const folder = folders.staging();
  const tooMany = isHuge(fs, folder);
  const staging = tooMany ? [] : yield* names(fs, folder);
  const captured = new Set<string>();
  for (const file of yield* names(fs, folders.private())) {
    const name = folders.capturedFrom(file);
    // A copy, and what it was made of, may both be there.
    if (name !== undefined) captured.add(name);
  }
  return { staging, captured: [...captured], ...tooMany && { tooMany } };
}

/** Removes private files that are neither captures that count nor being written. */
export function* sweepPrivate(
  folders: Folders,
  { pool, dead }: OpOf<"sweep-private">,
): Steps<undefined> {
  const { fs } = folders;
  const folder = folders.private();
  let failed: unknown;
  for (const file of yield* names(fs, folder)) {
    if (folders.capturedFrom(file) !== undefined) continue;
    const writing = isTemporaryOf(file, [pool]) && !isTemporaryOf(file, dead);
    try {
      if (!writing) yield* removeAny(folders, `${folder}/${file}`);
    } catch (error) {
      // The others go all the same.
      failed ??= error;
    }
  }
  if (failed !== undefined) throw failed;
  return undefined;
}

function* names(fs: FileSystem, folder: string): Steps<string[]> {
  const entries = yield* wait(fs.list(folder));
  return entries.map((entry) => entry.name);
}

/** Takes a file away from its client; where it lies then, or did already. */
function take(folders: Folders, staging: string): string {
  const { fs } = folders;
  const from = folders.staged(staging);
  const { taken } = folders.captures(staging);
  try {
    fs.rename(from, taken);
    return taken;
  } catch (error) {
    const before = systemCode(error) === "ENOENT"
      ? folders.captured(staging)
      : undefined;
    if (before) return before.path;
    // Renaming a folder needs write permission on the folder itself.
    if (isDenied(error) && lookAt(fs, from)?.isFile === false) {
      throw new OpError("not-a-file", `'${from}' is no regular file`);
    }
    throw error;
  }
}

/** What has been captured, which must be there. */
function there(folders: Folders, staging: string, isCopy?: boolean): Capture {
  const captured = folders.captured(staging, isCopy);
  if (captured) return captured;
  throw new OpError("missing", `'${staging}' has not been captured`);
}

/**
 * The captured file, which is removed if it is no regular one, or is not its
 * client's: where other users are served, one of ours that has a second name is
 * a file of the root's, to which somebody who may not read it has made a link.
 */
function* regular(folders: Folders, captured: string): Steps<FileInfo> {
  const { fs } = folders;
  const info = lookAt(fs, captured);
  if (!info) return lookAtFile(fs, captured);
  const isLinked = folders.isShared && info.uid === folders.uid &&
    info.nlink !== 1;
  if (info.isFile && !isLinked) return info;
  yield* putAway(folders, captured);
  throw info.isFile
    ? new OpError("linked", `'${captured}' was a link to a file of ours`)
    : new OpError("not-a-file", `'${captured}' was no regular file`);
}

/**
 * Removes what is not a client's file. What another user has made so that it
 * cannot be removed is set aside: the work goes on, and the disk is well.
 */
function* putAway(folders: Folders, path: string): Steps<void> {
  const { fs } = folders;
  try {
    yield* removeAny(folders, path);
  } catch (error) {
    if (!(error instanceof OpError) && !isDenied(error)) throw error;
    if (lookAt(fs, path)) fs.rename(path, folders.temporary());
  }
}

/** Whether an error is the doing of whoever owns a file. */
function isDenied(error: unknown): boolean {
  return ["EACCES", "EPERM", "EAGAIN"].includes(systemCode(error) ?? "");
}

/** What was hashed as it came; `undefined`: the file is not what was written. */
function* hashWritten(
  folders: Folders,
  captured: string,
  written: WrittenFile | undefined,
): Steps<Hashed | undefined> {
  if (!written) return undefined;
  const info = lookAtFile(folders.fs, captured);
  if (info.ino !== written.ino || info.size !== written.size) return undefined;
  return yield* hashInPlace(folders, captured, info, written.hash);
}

/**
 * Hashes a file of ours where it lies, unless its hash is known; `undefined`: it
 * changed meanwhile.
 */
function* hashInPlace(
  folders: Folders,
  captured: string,
  info: FileInfo,
  known?: Sha256,
): Steps<Hashed | undefined> {
  const { fs } = folders;
  using file = new OpenFile(fs, captured, info);
  const markS = markFor(fs);
  file.mark(markS);
  const { size } = file;
  if (folders.strict) yield* syncCaptured(folders, file);
  const digest = known
    ? { size: info.size, sha256: known.hex() }
    : yield* hashOpen(fs, file, size);
  const after = lookAtFile(fs, captured);
  const stamp = stampOf(fs, after);
  const unchanged = stamp.size === digest.size &&
    stamp.mtimeMs === markS * 1000 && after.nlink === 1;
  return unchanged ? { digest, stamp } : undefined;
}

/**
 * Puts a client's bytes on the disk. The kernel reports a write that failed
 * once and then takes the pages for clean: a second try would succeed, with
 * whatever bytes are left. So there is none, the client has to write again.
 */
function* syncCaptured(folders: Folders, file: OpenFile): Steps<void> {
  try {
    yield* wait(file.sync());
  } catch (error) {
    yield* removeAny(folders, file.path);
    throw error;
  }
}

/** A file that was taken away from its client. */
interface Captured {
  readonly staging: string;
  readonly captured: string;
  readonly info: FileInfo;
}

/**
 * Replaces a captured file by a copy that nobody but us has ever opened. The copy
 * gets a name of its own, for ext4 writes a file to the disk at once when another
 * one is renamed over: a multiple of what both names cost.
 */
function* copyIn(
  folders: Folders,
  file: Captured,
  mostBytes = Infinity,
): Steps<Hashed> {
  const { fs } = folders;
  const { staging, captured, info } = file;
  using source = yield* openCaptured(folders, file);
  const { copied, kept } = folders.captures(staging);
  const isKept = folders.keepCaptures || captured === kept;
  const target = isKept ? kept : copied;
  const temporary = folders.temporary();
  let replaced = false;
  try {
    using copy = fs.create(temporary, VALUE_MODE);
    // A file that grows for ever is cut where it was when we began.
    const digest: Digest = yield* hashOpen(
      fs,
      source,
      Math.min(info.size, mostBytes),
      (slice) => writeSlice(copy, slice),
    );
    const markS = markFor(fs);
    copy.utimeSync(markS, markS);
    const made = lookAtFile(fs, temporary);
    fixMode(fs, temporary, made);
    if (isKept) yield* wait(copy.sync());
    fs.rename(temporary, target);
    replaced = true;
    if (captured !== target) fs.remove(captured);
    return { digest, stamp: stampOf(fs, made) };
  } finally {
    if (!replaced) yield* removeAny(folders, temporary);
  }
}

/**
 * What may not be read goes back to its client, who can change that: its
 * permissions, or a lease on it (EAGAIN).
 */
function* openCaptured(
  folders: Folders,
  { staging, captured, info }: Captured,
): Steps<OpenFile> {
  try {
    return new OpenFile(folders.fs, captured, info);
  } catch (error) {
    if (!isDenied(error)) throw error;
    yield* giveBack(folders, { staging, captured });
    throw new OpError("unreadable", `'${captured}' may not be read`);
  }
}

/** Puts a file where its client left it, unless there is another by now. */
function* giveBack(
  folders: Folders,
  { staging, captured }: Omit<Captured, "info">,
): Steps<void> {
  const { fs } = folders;
  const staged = folders.staged(staging);
  if (lookAt(fs, staged)) yield* removeAny(folders, captured);
  else fs.rename(captured, staged);
}
