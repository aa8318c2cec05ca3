/**
 * The golden vectors of `tests/golden/flexbuffers`: bytes that the Rust crate
 * wrote, and the JavaScript values that stand for the same things.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { float, uint } from "../flexbuffers_types.ts";

const FOLDER = new URL(
  "../../../../tests/golden/flexbuffers/",
  import.meta.url,
);

/** A Rust value and its bytes. */
export interface TypedVector {
  /** Names the case. */
  readonly name: string;
  /** The Rust type. */
  readonly type: string;
  /** The value, as Rust prints it with `{:?}`. */
  readonly debug: string;
  /** The flexbuffer. */
  readonly hex: string;
}

/** One vector for each type that a Rust client may use. */
export function typedVectors(): TypedVector[] {
  return JSON.parse(readFileSync(new URL("typed.json", FOLDER), "utf8"));
}

/** What Rust refuses, or makes of something else than was meant. */
export interface OddVector {
  /** Names the case. */
  readonly name: string;
  /** The Rust type. */
  readonly type: string;
  /** The value, where Rust writes it, as it prints it with `{:?}`. */
  readonly debug?: string;
  /** What Rust writes, or another one did. */
  readonly hex?: string;
  /** Why Rust does not write it. */
  readonly writeError?: string;
  /** What Rust reads, as `{:?}` prints it. */
  readonly read?: string;
  /** Why Rust does not read it. */
  readonly readError?: string;
}

/** The odd cases by name. */
export function oddVectors(): Map<string, OddVector> {
  const vectors: OddVector[] = JSON.parse(oddText());
  return new Map(vectors.map((vector) => [vector.name, vector]));
}

/** Their file, which the Rust program prints. */
export function oddText(): string {
  return readFileSync(new URL("odd.json", FOLDER), "utf8");
}

/** Random values, and large ones, from a seeded generator in Rust. */
export function randomVectors(): { tree: Tree; bytes: Uint8Array }[] {
  const lines = gunzipSync(readFileSync(new URL("random.jsonl.gz", FOLDER)));
  return lines.toString().trim().split("\n").map((line) => {
    const [tree, hex] = JSON.parse(line);
    return { tree, bytes: fromHex(hex) };
  });
}

/** A flexbuffer in JSON, as `tests/golden/flexbuffers/rust/src/tree.rs` says it. */
export type Tree =
  | ["n"]
  | ["t", boolean]
  | ["i" | "u" | "f" | "s" | "b", string]
  | ["l", Tree[]]
  | ["m", [string, Tree][]];

/** What to write for the bytes of a tree, and what reading them gives. */
export function valuesOf(tree: Tree): { write: unknown; read: unknown } {
  const both = (value: unknown) => ({ write: value, read: value });
  switch (tree[0]) {
    case "n":
      return both(null);
    case "t":
    case "s":
      return both(tree[1]);
    case "b":
      return both(fromHex(tree[1]));
    case "i":
      return { write: BigInt(tree[1]), read: smallest(tree[1]) };
    case "u":
      return { write: uint(BigInt(tree[1])), read: smallest(tree[1]) };
    case "f": {
      const bits = new DataView(new ArrayBuffer(8));
      bits.setBigUint64(0, BigInt(`0x${tree[1]}`));
      const number = bits.getFloat64(0);
      return { write: float(number), read: number };
    }
    case "l": {
      const items = tree[1].map(valuesOf);
      return {
        write: items.map(({ write }) => write),
        read: items.map(({ read }) => read),
      };
    }
    case "m": {
      const pairs = tree[1].map(([key, item]) => ({ key, ...valuesOf(item) }));
      // A Map, for an object would put keys such as "10" first.
      return {
        write: new Map(pairs.map(({ key, write }) => [key, write])),
        read: record(pairs.map(({ key, read }) => [key, read])),
      };
    }
  }
}

/** An object as it is read: without a prototype. */
export function record(pairs: [string, unknown][]): Record<string, unknown> {
  const object = Object.create(null);
  for (const [key, value] of pairs) object[key] = value;
  return object;
}

/** Bytes of hex digits. */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** Hex digits of bytes. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function smallest(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}
