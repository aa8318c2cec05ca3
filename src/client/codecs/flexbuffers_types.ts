/**
 * The numbers of the flexbuffers format, and the numbers of Rust in JavaScript.
 *
 * @module
 */

/** The name of the codec, in its errors. */
export const FLEXBUFFERS = "flexbuffers";

/** The types of values, as the format numbers them. */
export const Type = {
  NULL: 0,
  INT: 1,
  UINT: 2,
  FLOAT: 3,
  KEY: 4,
  STRING: 5,
  INDIRECT_INT: 6,
  INDIRECT_UINT: 7,
  INDIRECT_FLOAT: 8,
  MAP: 9,
  VECTOR: 10,
  /** Of INT; of UINT, FLOAT and KEY with the next three numbers. */
  VECTOR_INT: 11,
  VECTOR_KEY: 14,
  /** Two INTs; then two UINTs, two FLOATs, three INTs, … four FLOATs. */
  VECTOR_INT2: 16,
  VECTOR_FLOAT4: 24,
  BLOB: 25,
  BOOL: 26,
  VECTOR_BOOL: 36,
} as const;

/** A width as the format says it: the value takes `1 << width` bytes. */
export type Width = 0 | 1 | 2 | 3;

/** A number that is written as what it is called, whatever it looks like. */
export class Typed {
  /** How it is written. */
  readonly kind: "uint" | "float";
  /** The number. */
  readonly value: number | bigint;

  /** Use {@linkcode uint} or {@linkcode float}: they check the number. */
  constructor(kind: "uint" | "float", value: number | bigint) {
    this.kind = kind;
    this.value = value;
  }
}

/**
 * A number that Rust holds in a `u8`, `u16`, `u32`, `u64` or `usize`. Matters
 * in keys, where `5u32` and `5i32` are different bytes; in values Rust reads
 * either.
 *
 * @throws {RangeError} It is no whole number from 0 to 2^64 - 1, or an unsafe
 * one: above 2^53 say it as a bigint.
 */
export function uint(value: number | bigint): Typed {
  const whole = typeof value === "bigint" || Number.isSafeInteger(value);
  if (whole && BigInt.asUintN(64, BigInt(value)) === BigInt(value)) {
    return new Typed("uint", value);
  }
  throw new RangeError(`uint(${value}): not a whole number from 0 to 2^64 - 1`);
}

/**
 * A number that Rust holds in an `f64`; with `Math.fround`, in an `f32`.
 * Matters in keys, where `1.0f64` and `1i32` are different bytes; in values
 * Rust reads either.
 */
export function float(value: number): Typed {
  return new Typed("float", value);
}
