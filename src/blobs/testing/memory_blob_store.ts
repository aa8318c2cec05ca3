/**
 * The blob store in memory, for tests and a server that keeps nothing: what
 * runs on a folder, on files in memory. Its "paths" name nothing; `stage`
 * stands in for the client.
 *
 * @module
 */

import { type Clock, systemClock } from "../../clock.ts";
import { WorkerBlobStore } from "../worker_blob_store.ts";
import { InlineWorker } from "./inline_worker.ts";
import { MemoryFiles } from "./memory_files.ts";

/** Only names something in messages and replies. */
const ROOT = "/memory";

/** Values in memory. */
export class MemoryBlobStore extends WorkerBlobStore {
  readonly #files: MemoryFiles;

  /** Starts empty. */
  constructor(clock: Clock = systemClock) {
    const files = new MemoryFiles(ROOT, () => clock.wallMs());
    const { ino, dev } = files.lstat(ROOT);
    const folder = { root: ROOT, ino: String(ino), dev };
    super(folder, {
      clock,
      workers: 1,
      bootId: "memory",
      spawn: () => new InlineWorker(files),
    });
    this.#files = files;
  }

  /** What a client does at a staging path; without bytes: no regular file. */
  stage(staging: string, bytes?: Uint8Array): void {
    const node = bytes
      ? this.#files.node("file", bytes.slice())
      : this.#files.node("other");
    this.#files.place(this.local.stagingPath(staging), node);
  }

  /** Changes a value behind the store's back, as a failing disk does. */
  tamper(name: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const path = this.local.path(name);
    const { bytes } = this.#files.at(path)!;
    this.#files.place(path, this.#files.node("file", change(bytes.slice())));
  }
}
