/**
 * The bytes of a flexbuffer as they grow.
 *
 * @module
 */

import { Type, type Width } from "./flexbuffers_types.ts";

/**
 * A value that waits for its place in a vector: a number that will stand there
 * itself, or the address of what is written already.
 */
export interface Slot {
  readonly type: number;
  /** Of the number, or of the elements at the address. */
  readonly width: Width;
  /** The number, or the address. */
  readonly value: number | bigint;
}

/** Do values of this type stand in the vector itself? */
export function isInline(type: number): boolean {
  return type <= Type.FLOAT || type === Type.BOOL;
}

/** The width that a count or an address needs. */
export function widthOf(size: number): Width {
  return size < 0x100 ? 0 : size < 0x10000 ? 1 : size < 0x100000000 ? 2 : 3;
}

/** Appends to bytes that grow. */
export class GrowingBuffer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  /** Bytes so far: the address of what comes next. */
  length = 0;

  /** Pads with zeros until a value of this width may stand here. */
  align(width: Width): void {
    const odd = this.length % (1 << width);
    if (odd > 0) this.#grow((1 << width) - odd);
  }

  append(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  byte(value: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  /** A count or an offset. */
  size(value: number, width: Width): void {
    this.slot({ type: Type.UINT, width, value }, width);
  }

  /** A slot in a vector of this width; an address becomes an offset back. */
  slot({ type, value }: Slot, width: Width): void {
    const at = this.#grow(1 << width);
    if (type === Type.FLOAT) {
      if (width === 2) this.#view.setFloat32(at, Number(value), true);
      else this.#view.setFloat64(at, Number(value), true);
      return;
    }
    const bits = isInline(type) ? value : at - Number(value);
    // Two's complement: what is signed has the same bits as what is not.
    if (width === 0) this.#view.setUint8(at, Number(bits));
    else if (width === 1) this.#view.setUint16(at, Number(bits), true);
    else if (width === 2) this.#view.setUint32(at, Number(bits), true);
    else this.#view.setBigInt64(at, BigInt(bits), true);
  }

  /** A copy of what has been written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  /** Makes room and returns its address; what is new is zero. */
  #grow(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, at * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
