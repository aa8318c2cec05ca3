/**
 * Writes archives, as a stream.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createReadStream, readFileSync } from "node:fs";
import { createTarPacker, type TarHeader } from "modern-tar";

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

const PIECE_BYTES = 256 * 1024;
const PRIVATE_FILE = 0o600;
/** The same things have the same bytes, whenever they are packed. */
const NO_TIME = new Date(0);

/**
 * An archive, piece by piece. What is made of many files is never a whole in
 * memory.
 *
 * @param entries What it holds, in this order.
 * @throws A file cannot be read, or has another size by now.
 */
export async function* pack(
  entries: Iterable<Entry>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { readable, controller } = createTarPacker();
  const written = writeAll();
  // Reading it fails, too.
  written.catch((error) => controller.error(error));
  yield* gathered(readable);
  await written;

  async function writeAll(): Promise<void> {
    for (const entry of entries) {
      const writer = controller.add(headerOf(entry)).getWriter();
      for await (const piece of piecesOf(entry)) await writer.write(piece);
      await writer.close();
    }
    controller.finalize();
  }
}

/** Pieces of a decent size: most entries are small, and so are their pieces. */
async function* gathered(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

function headerOf(entry: Entry): TarHeader {
  const { name } = entry;
  const common = { name, mtime: NO_TIME, uid: 0, gid: 0 };
  if ("target" in entry) {
    return { ...common, type: "symlink", linkname: entry.target, size: 0 };
  }
  if ("folderMode" in entry) {
    return { ...common, type: "directory", size: 0, mode: entry.folderMode };
  }
  return "bytes" in entry
    ? { ...common, type: "file", size: entry.bytes.length, mode: PRIVATE_FILE }
    : { ...common, type: "file", size: entry.size, mode: entry.mode };
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
