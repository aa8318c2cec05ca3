/**
 * The folder that is served, as far as a restart finds it again.
 *
 * @module
 */

import {
  MemoryFiles,
  type MemoryNode,
  type Ownership,
} from "../../src/blobs/testing/memory_files.ts";
import { MemoryRows } from "../../src/manifest/testing/memory_rows.ts";
import type { Digest } from "../../src/table/types.ts";
import { sha256Hex } from "../../workers/digest.ts";
import type { Chance } from "./chance.ts";
import type { Sizes } from "../../workers/file_system.ts";
import { isNamespace } from "../../workers/root_names.ts";

/** Where the root lies on it. */
export const ROOT = "/sim";
/** Values of a run are from 12 to 400 bytes long: below and above each of these. */
const SIZES: Sizes = { sliceBytes: 64, atOnceBytes: 50, copyBytes: 100 };
/** What a private file was captured from; no staging name of a run has a dash. */
const CAPTURE = /^(copied|captured|taken)-(?:.*-)?([^-]+)$/;
/** Of several captures a copy has its bytes in any case, what was only taken may not. */
const FURTHEST_FIRST = ["copied", "captured", "taken"];

/** A name in a folder, as it was before somebody changed it. */
interface Renamed {
  readonly folder: MemoryNode;
  readonly name: string;
  readonly before: MemoryNode | undefined;
}

/** Folders of files, and the manifest's rows. */
export class SimDisk extends MemoryFiles {
  /**
   * Changes of folders that a power cut may undo, the last ones first: names
   * are journaled, so that what came before one that is kept is kept as well.
   */
  #journal: Renamed[][] = [];
  /** Names that change together. */
  #together: Renamed[] | undefined;
  /** What `cache.sqlite` is to the other. */
  readonly rows = new MemoryRows();

  /** An empty root. */
  constructor(wallMs: () => number) {
    super(ROOT, wallMs, SIZES);
  }

  /** What a client does at its path; without bytes it makes no regular file. */
  stage(
    staging: string,
    bytes?: Uint8Array,
    ownership: Ownership = {},
  ): MemoryNode {
    const kind = bytes ? "file" : "other";
    const node = this.node(kind, bytes, ownership);
    this.place(`${ROOT}/.staging/${staging}`, node);
    return node;
  }

  /** Where clients write. */
  staged(): string[] {
    return this.#names(".staging");
  }

  /** What lies where a client writes. */
  stagedFile(staging: string): MemoryNode | undefined {
    return this.at(`${ROOT}/.staging/${staging}`);
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
    const captures = this.#names(".private").flatMap((name) => {
      const [, how = "", from] = CAPTURE.exec(name) ?? [];
      return from === staging ? [{ name, how }] : [];
    });
    const file = FURTHEST_FIRST
      .map((how) => captures.find((capture) => capture.how === how))
      .find((capture) => capture !== undefined);
    return file && this.at(`${ROOT}/.private/${file.name}`);
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

  override rename(from: string, to: string): void {
    const together: Renamed[] = this.#together = [];
    try {
      super.rename(from, to);
    } finally {
      this.#together = undefined;
      if (together.length > 0) this.#journal.push(together);
    }
  }

  override syncFolder(path: string): Promise<void> {
    const folder = this.at(path);
    const last = this.#journal.findLastIndex((change) =>
      change.some((renamed) => renamed.folder === folder)
    );
    const synced = this.#journal.splice(0, last + 1);
    // The names of folders are in the root, which has a sync of its own.
    const root = this.at(ROOT);
    if (folder !== root) {
      this.#journal.unshift(
        ...synced.filter((change) =>
          change.some((renamed) => renamed.folder === root)
        ),
      );
    }
    return super.syncFolder(path);
  }

  /** The power fails: what was not synced is there, or not, or in part. */
  cut(chance: Chance): void {
    const kept = chance.below(this.#journal.length + 1);
    for (const change of this.#journal.splice(kept).reverse()) {
      for (const { folder, name, before } of change.reverse()) {
        super.changeName(folder, name, before);
      }
    }
    this.#journal = [];
    this.#lose(this.at(ROOT)!, chance);
  }

  protected override changeName(
    folder: MemoryNode,
    name: string,
    node: MemoryNode | undefined,
  ): void {
    const renamed = { folder, name, before: folder.entries.get(name) };
    // The root itself is made before there is a journal.
    if (#journal in this) {
      if (this.#together) this.#together.push(renamed);
      else this.#journal.push([renamed]);
    }
    super.changeName(folder, name, node);
  }

  #lose({ entries }: MemoryNode, chance: Chance): void {
    for (const node of entries.values()) {
      this.#lose(node, chance);
      const { bytes, synced } = node;
      if (bytes === synced || node.kind !== "file") continue;
      node.bytes = node.synced = chance.pick([
        bytes,
        synced,
        bytes.slice(0, chance.below(bytes.length + 1)),
        new Uint8Array(bytes.length),
      ]);
    }
  }

  #names(folder: string): string[] {
    return [...this.at(`${ROOT}/${folder}`)?.entries.keys() ?? []];
  }
}

/** What verifies a file. */
export function digestOf(bytes: Uint8Array): Digest {
  return { size: bytes.length, sha256: sha256Hex(bytes) };
}
