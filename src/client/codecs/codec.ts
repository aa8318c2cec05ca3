/**
 * What turns values into bytes and back.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";

/**
 * A codec: how values of a cache are written and read.
 *
 * Use {@linkcode codec} to make one of your own; it sees to the errors.
 */
export interface Codec<T> {
  /** Names the codec in errors: `json`. */
  readonly name: string;
  /**
   * The value as bytes. They belong to the caller, but may share memory with
   * the value; a codec keeps neither.
   *
   * @throws {CodecError} The value is not one that this codec gives back as it
   * is.
   */
  encode(value: T): Uint8Array;
  /**
   * The value that some bytes stand for: all of it or an error, never a part.
   *
   * @throws {CodecError} The bytes are not what this codec writes.
   */
  decode(bytes: Uint8Array): T;
}

/** A value that cannot be written, or bytes that cannot be read. */
export class CodecError extends TypeError {
  /** The {@linkcode Codec.name} of the codec that refused. */
  readonly codec: string;
  /** What it refused and why; the message says it too. */
  readonly reason: string;

  /** The message is `json: $.a is NaN, …`. */
  constructor(codec: string, reason: string, options?: ErrorOptions) {
    super(`${codec}: ${reason}`, options);
    this.name = "CodecError";
    this.codec = codec;
    this.reason = reason;
  }
}

/**
 * Makes a codec of two functions. Whatever they throw becomes a
 * {@linkcode CodecError} with the thrown as its cause.
 *
 * ```ts
 * import { codec } from "./codec.ts";
 *
 * const dates = codec<Date>({
 *   name: "dates",
 *   encode: (date) => new TextEncoder().encode(date.toISOString()),
 *   decode: (bytes) => new Date(new TextDecoder().decode(bytes)),
 * });
 * const day = new Date(0);
 * if (+dates.decode(dates.encode(day)) !== +day) throw new Error("not the day");
 * ```
 */
export function codec<T>(functions: Codec<T>): Codec<T> {
  const { name, encode, decode } = functions ?? {};
  const isWhole = typeof name === "string" && typeof encode === "function" &&
    typeof decode === "function";
  if (!isWhole) {
    throw new TypeError(
      "codec needs an object with name, a string, and the functions encode " +
        "and decode",
    );
  }
  return {
    name,
    encode: (value) => named(name, () => asBytes(name, encode(value))),
    decode: (bytes) => named(name, () => decode(bytes)),
  };
}

/** @throws {CodecError} What a codec has written is none that can be kept. */
export function asBytes(codec: string, written: unknown): Uint8Array {
  if (written instanceof Uint8Array) return written;
  const what = typeof written === "object" && written !== null
    ? written instanceof Promise ? "a promise" : "an object"
    : `${written === undefined ? "" : "a "}${typeof written}`;
  throw new CodecError(codec, `encode must give a Uint8Array, not ${what}`);
}

function named<R>(name: string, action: () => R): R {
  try {
    return action();
  } catch (error) {
    if (error instanceof CodecError) throw error;
    throw new CodecError(name, messageOf(error), { cause: error });
  }
}
