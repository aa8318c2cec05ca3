/**
 * The folder that is served, as far as a restart finds it again.
 *
 * @module
 */

import { MemoryRows } from "../../src/manifest/testing/memory_rows.ts";
import type { Digest, Stamp } from "../../src/table/types.ts";
import { sha256Hex } from "../../workers/digest.ts";

/** An inode: whoever has it open sees what is written to it. */
export interface SimFile {
  /** Absent: no regular file. */
  bytes: Uint8Array | undefined;
  readonly ino: number;
  /** By the wall clock, which may be wrong. */
  changedMs: number;
}

/** Folders of files, and the manifest's rows. */
export class SimDisk {
  /** By entry name. */
  readonly values = new Map<string, SimFile>();
  /** By staging name: where clients write. */
  readonly staged = new Map<string, SimFile>();
  /** By staging name: what was taken out of their reach. */
  readonly captured = new Map<string, SimFile>();
  /** Files that are being written; a killed process leaves them behind. */
  readonly temporary = new Map<string, SimFile>();
  /** What `cache.sqlite` is to the other. */
  readonly rows = new MemoryRows();
  readonly #wallMs: () => number;
  #inos = 0;

  /** An empty root. */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** A new inode; without bytes no regular file. */
  create(bytes: Uint8Array | undefined): SimFile {
    return { bytes, ino: ++this.#inos, changedMs: this.#wallMs() };
  }

  /** Writes to an inode. */
  write(file: SimFile, bytes: Uint8Array): void {
    file.bytes = bytes;
    file.changedMs = this.#wallMs();
  }
}

/** What verifies a file. */
export function digestOf(bytes: Uint8Array): Digest {
  return { size: bytes.length, sha256: sha256Hex(bytes) };
}

/** What tells cheaply that a file has not changed. */
export function stampOf({ bytes, changedMs, ino }: SimFile): Stamp {
  return { size: bytes?.length ?? 0, mtimeMs: changedMs, ino: String(ino) };
}

/** Whether two stamps are of the same unchanged file. */
export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}
