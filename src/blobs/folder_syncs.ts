/**
 * Group commit of folders: all who ask while a sync runs share the next one,
 * because the running one may have begun before their renames. Bookkeeping only;
 * the syncs themselves are done in the workers.
 *
 * @module
 */

/** Syncs each folder once for all who wait for it. */
export class FolderSyncs {
  readonly #sync: (folder: string) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /** `sync` puts on the disk whatever was renamed into a folder before the call. */
  constructor(sync: (folder: string) => Promise<void>) {
    this.#sync = sync;
  }

  /**
   * Puts what was renamed into a folder before this call on the disk.
   *
   * @param folder A namespace, or the private folder.
   * @returns Settles as the sync does that began after this call.
   */
  sync(folder: string): Promise<void> {
    const waiting = this.#next.get(folder);
    if (waiting) return waiting;
    const running = this.#running.get(folder);
    if (!running) return this.#begin(folder);
    const begin = () => {
      this.#next.delete(folder);
      return this.#begin(folder);
    };
    // The next one begins also when the running one fails.
    const next = running.then(begin, begin);
    this.#next.set(folder, next);
    return next;
  }

  #begin(folder: string): Promise<void> {
    const running = this.#sync(folder).finally(() => {
      if (this.#running.get(folder) === running) this.#running.delete(folder);
    });
    this.#running.set(folder, running);
    return running;
  }
}
