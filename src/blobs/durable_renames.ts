/**
 * Strict durability of names: a value is acknowledged when its folder has been
 * synced, and what may have been renamed without that is remembered.
 *
 * @module
 */

import { PRIVATE_FOLDER } from "../../workers/root_names.ts";
import { FolderSyncs } from "./folder_syncs.ts";

/** Renames that were cut off, about 200 bytes each; if there are more, all are in doubt. */
const MAX_DOUBTFUL = 100_000;

/** Renames that are to be durable; in relaxed mode nothing is done. */
export class DurableRenames {
  readonly #syncs: FolderSyncs | undefined;
  readonly #doubtful = new Set<string>();
  #tooMany = false;

  /** `syncFolder` is absent in relaxed mode. */
  constructor(syncFolder?: (folder: string) => Promise<void>) {
    this.#syncs = syncFolder && new FolderSyncs(syncFolder);
  }

  /** Whether there is anything to do after a rename. */
  get areDurable(): boolean {
    return this.#syncs !== undefined;
  }

  /** Puts what has been renamed into the private folder on the disk. */
  async syncPrivate(): Promise<void> {
    await this.#syncs?.sync(PRIVATE_FOLDER);
  }

  /** A value was perhaps renamed to its name, and not synced. */
  doubt(name: string): void {
    if (!this.#syncs) return;
    if (this.#doubtful.size < MAX_DOUBTFUL) this.#doubtful.add(name);
    else this.#tooMany = true;
  }

  /** Whether a value has to be synced before it counts as published. */
  isDoubtful(name: string): boolean {
    return this.#tooMany || this.#doubtful.has(name);
  }

  /** Puts the name on the disk, which ends the doubt. */
  async settle(name: string): Promise<void> {
    if (!this.#syncs) return;
    await this.#syncs.sync(folderOf(name));
    this.#doubtful.delete(name);
  }

  /** The value is gone: it does not matter any more whether its rename is durable. */
  forget(name: string): void {
    this.#doubtful.delete(name);
  }
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/"));
}
