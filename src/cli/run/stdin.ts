/**
 * Our stdin, read to its end before a command is run that is to have it: what
 * the command reads there is part of the key.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import process from "node:process";
import { Sha256 } from "../../../workers/digest.ts";
import { Scratch } from "./spool.ts";

/** More of it goes into a file. */
const MEMORY_BYTES = 1024 * 1024;
const PRIVATE_FILE = 0o600;

/** All that was on stdin. */
export class Stdin implements AsyncDisposable {
  readonly #scratch = new Scratch();
  readonly #hash = new Sha256();
  /** What came after that which is in the file. */
  readonly #pieces: Uint8Array[] = [];
  #inMemory = 0;
  #file: { readonly path: string; readonly handle: FileHandle } | undefined;
  #inFile = 0;
  #isFull = false;
  #sha256 = "";

  private constructor() {}

  /** Reads it to its end. */
  static async read(): Promise<Stdin> {
    const stdin = new Stdin();
    for await (const piece of process.stdin) await stdin.#add(piece);
    stdin.#sha256 = stdin.#hash.hex();
    return stdin;
  }

  /** Of all of it. */
  get sha256(): string {
    return this.#sha256;
  }

  /** All of it, piece by piece, as often as it is wanted. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#file && this.#inFile > 0) {
      yield* createReadStream(this.#file.path, { end: this.#inFile - 1 });
    }
    yield* this.#pieces;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.handle.close().catch(() => {});
    await this.#scratch[Symbol.asyncDispose]();
  }

  async #add(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    this.#pieces.push(piece.slice());
    this.#inMemory += piece.length;
    if (this.#inMemory <= MEMORY_BYTES || this.#isFull) return;
    try {
      await this.#spill();
    } catch {
      // The command needs it, wherever there is room for it.
      this.#isFull = true;
    }
  }

  async #spill(): Promise<void> {
    if (!this.#file) {
      const path = await this.#scratch.file();
      this.#file = { path, handle: await open(path, "wx", PRIVATE_FILE) };
    }
    for (let piece = this.#pieces[0]; piece; piece = this.#pieces[0]) {
      await this.#file.handle.writeFile(piece);
      this.#pieces.shift();
      this.#inFile += piece.length;
      this.#inMemory -= piece.length;
    }
  }
}
