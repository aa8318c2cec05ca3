/**
 * The file system of the machine. Synchronous calls are faster than async ones
 * for what is small; node:fs has those that Deno has not.
 *
 * @module
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsync,
  futimesSync,
  openSync,
  readSync,
  statfsSync,
} from "node:fs";
import type { FileSystem, ReadableFile } from "./file_system.ts";

/** An open descriptor. */
class Descriptor implements ReadableFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  stat() {
    return fstatSync(this.#fd);
  }

  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): number {
    return readSync(this.#fd, into, offset, length, position);
  }

  chmod(mode: number): void {
    fchmodSync(this.#fd, mode);
  }

  setTime(seconds: number): void {
    futimesSync(this.#fd, seconds, seconds);
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) =>
      fsync(this.#fd, (error) => error ? reject(error) : resolve())
    );
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Files where the paths say. */
export const denoFiles: FileSystem = {
  sizes: {
    // About 1 ms each.
    sliceBytes: 1024 * 1024,
    atOnceBytes: 256 * 1024,
    // 0.1 to 1 ms.
    copyBytes: 1024 * 1024,
  },
  nowMs: () => Date.now(),
  lstat: (path) => Deno.lstatSync(path),
  open: (path) =>
    new Descriptor(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)),
  create: (path, mode) =>
    Deno.openSync(path, { write: true, createNew: true, mode }),
  append: (path, mode) =>
    Deno.openSync(path, {
      append: true,
      ...mode !== undefined && { createNew: true, mode },
    }),
  mkdir: (path, mode) => Deno.mkdirSync(path, { mode }),
  chmod: (path, mode) => Deno.chmodSync(path, mode),
  setGroup: (path, gid) => Deno.chownSync(path, null, gid),
  rename: (from, to) => Deno.renameSync(from, to),
  remove: (path) => Deno.removeSync(path),
  removeLarge: (path) => Deno.remove(path),
  removeFlat: (path) => Deno.remove(path, { recursive: true }),
  list: (path) => Array.fromAsync(Deno.readDir(path)),
  syncFolder: async (path) => {
    using folder = await Deno.open(path, { read: true });
    await folder.sync();
  },
  space: (path) => statfsSync(path),
};
