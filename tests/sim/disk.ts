/**
 * The folder that is served, as far as a restart finds it again.
 *
 * @module
 */

import {
  MemoryFiles,
  type MemoryNode,
} from "../../src/blobs/testing/memory_files.ts";
import { MemoryRows } from "../../src/manifest/testing/memory_rows.ts";
import type { Digest } from "../../src/table/types.ts";
import { sha256Hex } from "../../workers/digest.ts";
import type { Sizes } from "../../workers/file_system.ts";
import { isNamespace } from "../../workers/root_names.ts";

/** Where the root lies on it. */
export const ROOT = "/sim";
/** Values of a run are from 12 to 400 bytes long: below and above each of these. */
const SIZES: Sizes = { sliceBytes: 64, atOnceBytes: 50, copyBytes: 100 };
/** What a private file was captured from; no staging name of a run has a dash. */
const CAPTURE = /^(?:captured|taken)-(?:.*-)?([^-]+)$/;

/** Folders of files, and the manifest's rows. */
export class SimDisk extends MemoryFiles {
  /** What `cache.sqlite` is to the other. */
  readonly rows = new MemoryRows();

  /** An empty root. */
  constructor(wallMs: () => number) {
    super(ROOT, wallMs, SIZES);
  }

  /** What a client does at its path; without bytes it makes no regular file. */
  stage(staging: string, bytes?: Uint8Array): MemoryNode {
    const node = bytes ? this.node("file", bytes) : this.node("other");
    this.place(`${ROOT}/.staging/${staging}`, node);
    return node;
  }

  /** Where clients write. */
  staged(): string[] {
    return this.#names(".staging");
  }

  /** A value's file. */
  value(name: string): MemoryNode | undefined {
    return this.at(`${ROOT}/${name}`);
  }

  /** Puts another file in a value's place, or none. */
  spoil(name: string, bytes: Uint8Array | undefined): void {
    const node = bytes && this.node("file", bytes);
    this.place(`${ROOT}/${name}`, node);
  }

  /** The names of the values. */
  values(): string[] {
    return this.#names("").filter(isNamespace).flatMap((namespace) =>
      this.#names(namespace).map((file) => `${namespace}/${file}`)
    );
  }

  /** What was taken out of the reach of whoever wrote to a staging path. */
  captured(staging: string): MemoryNode | undefined {
    const file = this.#names(".private")
      .find((name) => CAPTURE.exec(name)?.[1] === staging);
    return file === undefined ? undefined : this.at(`${ROOT}/.private/${file}`);
  }

  /** Captured and temporary files. */
  private(): string[] {
    return this.#names(".private");
  }

  /** Whether a file lies where only the server reaches it. */
  isOurs(file: MemoryNode): boolean {
    return [
      ...this.values().map((name) => `${ROOT}/${name}`),
      ...this.private().map((name) => `${ROOT}/.private/${name}`),
    ].some((path) => this.at(path) === file);
  }

  #names(folder: string): string[] {
    return [...this.at(`${ROOT}/${folder}`)?.entries.keys() ?? []];
  }
}

/** What verifies a file. */
export function digestOf(bytes: Uint8Array): Digest {
  return { size: bytes.length, sha256: sha256Hex(bytes) };
}
