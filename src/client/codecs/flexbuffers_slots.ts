/**
 * Which values of JavaScript are which scalars of a flexbuffer.
 *
 * @module
 */

import type { Slot } from "./flexbuffers_buffer.ts";
import { Type, Typed, type Width } from "./flexbuffers_types.ts";

/** `null`, booleans and numbers; undefined for everything else. */
export function scalarSlot(value: unknown): Slot | undefined {
  switch (typeof value) {
    case "boolean":
      return { type: Type.BOOL, width: 0, value: value ? 1 : 0 };
    case "number":
      // -0 is a 0 to everybody who compares, so it makes the same key.
      return Number.isSafeInteger(value) ? intSlot(value) : floatSlot(value);
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return intSlot(value);
      if (BigInt.asUintN(64, value) === value) return uintSlot(value);
      return undefined;
  }
  if (value === null) return { type: Type.NULL, width: 0, value: 0 };
  if (!(value instanceof Typed)) return undefined;
  if (value.kind === "uint") return uintSlot(value.value);
  return floatSlot(Number(value.value));
}

/** How the elements of a typed array are written; undefined for other values. */
export function elementSlots(value: unknown): Slot[] | undefined {
  if (
    value instanceof Int8Array || value instanceof Int16Array ||
    value instanceof Int32Array
  ) return Array.from<number, Slot>(value, intSlot);
  if (value instanceof Uint16Array || value instanceof Uint32Array) {
    return Array.from<number, Slot>(value, uintSlot);
  }
  if (value instanceof Float32Array || value instanceof Float64Array) {
    return Array.from<number, Slot>(value, floatSlot);
  }
  if (value instanceof BigInt64Array) return Array.from(value, intSlot);
  if (value instanceof BigUint64Array) return Array.from(value, uintSlot);
  return undefined;
}

function intSlot(value: number | bigint): Slot {
  const width: Width = value >= -0x80 && value < 0x80
    ? 0
    : value >= -0x8000 && value < 0x8000
    ? 1
    : value >= -0x80000000 && value < 0x80000000
    ? 2
    : 3;
  return { type: Type.INT, width, value };
}

function uintSlot(value: number | bigint): Slot {
  const width: Width = value < 0x100
    ? 0
    : value < 0x10000
    ? 1
    : value < 0x100000000
    ? 2
    : 3;
  return { type: Type.UINT, width, value };
}

function floatSlot(value: number): Slot {
  // NaN is unequal to itself, so it takes 64 bits; as it does in Rust.
  const width = Math.fround(value) === value ? 2 : 3;
  return { type: Type.FLOAT, width, value };
}
