/**
 * What this worker has written of values that come in pieces: each is hashed while
 * it is written, so that nothing is read again when it is whole.
 *
 * @module
 */

import { Sha256 } from "./digest.ts";

/** Values at once, of a worker; one that is forgotten is read again. */
const MAX_REMEMBERED = 1_024;

/** A file of which all that it holds went through this worker's hands. */
export interface WrittenFile {
  readonly ino: number | null;
  size: number;
  readonly hash: Sha256;
}

/** The files of the pieces that came to this worker. */
export class Written {
  readonly #files = new Map<string, WrittenFile>();

  /** The file, if all that it should hold by now was written here. */
  upTo(staging: string, offset: number): WrittenFile | undefined {
    const file = this.#files.get(staging);
    return file?.size === offset ? file : undefined;
  }

  /** A file that was made just now. */
  begin(staging: string, ino: number | null): WrittenFile {
    if (this.#files.size >= MAX_REMEMBERED) {
      for (const oldest of this.#files.keys()) {
        this.#files.delete(oldest);
        break;
      }
    }
    const file = { ino, size: 0, hash: new Sha256() };
    this.#files.set(staging, file);
    return file;
  }

  /** Gives what is known of a file, and forgets it. */
  take(staging: string): WrittenFile | undefined {
    const file = this.#files.get(staging);
    this.#files.delete(staging);
    return file;
  }
}
