/**
 * Writes archives, as a stream.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createReadStream, readFileSync } from "node:fs";
import {
  BLOCK_BYTES,
  paddingOf,
  type TarEntry,
  tarHeader,
} from "./tar_header.ts";

/** An entry to be written. */
export type Entry =
  | { readonly name: string; readonly bytes: Uint8Array }
  | {
    readonly name: string;
    /** Where its bytes lie. */
    readonly path: string;
    /** So many of them. */
    readonly size: number;
    readonly mode: number;
  }
  | { readonly name: string; readonly target: string }
  | { readonly name: string; readonly folderMode: number };

/** What tells that nothing follows. */
const END_BYTES = 2 * BLOCK_BYTES;
const PIECE_BYTES = 256 * 1024;
/** Not worth copying. */
const LARGE_BYTES = 64 * 1024;
const PRIVATE_FILE = 0o600;

/**
 * An archive, piece by piece. What is made of many files is never a whole in
 * memory.
 *
 * @param entries What it holds, in this order.
 * @throws A file cannot be read, or has another size by now.
 */
export function pack(
  entries: Iterable<Entry>,
): AsyncGenerator<Uint8Array, void, undefined> {
  return gathered(blocksOf(entries));
}

async function* blocksOf(
  entries: Iterable<Entry>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const entry of entries) {
    const header = headerOf(entry);
    yield tarHeader(header);
    if (!header.size) continue;
    yield* piecesOf(entry);
    const padding = paddingOf(header.size);
    if (padding > 0) yield new Uint8Array(padding);
  }
  yield new Uint8Array(END_BYTES);
}

/**
 * How long an archive will be, in bytes; or less, for names that do not fit into
 * a header.
 */
export function packedSize(entries: Iterable<Entry>): number {
  let size = END_BYTES;
  for (const entry of entries) {
    const { size: held = 0 } = headerOf(entry);
    size += BLOCK_BYTES + held + paddingOf(held);
  }
  return size;
}

/** Pieces of a decent size: most entries are small, and so are their pieces. */
async function* gathered(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    const isLarge = piece.length >= LARGE_BYTES;
    if (bytes > 0 && (isLarge || bytes + piece.length > PIECE_BYTES)) {
      yield Buffer.concat(waiting);
      waiting = [];
      bytes = 0;
    }
    if (isLarge) {
      yield piece;
    } else {
      waiting.push(piece);
      bytes += piece.length;
    }
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

function headerOf(entry: Entry): TarEntry {
  const { name } = entry;
  if ("target" in entry) return { name, type: "link", target: entry.target };
  if ("folderMode" in entry) {
    return { name, type: "folder", mode: entry.folderMode };
  }
  return "bytes" in entry
    ? { name, type: "file", size: entry.bytes.length, mode: PRIVATE_FILE }
    : { name, type: "file", size: entry.size, mode: entry.mode };
}

async function* piecesOf(entry: Entry): AsyncGenerator<Uint8Array> {
  if ("bytes" in entry) yield entry.bytes;
  if (!("path" in entry)) return;
  const { path, size } = entry;
  if (size <= PIECE_BYTES) {
    // A stream of its own would cost each of 100,000 files more than reading it.
    const bytes = readFileSync(path);
    if (bytes.length !== size) throw changed(path);
    if (size > 0) yield bytes;
    return;
  }
  let read = 0;
  const stream = createReadStream(path, { highWaterMark: PIECE_BYTES });
  for await (const piece of stream) {
    read += piece.length;
    if (read > size) break;
    yield new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
  }
  if (read !== size) throw changed(path);
}

function changed(path: string): Error {
  return new Error(`${path} changed while it was stored`);
}
