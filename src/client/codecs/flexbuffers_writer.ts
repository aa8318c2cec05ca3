/**
 * Writes flexbuffers byte for byte as the Rust crate `flexbuffers` does when
 * serde hands it a value: the SHA-256 of these bytes is a key, so one byte of
 * padding more would be another entry. The order in which things are written
 * is therefore as fixed as their form.
 *
 * @module
 */

import {
  GrowingBuffer,
  isInline,
  type Slot,
  widthOf,
} from "./flexbuffers_buffer.ts";
import { elementSlots, scalarSlot } from "./flexbuffers_slots.ts";
import { FLEXBUFFERS, Type, type Width } from "./flexbuffers_types.ts";
import { isPlainObject, nameOf, Place, plainKeys } from "./plain_tree.ts";

/**
 * Writes one value.
 *
 * @throws {CodecError} The value, or a part of it, has no flexbuffer.
 */
export function writeFlexbuffer(value: unknown): Uint8Array {
  return new Writer().finish(value);
}

/** A key that has been written, and its UTF-8, by which maps are sorted. */
interface WrittenKey {
  readonly slot: Slot;
  readonly utf8: Uint8Array;
}

class Writer {
  readonly #out = new GrowingBuffer();
  readonly #place = new Place(FLEXBUFFERS);
  /** Each key is written once and shared, as in Rust; strings are not. */
  readonly #keys = new Map<string, WrittenKey>();

  finish(value: unknown): Uint8Array {
    const root = this.#write(value);
    const width = widthInVector(root, this.#out.length, 0);
    this.#out.align(width);
    this.#out.slot(root, width);
    this.#out.byte(packedType(root, width));
    this.#out.byte(1 << width);
    return this.#out.bytes();
  }

  #write(value: unknown): Slot {
    const scalar = scalarSlot(value);
    if (scalar !== undefined) return scalar;
    if (typeof value === "string") return this.#string(value);
    if (value instanceof Uint8Array) return this.#blob(value, Type.BLOB);
    if (Array.isArray(value)) return this.#array(value);
    const elements = elementSlots(value);
    if (elements !== undefined) return this.#vector(elements);
    if (value instanceof Map) return this.#map(value);
    if (isPlainObject(value)) {
      const keys = plainKeys(value, this.#place);
      return this.#map(keys.map((key) => [key, value[key]]));
    }
    throw this.#place.error(
      typeof value === "bigint"
        ? "is a bigint beyond 64 bits"
        : `is ${nameOf(value)}, which a flexbuffer cannot say`,
    );
  }

  #string(value: string): Slot {
    const slot = this.#blob(this.#utf8(value, "is"), Type.STRING);
    this.#out.byte(0);
    return slot;
  }

  #blob(bytes: Uint8Array, type: number): Slot {
    const width = widthOf(bytes.length);
    this.#out.align(width);
    this.#out.size(bytes.length, width);
    const address = this.#out.length;
    this.#out.append(bytes);
    return { type, width, value: address };
  }

  #array(values: readonly unknown[]): Slot {
    const slots: Slot[] = [];
    for (let at = 0; at < values.length; at++) {
      this.#place.inside(at, () => void slots.push(this.#write(values[at])));
    }
    return this.#vector(slots);
  }

  #map(entries: Iterable<[unknown, unknown]>): Slot {
    const pairs: { key: WrittenKey; value: Slot }[] = [];
    for (const [name, value] of entries) {
      if (typeof name !== "string") {
        throw this.#place.error("is a Map with a key that is no string");
      }
      const key = this.#key(name);
      this.#place.inside(
        name,
        () => void pairs.push({ key, value: this.#write(value) }),
      );
    }
    pairs.sort((a, b) => compareBytes(a.key.utf8, b.key.utf8));
    const keys = this.#vector(pairs.map(({ key }) => key.slot));
    return this.#vector(pairs.map(({ value }) => value), keys);
  }

  #key(name: string): WrittenKey {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const utf8 = this.#utf8(name, "has a key that is");
    if (utf8.includes(0)) {
      throw this.#place.error("has a key with a NUL, which ends keys");
    }
    const slot: Slot = { type: Type.KEY, width: 0, value: this.#out.length };
    this.#out.append(utf8);
    this.#out.byte(0);
    const key = { slot, utf8 };
    this.#keys.set(name, key);
    return key;
  }

  #utf8(text: string, what: string): Uint8Array {
    if (text.isWellFormed()) return new TextEncoder().encode(text);
    throw this.#place.error(
      `${what} a string with half a surrogate pair, which UTF-8 cannot say`,
    );
  }

  /** A vector; with the slot of a vector of keys, a map. */
  #vector(slots: readonly Slot[], keys?: Slot): Slot {
    const type = keys === undefined ? vectorType(slots) : Type.MAP;
    const fixed = type >= Type.VECTOR_INT2 && type <= Type.VECTOR_FLOAT4;
    const prefix = keys !== undefined ? 3 : fixed ? 0 : 1;
    const start = this.#out.length;
    let width: Width = fixed ? 0 : widthOf(slots.length);
    if (keys !== undefined) width = wider(width, widthInVector(keys, start, 0));
    slots.forEach((slot, at) => {
      width = wider(width, widthInVector(slot, start, at + prefix));
    });

    this.#out.align(width);
    if (keys !== undefined) {
      this.#out.slot(keys, width);
      this.#out.size(1 << keys.width, width);
    }
    if (!fixed) this.#out.size(slots.length, width);
    const address = this.#out.length;
    for (const slot of slots) this.#out.slot(slot, width);
    if (type === Type.MAP || type === Type.VECTOR) {
      for (const slot of slots) this.#out.byte(packedType(slot, width));
    }
    return { type, width, value: address };
  }
}

/** Elements of one kind make a typed vector, two to four numbers a fixed one. */
function vectorType(slots: readonly Slot[]): number {
  const type = slots[0]?.type;
  if (type === undefined) return Type.VECTOR;
  if (slots.some((slot) => slot.type !== type)) return Type.VECTOR;
  if (type === Type.BOOL) return Type.VECTOR_BOOL;
  if (type === Type.KEY) return Type.VECTOR_KEY;
  if (type < Type.INT || type > Type.FLOAT) return Type.VECTOR;
  return slots.length >= 2 && slots.length <= 4
    ? Type.VECTOR_INT2 + 3 * (slots.length - 2) + type - Type.INT
    : Type.VECTOR_INT + type - Type.INT;
}

/**
 * The width that a slot needs at an index (after the prefix) of a vector that
 * starts here: an offset grows with the width of the vector it stands in.
 */
function widthInVector(slot: Slot, start: number, index: number): Width {
  if (isInline(slot.type)) return slot.width;
  for (const width of [0, 1, 2] as const) {
    const bytes = 1 << width;
    const aligned = Math.ceil(start / bytes) * bytes;
    if (widthOf(aligned + index * bytes - Number(slot.value)) === width) {
      return width;
    }
  }
  return 3;
}

function packedType(slot: Slot, width: Width): number {
  const own = isInline(slot.type) ? wider(width, slot.width) : slot.width;
  return slot.type << 2 | own;
}

function wider(a: Width, b: Width): Width {
  return a > b ? a : b;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    if (a[at] !== b[at]) return a[at]! - b[at]!;
  }
  return a.length - b.length;
}
