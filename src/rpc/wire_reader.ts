/**
 * Reads a protobuf message field by field, and refuses what is not whole and
 * well-formed.
 *
 * @module
 */

import { latin1 } from "../latin1.ts";
import type { Id } from "../table/types.ts";
import { malformed } from "./malformed.ts";
import { decimal } from "./uint64.ts";

/** A varint: numbers and booleans. */
const VARINT = 0;
/** A length, then so many bytes. */
const LENGTH = 2;
const FIXED64 = 1, FIXED32 = 5;

/** A uint64 takes ten bytes of seven bits; the last one carries one bit. */
const MAX_VARINT_BYTES = 10;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Goes through a message once. Fields that are not known are skipped, of one
 * that comes twice the last counts, as ever.
 */
export class WireReader {
  /** The number of the field that {@linkcode next} has found. */
  field = 0;
  readonly #bytes: Uint8Array;
  #wire = 0;
  #at = 0;

  /** Reads a whole message. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Goes to the next field; `false`: that was all. */
  next(): boolean {
    const start = this.#at;
    if (start === this.#bytes.length) return false;
    const tag = this.#varint();
    if (tag === undefined || tag >= 2 ** 32) {
      throw malformed(`bad tag at byte ${start}`);
    }
    this.#wire = tag & 7;
    this.field = tag >>> 3;
    if (this.field === 0) throw malformed(`field 0 at byte ${start}`);
    return true;
  }

  /** A uint64, in decimal. */
  uint64(): Id {
    this.#expect(VARINT);
    // Ten times seven bits in three parts that 32-bit arithmetic can hold.
    const bytes = this.#bytes;
    let at = this.#at;
    const parts = [0, 0, 0];
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      if (i === MAX_VARINT_BYTES - 1 && byte > 1) break;
      parts[i >> 2]! |= (byte & 0x7f) << (7 * (i & 3));
      if (byte < 0x80) {
        this.#at = at;
        return decimal(parts[0]!, parts[1]!, parts[2]!);
      }
    }
    throw this.#cutShort();
  }

  /** A boolean: any number but 0 is true. */
  bool(): boolean {
    this.#expect(VARINT);
    const value = this.#varint();
    if (value === undefined) throw this.#cutShort();
    return value !== 0;
  }

  /** Bytes, as a view into the message. */
  bytes(): Uint8Array {
    const start = this.#length();
    return this.#bytes.subarray(start, this.#at);
  }

  /** Text. */
  string(): string {
    const start = this.#length();
    const bytes = this.#bytes;
    let at = start;
    // Namespaces are ASCII: nearly everything is decided here.
    while (at < this.#at && bytes[at]! < 0x80) at++;
    if (at === this.#at) return latin1(bytes, start, at);
    try {
      return utf8.decode(bytes.subarray(start, this.#at));
    } catch {
      throw malformed(`field ${this.field} is no UTF-8`);
    }
  }

  /** Passes by a field that is not known. */
  skip(): void {
    switch (this.#wire) {
      case VARINT:
        if (this.#varint() === undefined) throw this.#cutShort();
        return;
      case FIXED64:
        return this.#pass(8);
      case FIXED32:
        return this.#pass(4);
      case LENGTH:
        return void this.#length();
      default:
        throw this.#wrongType();
    }
  }

  #pass(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#bytes.length) {
      throw malformed("the last field is cut short");
    }
  }

  /** Passes by what a length tells of; where that begins. */
  #length(): number {
    this.#expect(LENGTH);
    const length = this.#varint();
    const start = this.#at;
    const end = start + (length ?? Infinity);
    if (end > this.#bytes.length) throw this.#cutShort();
    this.#at = end;
    return start;
  }

  /** Not exact above 2^53; `undefined`: there is none. */
  #varint(): number | undefined {
    const bytes = this.#bytes;
    const first = bytes[this.#at++];
    if (first === undefined || first < 0x80) return first;
    let value = first & 0x7f;
    for (let i = 1; i < MAX_VARINT_BYTES; i++) {
      const byte = bytes[this.#at++];
      if (byte === undefined) return undefined;
      if (i === MAX_VARINT_BYTES - 1 && byte > 1) return undefined;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return undefined;
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) throw this.#wrongType();
  }

  #wrongType(): Error {
    return malformed(`field ${this.field} has wire type ${this.#wire}`);
  }

  #cutShort(): Error {
    return malformed(`field ${this.field} is cut short`);
  }
}
