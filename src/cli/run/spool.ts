/**
 * What a command says, kept until it is known what becomes of it: in memory, and
 * what is long in a temporary file. A temporary folder that is missing or full
 * is no trouble of the command's.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { chmod, type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../errors.ts";
import type { Entry } from "./pack.ts";

/** More of it goes into a file. */
const MEMORY_BYTES = 256 * 1024;
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** A temporary folder, made when it is needed, and gone with its last file. */
export class Scratch implements AsyncDisposable {
  #made: Promise<string> | undefined;
  #files = 0;

  /** A path in it where nothing is. */
  async file(): Promise<string> {
    const folder = await (this.#made ??= make());
    return join(folder, String(this.#files++));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const folder = await this.#made?.catch(() => undefined);
    if (folder === undefined) return;
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

async function make(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "larder-run-"));
  // Whatever the umask is.
  await chmod(folder, PRIVATE_FOLDER);
  return folder;
}

/** Bytes that are written once, and then read. Writing never fails. */
export class Spool implements AsyncDisposable {
  readonly #scratch: Scratch;
  #pieces: Uint8Array[] = [];
  #file: { readonly path: string; readonly handle: FileHandle } | undefined;
  #size = 0;
  #failure: Error | undefined;

  /** What is long goes into a file of `scratch`. */
  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** Why not all of it is here; `undefined`: all is. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Adds bytes. */
  async write(piece: Uint8Array): Promise<void> {
    if (this.#failure) return;
    try {
      if (!this.#file && this.#size + piece.length > MEMORY_BYTES) {
        await this.#spill();
      }
      this.#size += piece.length;
      if (this.#file) await this.#file.handle.writeFile(piece);
      else this.#pieces.push(piece.slice());
    } catch (error) {
      const why = messageOf(error);
      this.#failure = new Error(`cannot write it to ${folderName()}: ${why}`);
      await this[Symbol.asyncDispose]();
    }
  }

  /** All of it, piece by piece. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#file) yield* createReadStream(this.#file.path);
    else yield* this.#pieces;
  }

  /** All of it as the entry of an archive. */
  entry(name: string): Entry {
    if (this.#failure) throw this.#failure;
    return this.#file
      ? { name, path: this.#file.path, size: this.#size, mode: PRIVATE_FILE }
      : { name, bytes: joined(this.#pieces, this.#size) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pieces = [];
    await this.#file?.handle.close().catch(() => {});
    if (this.#file) await rm(this.#file.path, { force: true }).catch(() => {});
    this.#file = undefined;
  }

  async #spill(): Promise<void> {
    const path = await this.#scratch.file();
    const handle = await open(path, "wx", PRIVATE_FILE);
    this.#file = { path, handle };
    // It is read by another handle, whatever the umask is.
    await handle.chmod(PRIVATE_FILE);
    for (const piece of this.#pieces) await this.#file.handle.writeFile(piece);
    this.#pieces = [];
  }
}

/** Where temporary files are, for people. */
function folderName(): string {
  try {
    return tmpdir();
  } catch {
    // Deno reads no variable that is not UTF-8.
    return "TMPDIR";
  }
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
