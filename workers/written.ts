/**
 * What this worker has written of values that come in pieces: each is hashed while
 * it is written, so that nothing is read again when it is whole, and its file stays
 * open, since to find it costs as much as to write a piece of 256 KiB.
 *
 * @module
 */

import { Sha256 } from "./digest.ts";
import type { WritableFile } from "./file_system.ts";

/** Values at once, of a worker; one that is forgotten is read again. */
const MAX_REMEMBERED = 1_024;
/** Of them, those whose file stays open: descriptors are few. */
const MAX_OPEN = 8;

/** A file of which all that it holds went through this worker's hands. */
export interface WrittenFile {
  readonly ino: number | null;
  readonly hash: Sha256;
  size: number;
}

/** The files of the pieces that came to this worker. */
export class Written {
  /** The one that was begun first comes first. */
  readonly #files = new Map<string, WrittenFile>();
  /** The places of pieces that are being written, by file. */
  readonly #queues = new Map<string, { first: number; next: number }>();
  /** Between two pieces, the one that was written last comes last. */
  readonly #open = new Map<WrittenFile, WritableFile>();

  /** A piece takes its place behind those of its file that are being written. */
  enqueue(staging: string): number {
    const queue = this.#queues.get(staging) ?? { first: 0, next: 0 };
    this.#queues.set(staging, queue);
    return queue.next++;
  }

  /** Whether it is the turn of the piece with this place. */
  isFirst(staging: string, place: number): boolean {
    return this.#queues.get(staging)?.first === place;
  }

  /** The first piece is written, or failed. */
  leave(staging: string): void {
    const queue = this.#queues.get(staging);
    if (queue && ++queue.first === queue.next) this.#queues.delete(staging);
  }

  /** Remembers a file without a byte. */
  begin(staging: string, ino: number | null): WrittenFile {
    for (const oldest of this.#files.keys()) {
      if (this.#files.size < MAX_REMEMBERED) break;
      this.take(oldest);
    }
    const file = { ino, hash: new Sha256(), size: 0 };
    this.#files.set(staging, file);
    return file;
  }

  /** The file, if all that it should hold by now was written here. */
  upTo(staging: string, offset: number): WrittenFile | undefined {
    const file = this.#files.get(staging);
    return file?.size === offset ? file : undefined;
  }

  /** Lends the descriptor that was kept, if it was, for the next piece. */
  reopen(file: WrittenFile | undefined): WritableFile | undefined {
    const open = file && this.#open.get(file);
    if (open) this.#open.delete(file);
    return open;
  }

  /** Keeps a descriptor for the next piece; closes the one that waits longest. */
  keep(file: WrittenFile, open: WritableFile): void {
    this.#open.set(file, open);
    if (this.#open.size <= MAX_OPEN) return;
    for (const oldest of this.#open.keys()) return this.#close(oldest);
  }

  /** Gives what is known of a file, and forgets it. */
  take(staging: string): WrittenFile | undefined {
    const file = this.#files.get(staging);
    if (file) this.#close(file);
    this.#files.delete(staging);
    return file;
  }

  #close(file: WrittenFile): void {
    this.reopen(file)?.close();
  }
}
