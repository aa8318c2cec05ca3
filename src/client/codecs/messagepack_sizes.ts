/**
 * Looks over MessagePack before the library reads it: the library makes an
 * array as long as a header claims before it looks for what is in it, so a few
 * bytes of nested headers could take all the memory there is. Nor does it bound
 * the depth of what it reads.
 *
 * @module
 */

import { MAX_DEPTH, tooDeep } from "./plain_tree.ts";

/** Bytes of the length after each head from 0xc4 on, or of the number there. */
const LENGTH_BYTES: Record<number, number> = {
  ...{ 0xc4: 1, 0xc5: 2, 0xc6: 4 }, // bytes
  ...{ 0xd9: 1, 0xda: 2, 0xdb: 4 }, // strings
  ...{ 0xc7: 1, 0xc8: 2, 0xc9: 4 }, // extensions, and a byte of type
  ...{ 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4 }, // arrays, maps
};
/** Bytes after the heads of what has a fixed size. */
const FIXED_BYTES: Record<number, number> = {
  ...{ 0xca: 4, 0xcb: 8 }, // floats
  ...{ 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8, 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8 },
  ...{ 0xd4: 2, 0xd5: 3, 0xd6: 5, 0xd7: 9, 0xd8: 17 }, // extensions
};

/**
 * Throws when more values are claimed than there are bytes for (each takes one
 * at least), or when they are nested deeper than this codec writes.
 *
 * @throws {RangeError} The bytes end too soon, or are nested too deep.
 */
export function checkSizes(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let awaited = 1;
  /** Of the awaited values, those in each array or map that we are in. */
  const nested = [1];
  while (awaited > 0) {
    if (awaited > bytes.length - at) throw new RangeError("it ends too soon");
    while (nested.at(-1) === 0) nested.pop();
    nested[nested.length - 1]!--;
    awaited--;
    const head = bytes[at++]!;
    let inside = 0;
    if (head < 0x80 || head >= 0xe0) continue; // a small number
    if (head < 0x90) inside = 2 * (head & 15);
    else if (head < 0xa0) inside = head & 15;
    else if (head < 0xc0) at += head & 31;
    else if (LENGTH_BYTES[head] === undefined) at += FIXED_BYTES[head] ?? 0;
    else {
      const size = readLength(view, at, LENGTH_BYTES[head]);
      at += LENGTH_BYTES[head];
      if (head >= 0xdc) inside = head < 0xde ? size : 2 * size;
      else at += size + (head >= 0xc7 && head <= 0xc9 ? 1 : 0);
    }
    if (inside === 0) continue;
    awaited += inside;
    if (nested.push(inside) > MAX_DEPTH + 1) throw tooDeep();
  }
}

function readLength(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  return bytes === 2 ? view.getUint16(at) : view.getUint32(at);
}
