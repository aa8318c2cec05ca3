/**
 * As much HPACK as it takes: literals without indexing are written, and what a
 * server sends is read, Huffman code included. Its dynamic table is not: clients
 * here announce a size of 0.
 *
 * @module
 */

import { bytes, join } from "./octets.ts";
import { decodeHuffman } from "./huffman.ts";

/** Names of the static table, from index 1 on. */
const NAMES = (":authority :method :method :path :path :scheme :scheme " +
  ":status :status :status :status :status :status :status accept-charset " +
  "accept-encoding accept-language accept-ranges accept " +
  "access-control-allow-origin age allow authorization cache-control " +
  "content-disposition content-encoding content-language content-length " +
  "content-location content-range content-type cookie date etag expect " +
  "expires from host if-match if-modified-since if-none-match if-range " +
  "if-unmodified-since last-modified link location max-forwards " +
  "proxy-authenticate proxy-authorization range referer refresh retry-after " +
  "server set-cookie strict-transport-security transfer-encoding user-agent " +
  "vary via www-authenticate").split(" ");
/** Values of the static table that replies use. */
const STATUS = new Map([
  [8, "200"],
  [9, "204"],
  [10, "206"],
  [11, "304"],
  [12, "400"],
  [13, "404"],
  [14, "500"],
]);

/** An integer with a prefix of `bits` bits below the pattern `first`. */
export function integer(
  value: number,
  bits: number,
  first: number,
): Uint8Array {
  const limit = 2 ** bits - 1;
  if (value < limit) return new Uint8Array([first | value]);
  const octets = [first | limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    octets.push((rest % 128) + 128);
  }
  octets.push(rest);
  return new Uint8Array(octets);
}

/** A string without Huffman code. */
export function text(value: string): Uint8Array {
  const content = bytes(value);
  return join(integer(content.length, 7, 0), content);
}

/** Literals without indexing, in their order, right or wrong. */
export function headerBlock(
  fields: readonly (readonly [string, string])[],
): Uint8Array {
  const literal = new Uint8Array([0]);
  return join(
    ...fields.flatMap(([name, value]) => [literal, text(name), text(value)]),
  );
}

/** Reads a header block of a server. */
export function readHeaderBlock(block: Uint8Array): Map<string, string> {
  const fields = new Map<string, string>();
  let at = 0;
  function number(bits: number): number {
    const limit = 2 ** bits - 1;
    let value = block[at++]! & limit;
    if (value < limit) return value;
    for (let factor = 1;; factor *= 128) {
      const octet = block[at++]!;
      value += (octet & 127) * factor;
      if (octet < 128) return value;
    }
  }
  function string(): string {
    const isHuffman = (block[at]! & 0x80) !== 0;
    const sizeBytes = number(7);
    const raw = block.subarray(at, at += sizeBytes);
    return new TextDecoder().decode(isHuffman ? decodeHuffman(raw) : raw);
  }
  function literal(bits: number): void {
    const index = number(bits);
    const name = index === 0 ? string() : NAMES[index - 1];
    fields.set(name ?? `dynamic ${index}`, string());
  }
  while (at < block.length) {
    const first = block[at]!;
    if (first & 0x80) {
      const index = number(7);
      const name = NAMES[index - 1] ?? `dynamic ${index}`;
      fields.set(name, STATUS.get(index) ?? "");
    } else if (first & 0x40) literal(6);
    else if (first & 0x20) number(5);
    else literal(4);
  }
  return fields;
}
