/**
 * The hashes of files. One that has been hashed is not read again, as long as
 * its inode says that it is the same.
 *
 * @module
 */

import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { Sha256 } from "../../../../workers/digest.ts";
import { isSettled, stampOf } from "./stamp.ts";

const PIECE_BYTES = 256 * 1024;
/** Calls between two turns of the event loop, in which work is kept alive. */
const CALLS_A_TURN = 256;
/** Of something else than a file, opening must not wait for a writer. */
const READING = constants.O_RDONLY | constants.O_NONBLOCK;

/** Hashes by the stamps of files. */
export class Hashes {
  readonly #known: Map<string, string>;
  readonly #used = new Map<string, string>();
  readonly #piece = new Uint8Array(PIECE_BYTES);
  readonly #now: () => number;
  #calls = 0;
  #isNew = false;

  /** Knows hashes of other times; `now` is the time in milliseconds. */
  constructor(
    known: Map<string, string> = new Map(),
    now: () => number = Date.now,
  ) {
    this.#known = known;
    this.#now = now;
  }

  /** Those that were asked for, if there are others than at the beginning. */
  get news(): ReadonlyMap<string, string> | undefined {
    return this.#isNew ? this.#used : undefined;
  }

  /**
   * The hash of a regular file.
   *
   * @param path Where it is.
   * @param info What it is.
   * @throws It cannot be read.
   */
  async of(path: string, info: BigIntStats): Promise<string> {
    const stamp = stampOf(info);
    const known = this.#known.get(stamp);
    if (known === undefined) return await this.#read(path);
    this.#used.set(stamp, known);
    return known;
  }

  /** Lets others do something now and then; call it once a file. */
  async turn(): Promise<void> {
    if (++this.#calls % CALLS_A_TURN === 0) await setImmediate();
  }

  async #read(path: string): Promise<string> {
    // Small files take a tenth of the time that calls would that are waited for.
    const file = openSync(path, READING);
    try {
      const before = fstatSync(file, { bigint: true });
      const startedMs = this.#now();
      const hash = new Sha256();
      for (;;) {
        const count = readSync(file, this.#piece);
        if (count === 0) break;
        hash.update(this.#piece.subarray(0, count));
        if (count === PIECE_BYTES) await setImmediate();
      }
      const sha256 = hash.hex();
      const stamp = stampOf(before);
      const isSame = stamp === stampOf(fstatSync(file, { bigint: true }));
      if (isSame && isSettled(before, startedMs)) {
        this.#known.set(stamp, sha256);
        this.#used.set(stamp, sha256);
        this.#isNew = true;
      }
      return sha256;
    } finally {
      closeSync(file);
    }
  }
}

/** The hash of what a pipe says, such as that of `<(date)`. */
export async function hashOfPipe(path: string): Promise<string> {
  const file: FileHandle = await open(path, "r");
  try {
    const hash = new Sha256();
    const stream = file.createReadStream({ autoClose: false });
    for await (const piece of stream) hash.update(piece);
    return hash.hex();
  } finally {
    await file.close();
  }
}
