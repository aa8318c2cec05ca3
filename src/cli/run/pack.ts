/**
 * Writes archives, as a stream.
 *
 * @module
 */

import { createReadStream } from "node:fs";
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
  | { readonly name: string; readonly target: string };

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
  yield* readable;
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

function headerOf(entry: Entry): TarHeader {
  const { name } = entry;
  const common = { name, mtime: NO_TIME, uid: 0, gid: 0 };
  if ("target" in entry) {
    return { ...common, type: "symlink", linkname: entry.target, size: 0 };
  }
  return "bytes" in entry
    ? { ...common, type: "file", size: entry.bytes.length, mode: PRIVATE_FILE }
    : { ...common, type: "file", size: entry.size, mode: entry.mode };
}

async function* piecesOf(entry: Entry): AsyncGenerator<Uint8Array> {
  if ("bytes" in entry) yield entry.bytes;
  if (!("path" in entry)) return;
  const { path, size } = entry;
  let read = 0;
  const stream = createReadStream(path, { highWaterMark: PIECE_BYTES });
  for await (const piece of stream) {
    read += piece.length;
    if (read > size) break;
    yield new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
  }
  if (read !== size) throw new Error(`${path} changed while it was stored`);
}
