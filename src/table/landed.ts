/**
 * Bytes of values that are still coming: they lie on the disk already, in
 * private files.
 *
 * @module
 */

import type { Coming } from "./types.ts";

/** Whether its size is known: whoever sends more than they said knows it not. */
export function isSized({ total, expected }: Coming): boolean {
  return expected > 0 && total <= expected;
}

/** What there is of one value. */
interface Part {
  bytes: number;
  /** Of these, what the room that is kept for its assignment covers. */
  covered: number;
  /** All of it, or 0 once its size is known. */
  unsized: number;
}

/** What has come by upload. */
export class Landed {
  readonly #parts = new Map<string, Part>();
  /** Of values whose size nobody knows yet. */
  unsizedBytes = 0;

  /** More has come; `left`: what is not covered yet of what is kept for it. */
  take(coming: Coming, left: number): { readonly covered: number } {
    const { upload, more } = coming;
    const part = this.#parts.get(upload) ??
      { bytes: 0, covered: 0, unsized: 0 };
    this.#parts.set(upload, part);
    const covered = Math.min(more, left);
    part.bytes += more;
    part.covered += covered;
    this.#know(part, isSized(coming));
    return { covered };
  }

  /** The value is whole; how much of it there is. */
  end(upload: string | undefined): number {
    const part = upload === undefined ? undefined : this.#parts.get(upload);
    if (!part) return 0;
    this.#know(part, true);
    return part.covered = part.bytes;
  }

  /** Forgets what has been removed, or counts as a value from now on. */
  delete(upload: string): Part | undefined {
    const part = this.#parts.get(upload);
    if (!part) return undefined;
    this.#parts.delete(upload);
    this.#know(part, true);
    return part;
  }

  #know(part: Part, isKnown: boolean): void {
    this.unsizedBytes -= part.unsized;
    part.unsized = isKnown ? 0 : part.bytes;
    this.unsizedBytes += part.unsized;
  }
}
