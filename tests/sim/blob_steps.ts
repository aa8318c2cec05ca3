/**
 * What the blob workers do, a system call at a time, on the simulated disk. It
 * follows `workers/blob_values.ts` and `workers/blob_staging.ts`: a `yield`
 * stands wherever those can be killed, or can fail, with something half-done.
 *
 * @module
 */

import {
  BlobError,
  type Measured,
  type Range,
  type Stored,
} from "../../src/blobs/blob_store.ts";
import type { Digest, Stamp } from "../../src/table/types.ts";
import {
  digestOf,
  sameStamp,
  type SimDisk,
  type SimFile,
  stampOf,
} from "./disk.ts";

/** An operation in its steps. */
export type Steps<T> = Generator<void, T, void>;

/** Files up to this are copied as they are captured; the real figure is 1 MiB. */
const COPY_BYTES = 100;
const IN_PLACE_TRIES = 2;
const VERIFY_TRIES = 3;
/** A time that no clock of a run shows: a later write moves away from it. */
const MARK_MS = 1;

type Regular = SimFile & { readonly bytes: Uint8Array };

export function* put(
  disk: SimDisk,
  { name, value, temporary }: {
    readonly name: string;
    readonly value: Uint8Array;
    readonly temporary: string;
  },
): Steps<Stored> {
  const file = disk.create(value.subarray(0, value.length >> 1));
  disk.temporary.set(temporary, file);
  let published = false;
  try {
    yield;
    disk.write(file, value);
    yield;
    disk.temporary.delete(temporary);
    disk.values.set(name, file);
    published = true;
    yield;
    return { digest: digestOf(value), stamp: stampOf(file) };
  } finally {
    if (!published) disk.temporary.delete(temporary);
  }
}

export function* readRange(
  disk: SimDisk,
  { name, range: { offset, length }, stamp }: {
    readonly name: string;
    readonly range: Range;
    readonly stamp: Stamp;
  },
): Steps<Uint8Array> {
  const file = regular(disk.values.get(name), name);
  if (!sameStamp(stamp, stampOf(file))) {
    throw new BlobError("damaged", `'${name}' is not what was verified`);
  }
  yield;
  return file.bytes.slice(offset, offset + length);
}

export function* append(
  disk: SimDisk,
  { staging, offset, value }: {
    readonly staging: string;
    readonly offset: number;
    readonly value: Uint8Array;
  },
): Steps<void> {
  const found = disk.captured.get(staging);
  const before = found?.bytes ?? new Uint8Array();
  if ((offset === 0) === (found !== undefined) || before.length !== offset) {
    throw new BlobError("failed", `'${staging}' is not what was written`);
  }
  const file = found ?? disk.create(before);
  disk.captured.set(staging, file);
  yield;
  const all = new Uint8Array(offset + value.length);
  all.set(before);
  all.set(value, offset);
  disk.write(file, all);
}

export function* read(
  disk: SimDisk,
  name: string,
  digest: Digest,
): Steps<Uint8Array> {
  const file = regular(disk.values.get(name), name);
  if (file.bytes.length !== digest.size) throw damaged(name);
  yield;
  const { bytes } = file;
  if (digestOf(bytes).sha256 !== digest.sha256) throw damaged(name);
  return bytes.slice();
}

export function* verify(
  disk: SimDisk,
  name: string,
  { digest, stamp }: { readonly digest?: Digest; readonly stamp?: Stamp },
): Steps<Stored> {
  for (let tries = 1;; tries++) {
    const file = regular(disk.values.get(name), name);
    const before = stampOf(file);
    if (digest && digest.size !== before.size) throw damaged(name);
    if (digest && stamp && sameStamp(stamp, before)) return { digest, stamp };
    yield;
    const found = digestOf(file.bytes);
    const after = stampOf(regular(disk.values.get(name), name));
    if (sameStamp(before, after)) {
      if (digest && digest.sha256 !== found.sha256) throw damaged(name);
      return { digest: found, stamp: before };
    }
    if (tries === VERIFY_TRIES) throw damaged(name);
  }
}

/** A removal, or the move to the quarantine: either way it is not there any more. */
export function* remove(disk: SimDisk, name: string): Steps<void> {
  disk.values.delete(name);
  yield;
}

export function* namespaces(disk: SimDisk): Steps<readonly string[]> {
  yield;
  const names = disk.values.keys().map((name) => name.split("/")[0] ?? "");
  return [...new Set(names)];
}

export function* measure(
  disk: SimDisk,
  name: string,
): Steps<Measured | undefined> {
  yield;
  const file = disk.values.get(name);
  if (!file?.bytes) return undefined;
  return { size: file.bytes.length, modifiedMs: file.changedMs };
}

