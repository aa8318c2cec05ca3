/**
 * What kept bytes are.
 *
 * @module
 */

import type { Codec } from "./codecs/mod.ts";
import {
  decodeError,
  isStoredError,
  type StoredError,
} from "./stored_error.ts";

/** A value; an error that was kept like one; or nothing that can be read. */
export type Kept<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "error"; readonly error: StoredError }
  | { readonly kind: "unreadable"; readonly error: unknown };

/** Reads kept bytes. */
export function readKept<T>(bytes: Uint8Array, codec: Codec<T>): Kept<T> {
  try {
    if (isStoredError(bytes)) {
      return { kind: "error", error: decodeError(bytes) };
    }
    return { kind: "value", value: codec.decode(bytes) };
  } catch (error) {
    return { kind: "unreadable", error };
  }
}

/** The value. Throws what it is otherwise. */
export function valueOf<T>(kept: Kept<T>): T {
  if (kept.kind === "value") return kept.value;
  throw kept.error;
}
