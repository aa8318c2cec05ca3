/**
 * What the blob worker does with published values.
 *
 * @module
 */

import type { Digest, Hashed, Measured, OpOf, Space } from "./blob_protocol.ts";
import { Sha256, sha256Hex } from "./digest.ts";
import {
  changedMs,
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
} from "./blob_files.ts";
import type { Folders } from "./blob_folders.ts";
import type { FileInfo } from "./file_system.ts";
import { removeAny } from "./removal.ts";
import { type Steps, wait } from "./blob_steps.ts";
import { isHex, isNamespace } from "./root_names.ts";

/** The quarantine is for a human to look at: the newest few are enough. */
const MAX_QUARANTINED = 64;
/** And they must not eat the disk. */
const MAX_QUARANTINED_BYTES = 1024 * 1024 * 1024;
/** A value that changes under a verification is looked at this often. */
const VERIFY_TRIES = 3;
/** What nearly all file systems give to files at a time. */
const USUAL_BLOCK_BYTES = 4096;

/** Writes a value to a file of its own and renames it to its name. */
export function* put(
  folders: Folders,
  { name, value }: OpOf<"put">,
): Steps<Hashed> {
  const { fs } = folders;
  const path = folders.value(name, { create: true });
  const temporary = folders.temporary();
  let published = false;
  try {
    const hash = new Sha256();
    using file = fs.create(temporary, VALUE_MODE);
    yield* writeAll(fs, file, value, hash);
    // By its name: Deno takes twice as long to look at a file that is open.
    const info = lookAtFile(fs, temporary);
    fixMode(fs, temporary, info);
    if (folders.strict) yield* wait(file.sync());
    const stamp = stampOf(fs, info);
    yield* folders.rename(temporary, path);
    published = true;
    return { digest: { size: value.length, sha256: hash.hex() }, stamp };
  } finally {
    if (!published) yield* removeAny(folders, temporary);
  }
}

/** Reads a value into a buffer of its own. */
export function* read(
  folders: Folders,
  { name, digest }: OpOf<"read">,
): Steps<Uint8Array> {
  const { fs } = folders;
  const path = folders.value(name);
  const info = lookAtFile(fs, path);
  if (info.size !== digest.size) throw wrongSize(path, info.size, digest);
  using file = new OpenFile(fs, path, info);
  const { sliceBytes, atOnceBytes } = fs.sizes;
  const value = new Uint8Array(digest.size);
  const hash = value.length > sliceBytes ? new Sha256() : undefined;
  let done = 0;
  while (done < value.length) {
    if (value.length > atOnceBytes) yield;
    const slice = value.subarray(done, done + sliceBytes);
    const count = file.read(slice);
    if (count < slice.length) throw wrongSize(path, done + count, digest);
    hash?.update(slice);
    done += count;
  }
  if ((hash ? hash.hex() : sha256Hex(value)) !== digest.sha256) {
    throw new OpError("damaged", `The bytes of '${path}' have changed`);
  }
  return value;
}

/** Reads a part of a value into a buffer of its own. */
export function readRange(
  folders: Folders,
  { name, offset, length, stamp }: OpOf<"read-range">,
): Uint8Array {
  const { fs } = folders;
  const path = folders.value(name);
  const info = lookAtFile(fs, path);
  if (!sameStamp(stamp, stampOf(fs, info))) {
    throw new OpError("damaged", `'${path}' is not what was verified`);
  }
  using file = new OpenFile(fs, path, info);
  const part = new Uint8Array(length);
  const count = file.readAt(part, offset);
  if (count < length) {
    throw new OpError("damaged", `'${path}' ends at byte ${offset + count}`);
  }
  return part;
}

/** How large a value is, and how old; `undefined`: there is none. */
export function measure(
  folders: Folders,
  { name }: OpOf<"measure">,
): Measured | undefined {
  const path = ownPath(folders, name);
  const info = path === undefined ? undefined : lookAt(folders.fs, path);
  if (!info?.isFile) return undefined;
  return { size: info.size, modifiedMs: info.mtime?.getTime() ?? 0 };
}

/** How much room the root's disk has. */
export function space(folders: Folders): Space {
  const { fs, root } = folders;
  // Of what has taken its place nothing is to be known.
  folders.checkRoot();
  const { bavail, blocks, bsize, ffree, files } = fs.space(root);
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    // Network file systems tell how much they like to move at a time.
    blockBytes: Math.min(bsize, USUAL_BLOCK_BYTES),
    // Where they are made as they are needed there are none, or more are free
    // than there are: btrfs, CephFS.
    ...files > 0 && ffree >= 0 && ffree <= files && { freeFiles: ffree },
  };
}

/** Hashes a value and compares; reads nothing where the stamp still fits. */
export function* verify(
  folders: Folders,
  { name, digest, stamp, sync }: OpOf<"verify">,
): Steps<Hashed> {
  const { fs } = folders;
  const path = folders.value(name);
  for (let tries = 1;; tries += 1) {
    const info = lookAtFile(fs, path);
    const before = stampOf(fs, info);
    if (digest && digest.size !== info.size) {
      throw wrongSize(path, info.size, digest);
    }
    if (digest && stamp && !stamp.young && sameStamp(stamp, before)) {
      return { digest, stamp };
    }
    using file = new OpenFile(fs, path, info);
    if (sync) yield* wait(file.sync());
    const found = yield* hashOpen(fs, file, info.size);
    if (sameStamp(before, stampOf(fs, lookAtFile(fs, path)))) {
      if (digest && found.sha256 !== digest.sha256) {
        throw new OpError("damaged", `The bytes of '${path}' have changed`);
      }
      return { digest: found, stamp: before };
    }
    if (tries === VERIFY_TRIES) {
      throw new OpError("damaged", `'${path}' keeps changing`);
    }
  }
}

