/**
 * Reads flexbuffers, from anybody: every address is checked before it is
 * followed, and nothing may be read more often than it can honestly be there.
 *
 * @module
 */

import { CodecError } from "./codec.ts";
import { FLEXBUFFERS, Type } from "./flexbuffers_types.ts";
import { MAX_DEPTH } from "./plain_tree.ts";

/**
 * Reads one value.
 *
 * @throws {CodecError} The bytes are no flexbuffer, or one that Rust cannot
 * have written.
 */
export function readFlexbuffer(bytes: Uint8Array): unknown {
  return new Reader(bytes).root();
}

/** Something that ends before `end`: what a slot points to lies before it. */
interface Span {
  readonly address: number;
  /** Bytes of one element, and of the length in front of the first. */
  readonly width: number;
  readonly end: number;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Keys by address, and strings by theirs: they may be shared. */
  readonly #keys = new Map<number, string>();
  readonly #strings = new Map<number, string>();
  /**
   * Bytes that may still be read. Everything but a text is there once, so what
   * is read twice is a small buffer that means to become a large value.
   */
  #budget: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
    this.#budget = bytes.length;
  }

  root(): unknown {
    const end = this.#bytes.length - 2;
    if (end < 1) throw malformed("it is shorter than any");
    const width = byteWidth(this.#bytes[end + 1]!);
    return this.#value({
      at: this.#inside(end - width, width, end),
      width,
      packed: this.#bytes[end]!,
      depth: 0,
    });
  }

  /** The value of a slot: `packed` is its type, `width` the bytes it takes. */
  #value(
    { at, width, packed, depth }: {
      at: number;
      width: number;
      packed: number;
      depth: number;
    },
  ): unknown {
    if (depth > MAX_DEPTH) {
      // Rust writes and reads that; here it would exhaust the stack.
      throw new CodecError(
        FLEXBUFFERS,
        `the value is nested deeper than ${MAX_DEPTH}, which is not read here`,
      );
    }
    const type = packed >> 2;
    switch (type) {
      case Type.NULL:
        return null;
      case Type.BOOL:
        return this.#uint(at, width) != 0;
      case Type.INT:
        return this.#int(at, width);
      case Type.UINT:
        return this.#uint(at, width);
      case Type.FLOAT:
        // The npm library writes 32 bits into a place of 64.
        if (width === 1 << (packed & 3)) return this.#float(at, width);
        throw malformed("a float is not as wide as its place");
    }
    const span: Span = {
      address: this.#target(at, width),
      width: 1 << (packed & 3),
      end: at,
    };
    switch (type) {
      case Type.KEY:
        return this.#key(span.address, at);
      case Type.STRING:
        return this.#string(span);
      case Type.BLOB:
        return this.#blob(span);
      case Type.INDIRECT_INT:
        return this.#int(this.#element(span, 0), span.width);
      case Type.INDIRECT_UINT:
        return this.#uint(this.#element(span, 0), span.width);
      case Type.INDIRECT_FLOAT:
        return this.#float(this.#element(span, 0), span.width);
      case Type.MAP:
        return this.#map(span, depth);
      case Type.VECTOR:
        return this.#vector(span, depth);
    }
    return this.#typedVector(span, type, depth);
  }

  #vector(span: Span, depth: number): unknown[] {
    const length = this.#length(span);
    const types = this.#charge(span, length, length) + length * span.width;
    return Array.from({ length }, (_, at) =>
      this.#value({
        at: span.address + at * span.width,
        width: span.width,
        packed: this.#bytes[types + at]!,
        depth: depth + 1,
      }));
  }

  #typedVector(span: Span, type: number, depth: number): unknown[] {
    const fixed = type >= Type.VECTOR_INT2 && type <= Type.VECTOR_FLOAT4;
    const element = fixed
      ? Type.INT + (type - Type.VECTOR_INT2) % 3
      : type === Type.VECTOR_BOOL
      ? Type.BOOL
      : type - Type.VECTOR_INT + Type.INT;
    if (!fixed && element !== Type.BOOL && !isElement(element)) {
      throw malformed(`type ${type} is none that Rust writes`);
    }
    const length = fixed
      ? 2 + Math.floor((type - Type.VECTOR_INT2) / 3)
      : this.#length(span);
    this.#charge(span, length, 0);
    const packed = element << 2 | Math.log2(span.width);
    return Array.from({ length }, (_, at) =>
      this.#value({
        at: span.address + at * span.width,
        width: span.width,
        packed,
        depth: depth + 1,
      }));
  }

  /** No prototype: a key `__proto__` is a key like any other. */
  #map(span: Span, depth: number): Record<string, unknown> {
    const { address, width } = span;
    const values = this.#vector(span, depth);
    const slot = this.#inside(address - 3 * width, width, address);
    const keys: Span = {
      address: this.#target(slot, width),
      width: byteWidth(this.#size(address - 2 * width, width)),
      end: slot,
    };
    if (this.#length(keys) !== values.length) {
      throw malformed("a map has not as many keys as values");
    }
    const map: Record<string, unknown> = Object.create(null);
    values.forEach((value, index) => {
      const at = this.#element(keys, index);
      const key = this.#key(this.#target(at, keys.width), at);
      if (key in map) throw malformed(`a map has the key "${key}" twice`);
      map[key] = value;
    });
    return map;
  }

  #string(span: Span): string {
    const length = this.#length(span);
    const end = span.address + length;
    if (end >= span.end || this.#bytes[end] !== 0) {
      throw malformed("a string does not end where it should");
    }
    const known = this.#strings.get(span.address);
    if (known !== undefined) return known;
    const text = this.#text(span.address, end);
    this.#strings.set(span.address, text);
    return text;
  }

  #key(address: number, limit: number): string {
    // Before its end is looked for: a long key in many maps would cost each of
    // them its length.
    const known = this.#keys.get(address);
    if (known !== undefined) return known;
    const end = this.#bytes.indexOf(0, address);
    if (end < 0 || end >= limit) throw malformed("a key does not end");
    const text = this.#text(address, end);
    this.#keys.set(address, text);
    return text;
  }

  #text(address: number, end: number): string {
    this.#spend(end - address);
    try {
      return strictUtf8.decode(this.#bytes.subarray(address, end));
    } catch (cause) {
      throw malformed("a string is no UTF-8", { cause });
    }
  }

  /** A copy: the buffer may be somebody's pool. */
  #blob(span: Span): Uint8Array {
    const length = this.#length(span);
    this.#charge({ ...span, width: 1 }, length, 0);
    return new Uint8Array(
      this.#bytes.subarray(span.address, span.address + length),
    );
  }

  #length({ address, width }: Span): number {
    return this.#size(this.#inside(address - width, width, address), width);
  }

  /** Pays for the elements and what follows them; returns where they are. */
  #charge({ address, width, end }: Span, length: number, after: number) {
    if (length * width + after > end - address) {
      throw malformed("a length reaches past what points to it");
    }
    this.#spend(length * width + after);
    return address;
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) throw malformed("parts of it are shared");
  }

  #element({ address, width, end }: Span, index: number): number {
    return this.#inside(address + index * width, width, end);
  }

  /** What a slot points to: always backwards, at what was written before. */
  #target(at: number, width: number): number {
    const offset = this.#size(at, width);
    if (offset > at) throw malformed("an offset points out of it");
    return at - offset;
  }

  #inside(at: number, width: number, end: number): number {
    if (at < 0 || at + width > end) throw malformed("an address is out of it");
    return at;
  }

  #size(at: number, width: number): number {
    const size = this.#uint(at, width);
    if (typeof size === "bigint") throw malformed("a size is beyond 2^53");
    return size;
  }

  #uint(at: number, width: number): number | bigint {
    if (width === 1) return this.#view.getUint8(at);
    if (width === 2) return this.#view.getUint16(at, true);
    if (width === 4) return this.#view.getUint32(at, true);
    return smallest(this.#view.getBigUint64(at, true));
  }

  #int(at: number, width: number): number | bigint {
    if (width === 1) return this.#view.getInt8(at);
    if (width === 2) return this.#view.getInt16(at, true);
    if (width === 4) return this.#view.getInt32(at, true);
    return smallest(this.#view.getBigInt64(at, true));
  }

  #float(at: number, width: number): number {
    if (width === 4) return this.#view.getFloat32(at, true);
    if (width === 8) return this.#view.getFloat64(at, true);
    throw malformed("a float is narrower than 32 bits");
  }
}

/** `ignoreBOM` keeps a byte order mark, which is a character to Rust. */
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isElement(type: number): boolean {
  return type >= Type.INT && type <= Type.KEY;
}

function byteWidth(width: number): number {
  if (width === 1 || width === 2 || width === 4 || width === 8) return width;
  throw malformed(`${width} is no width`);
}

/** A number while it is exact, else a bigint. */
function smallest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function malformed(reason: string, options?: ErrorOptions): CodecError {
  return new CodecError(
    FLEXBUFFERS,
    `this is no flexbuffer of a Rust client: ${reason}`,
    options,
  );
}