export function* list(
  disk: SimDisk,
  namespace: string,
): Steps<readonly string[]> {
  yield;
  const prefix = `${namespace}/`;
  return [...disk.values.keys()].filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

export function* sweep(
  disk: SimDisk,
  { name, minAgeMs, wallMs }: {
    readonly name: string;
    readonly minAgeMs: number;
    readonly wallMs: () => number;
  },
): Steps<boolean> {
  const file = disk.values.get(name);
  if (!file || wallMs() - file.changedMs < minAgeMs) return false;
  disk.values.delete(name);
  yield;
  return true;
}

export function* probe(
  disk: SimDisk,
  staging: string,
  wallMs: () => number,
): Steps<number | undefined> {
  yield;
  const file = disk.staged.get(staging);
  const agoMs = file && wallMs() - file.changedMs;
  return agoMs !== undefined && agoMs >= 0 ? agoMs : undefined;
}

/** A file that was captured, and the stamp that proves it unchanged. */
export interface Hashed {
  readonly digest: Digest;
  readonly stamp: Stamp;
}

export function* capture(
  disk: SimDisk,
  staging: string,
  temporary: string,
): Steps<Hashed | undefined> {
  if (!disk.captured.has(staging)) {
    const file = disk.staged.get(staging);
    if (!file) throw missing(staging);
    disk.staged.delete(staging);
    disk.captured.set(staging, file);
  }
  yield;
  const file = captureOf(disk, staging);
  if (file.bytes.length > COPY_BYTES) return undefined;
  return yield* copyIn(disk, staging, temporary);
}

export function* hash(
  disk: SimDisk,
  staging: string,
  temporary: string,
): Steps<Hashed> {
  const { bytes: { length } } = captureOf(disk, staging);
  for (let tries = 0; length > COPY_BYTES && tries < IN_PLACE_TRIES; tries++) {
    const file = captureOf(disk, staging);
    file.changedMs = MARK_MS;
    const { bytes } = file;
    yield;
    const stamp = stampOf(captureOf(disk, staging));
    if (stamp.mtimeMs === MARK_MS && stamp.size === bytes.length) {
      return { digest: digestOf(bytes), stamp };
    }
  }
  return yield* copyIn(disk, staging, temporary);
}

export function* install(
  disk: SimDisk,
  { staging, name, stamp }: {
    readonly staging: string;
    readonly name: string;
    readonly stamp: Stamp | undefined;
  },
): Steps<Stamp> {
  const file = regular(disk.captured.get(staging), staging);
  const found = stampOf(file);
  if (stamp && !sameStamp(stamp, found)) throw damaged(staging);
  yield;
  disk.captured.delete(staging);
  disk.values.set(name, file);
  yield;
  return stamp ?? { ...found, mtimeMs: -1 };
}

export function* discard(disk: SimDisk, staging: string): Steps<void> {
  disk.staged.delete(staging);
  yield;
  disk.captured.delete(staging);
}

export function* leftovers(disk: SimDisk): Steps<{
  readonly staging: readonly string[];
  readonly captured: readonly string[];
}> {
  const staging = [...disk.staged.keys()];
  yield;
  return { staging, captured: [...disk.captured.keys()] };
}

export function* sweepPrivate(
  disk: SimDisk,
  writing: ReadonlySet<string>,
): Steps<void> {
  yield;
  for (const temporary of disk.temporary.keys()) {
    if (!writing.has(temporary)) disk.temporary.delete(temporary);
  }
}

/** Replaces a captured file by a copy that no client has open. */
function* copyIn(
  disk: SimDisk,
  staging: string,
  temporary: string,
): Steps<Hashed> {
  const source = captureOf(disk, staging);
  const copy = disk.create(new Uint8Array());
  disk.temporary.set(temporary, copy);
  try {
    yield;
    const bytes = source.bytes.slice();
    disk.write(copy, bytes);
    yield;
    disk.captured.set(staging, copy);
    return { digest: digestOf(bytes), stamp: stampOf(copy) };
  } finally {
    disk.temporary.delete(temporary);
  }
}

/** The captured file, which is removed if it is no regular one. */
function captureOf(disk: SimDisk, staging: string): Regular {
  const file = disk.captured.get(staging);
  if (file && !file.bytes) disk.captured.delete(staging);
  return regular(file, staging);
}

function regular(file: SimFile | undefined, name: string): Regular {
  if (!file) throw missing(name);
  if (!isRegular(file)) {
    throw new BlobError("not-a-file", `'${name}' is no regular file`);
  }
  return file;
}

function isRegular(file: SimFile): file is Regular {
  return file.bytes !== undefined;
}

function missing(name: string): BlobError {
  return new BlobError("missing", `There is no '${name}'`);
}

function damaged(name: string): BlobError {
  return new BlobError("damaged", `The bytes of '${name}' have changed`);
}
