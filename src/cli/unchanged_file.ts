/**
 * A file whose bytes are kept as they were when it was first looked at, or not
 * at all.
 *
 * @module
 */

import { type FileHandle, open } from "node:fs/promises";
import { StartError } from "../errors.ts";
import { FAILED } from "./exit_codes.ts";
import { stampOf } from "./run/inputs/stamp.ts";

/** A file that is the same whenever it is read, and while it is. */
export class UnchangedFile {
  readonly #path: string;
  #stamp: string | undefined;

  /** Nothing is read yet. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Reads it from its begin; throws where it has changed since the first time. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await open(this.#path, "r");
    try {
      await this.#check(file);
      yield* file.createReadStream({ autoClose: false });
      await this.#check(file);
    } finally {
      await file.close();
    }
  }

  async #check(file: FileHandle): Promise<void> {
    const stamp = stampOf(await file.stat({ bigint: true }));
    this.#stamp ??= stamp;
    if (stamp === this.#stamp) return;
    const message = `${this.#path} changed while it was read, and nothing is ` +
      "kept of it: run put again";
    throw new StartError(FAILED, message);
  }
}
