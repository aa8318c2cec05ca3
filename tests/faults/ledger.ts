/**
 * What the clients of a crash test have tried to publish, and what they were
 * told: whatever is served is held against it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { hashOf } from "./values.ts";

/** One entry as its clients know it. */
export interface Known {
  readonly namespace: string;
  readonly key: string;
  /** Several clients at once may ask for it: one may lose it to another. */
  readonly contended: boolean;
  /** The hashes of what was tried to publish since it was last empty. */
  readonly tried: Set<string>;
  /** The hash of what was acknowledged or served: nothing else may be from then on. */
  kept?: string;
}

/** An assignment that a client holds. */
export interface Work {
  readonly api: "local" | "remote";
  readonly known: Known;
  readonly id: string;
  /** Where a local client writes. */
  readonly path?: string;
  readonly value: Uint8Array;
  /** Whether Set or Done was called: the server may have it. */
  sent: boolean;
}

/** All entries. */
export class Ledger {
  readonly entries: Known[] = [];
  /** How many values were made: the number of the last. */
  attempts = 0;
  /** How many values were acknowledged. */
  acknowledged = 0;
  /** How many values were read and compared. */
  compared = 0;

  /** A new entry. */
  add(namespace: string, key: string, contended = false): Known {
    const known = { namespace, key, contended, tried: new Set<string>() };
    this.entries.push(known);
    return known;
  }

  /** A client is about to publish. */
  tries({ known, value }: Work): void {
    known.tried.add(hashOf(value));
  }

  /** A client was told that its value is published. */
  acknowledge({ known, value }: Work): void {
    this.acknowledged++;
    this.#keep(known, hashOf(value), "was acknowledged");
  }

  /** Bytes were served. */
  compare(known: Known, bytes: Uint8Array): void {
    this.compared++;
    this.#keep(known, hashOf(bytes), "was served");
  }

  /** The blob was damaged on purpose: the entry is to be empty. */
  damaged(known: Known): void {
    delete known.kept;
    known.tried.clear();
  }

  #keep(known: Known, hash: string, how: string): void {
    const name = `${known.namespace} ${known.key}`;
    assert(known.tried.has(hash), `${name}: ${how} what nobody published`);
    known.kept ??= hash;
    assert.equal(hash, known.kept, `${name}: ${how} another value than before`);
  }
}

/** Where an entry's blob lies. */
export function blobPath(
  root: string,
  { namespace, key }: { readonly namespace: string; readonly key: string },
): string {
  return `${root}/${namespace}/${hashOf(key)}`;
}