/** Writes some bytes, as a put does, and removes them. */
export function* rehearse(
  folders: Folders,
  { bytes }: OpOf<"rehearse">,
): Steps<undefined> {
  const { fs } = folders;
  // A copy of it takes bytes, too, but nothing may be put there.
  folders.checkRoot();
  const temporary = folders.temporary();
  try {
    using file = fs.create(temporary, 0o600);
    yield* writeAll(fs, file, new Uint8Array(bytes));
    // Without it a file system may say only later that there is no room.
    yield* wait(file.sync());
  } finally {
    yield* removeAny(folders, temporary);
  }
  return undefined;
}

/** Deletes a value. What lies behind a folder that is not ours is not a value. */
export function* remove(
  folders: Folders,
  { name }: OpOf<"remove">,
): Steps<undefined> {
  const path = ownPath(folders, name);
  if (path) yield* removeAny(folders, path);
  return undefined;
}

/** Moves a damaged value out of the way, and lets the oldest such go. */
export function* quarantine(
  folders: Folders,
  { name }: OpOf<"quarantine">,
): Steps<undefined> {
  const { fs } = folders;
  const path = ownPath(folders, name);
  const info = path === undefined ? undefined : lookAt(fs, path);
  if (path === undefined || !info) return undefined;
  if (!info.isFile || info.size > MAX_QUARANTINED_BYTES) {
    yield* removeAny(folders, path);
    return undefined;
  }
  const folder = folders.quarantine();
  const target = `${folder}/${name.slice(-64)}-${crypto.randomUUID()}`;
  try {
    fs.rename(path, target);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    return undefined;
  }
  yield* trimQuarantine(folders, folder);
  return undefined;
}

function* trimQuarantine(folders: Folders, folder: string): Steps<void> {
  const { fs } = folders;
  // Folders are manifests that a user moved aside: they are not ours to remove.
  const entries = yield* wait(fs.list(folder));
  const values = entries.filter(({ isFile }) => isFile);
  const files = values.map(({ name }) => {
    const path = `${folder}/${name}`;
    return { path, info: lookAt(fs, path) };
  });
  const age = (info?: FileInfo) => info ? changedMs(info) : 0;
  files.sort((a, b) => age(b.info) - age(a.info));
  let bytes = 0;
  for (const [index, { path, info }] of files.entries()) {
    bytes += info?.size ?? 0;
    if (index >= MAX_QUARANTINED || bytes > MAX_QUARANTINED_BYTES) {
      yield* removeAny(folders, path);
    }
  }
}

/** The folders that may hold values; one of them may be empty. */
export function* namespaces(folders: Folders): Steps<readonly string[]> {
  const entries = yield* wait(folders.fs.list(folders.root));
  return entries.filter((entry) => entry.isDirectory && isNamespace(entry.name))
    .map((entry) => entry.name);
}

/** The digests in a namespace's folder, as one string; nothing of a huge one. */
export function* list(
  folders: Folders,
  { namespace }: OpOf<"list">,
): Steps<string> {
  const { fs } = folders;
  const path = folders.namespace(namespace);
  if (path === undefined || isHuge(fs, path)) return "";
  try {
    const entries = yield* wait(fs.list(path));
    return entries.map((entry) => entry.name).filter(isHex).join("");
  } catch (error) {
    // It was empty, and has been removed.
    if (systemCode(error) !== "ENOENT") throw error;
    return "";
  }
}

/** Removes a namespace's folder if nothing is in it. */
export function removeEmpty(
  folders: Folders,
  { namespace, ours }: OpOf<"remove-empty">,
): boolean {
  try {
    const path = folders.namespace(namespace);
    if (path === undefined || (ours && !folders.isOurs(path))) return false;
    folders.fs.remove(path);
    return true;
  } catch (error) {
    // It is not empty, a mount, or no folder of ours: it may stay.
    const mayStay = error instanceof OpError || systemCode(error) !== undefined;
    if (!mayStay) throw error;
    return false;
  }
}

/** Deletes a value unless it is young, or no file as Larder makes them. */
export function* sweep(
  folders: Folders,
  { name, minAgeMs }: OpOf<"sweep">,
): Steps<boolean> {
  const { fs } = folders;
  const path = ownPath(folders, name);
  const info = path === undefined ? undefined : lookAt(fs, path);
  if (path === undefined || !info?.isFile) return false;
  if (fs.nowMs() - changedMs(info) < minAgeMs) return false;
  return yield* removeAny(folders, path);
}

/** A value's path, or `undefined` where its folder is missing or not ours. */
function ownPath(folders: Folders, name: string): string | undefined {
  try {
    return folders.value(name);
  } catch (error) {
    const absent = error instanceof OpError && error.code !== "failed";
    if (!absent) throw error;
    return undefined;
  }
}

function wrongSize(path: string, size: number, digest: Digest): OpError {
  return new OpError(
    "damaged",
    `'${path}' has ${size} bytes, not ${digest.size}`,
  );
}
