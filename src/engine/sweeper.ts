/**
 * Removes what nobody needs while the server runs: blobs that no row owns, and
 * the rows of assignments that expired long ago.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import type { Clock, Timer } from "../clock.ts";
import { messageOf } from "../errors.ts";
import {
  EXPIRED_ON_DISK_MS,
  JANITOR_INTERVAL_MS,
  MAX_UNSETTLED,
} from "../limits.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { discardAll, takeOwned } from "./unowned_staging.ts";
import { removeEmptyFolders } from "./empty_folders.ts";
import type { Engine } from "./engine.ts";
import { removeExpired } from "./expired_work.ts";

/** What a sweeper works on. */
export interface SweeperOptions {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Takes a line for the log. */
  readonly warn: (message: string) => void;
}

/** Sweeps at its start and from time to time, one operation after the other. */
export class Sweeper {
  readonly #options: SweeperOptions;
  #timer: Timer | undefined;
  #closed = false;
  #running: Promise<void> = Promise.resolve();

  /** Nothing runs before `start`. */
  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Sweeps once now, and removes expired assignments from time to time. */
  start(): void {
    this.#running = this.#guarded(() => this.sweepBlobs())
      .then(() => this.#guarded(() => this.removeFolders()));
    this.#schedule();
  }

  /** Stops after the operation that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Deletes the blobs that no row owns; returns how many there were. */
  async sweepBlobs(): Promise<number> {
    const { blobs } = this.#options;
    let swept = 0;
    for (const namespace of await blobs.namespaces()) {
      if (this.#closed) break;
      const unowned = new Set(await blobs.list(namespace));
      if (unowned.size > 0) await this.#keepOwned(namespace, unowned);
      for (const digest of unowned) {
        if (this.#closed) break;
        // The engine decides: a name that has become active is left alone.
        const name = `${namespace}/${digest}`;
        const reply = await this.#options.engine.ask({ kind: "sweep", name });
        if (reply.kind === "ok") swept++;
      }
    }
    if (swept > 0) {
      this.#options.warn(`removed ${swept} files that no entry owned`);
    }
    return swept;
  }

  /** Removes the folders of namespaces that hold nothing; returns how many. */
  async removeFolders(): Promise<number> {
    const { manifest, blobs } = this.#options;
    if (this.#closed || !blobs.removeEmpty) return 0;
    const namespaces = await blobs.namespaces();
    const usage = await manifest.usage();
    return await removeEmptyFolders(blobs, namespaces, { usage, ours: true });
  }

  /** Removes the assignments nobody has come back to; returns how many. */
  async removeStale(): Promise<number> {
    const { engine, manifest, clock } = this.#options;
    let removed = 0;
    let cursor: string | undefined;
    do {
      const before = clock.wallMs() - EXPIRED_ON_DISK_MS;
      const page = await manifest.stale(before, cursor);
      for (const entry of page.items) {
        if (this.#closed) return removed;
        if (await removeExpired(engine, entry)) removed++;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return removed;
  }

  /**
   * Removes expired assignments, the oldest first, where there are more than a
   * start may be asked to take back; returns how many.
   */
  async boundUnsettled(max = MAX_UNSETTLED): Promise<number> {
    const { engine, manifest } = this.#options;
    let tooMany = await this.#countUnsettled() - max;
    let removed = 0;
    let cursor: string | undefined;
    while (tooMany > 0 && !this.#closed) {
      const page = await manifest.unsettled(cursor);
      for (const row of page.items) {
        if (this.#closed || tooMany <= 0) break;
        if (row.status !== "loading") continue;
        if (!await removeExpired(engine, row)) continue;
        tooMany--;
        removed++;
      }
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    if (removed > 0) {
      this.#options.warn(
        `removed ${removed} assignments that had expired: more than ${max} ` +
          "were left behind",
      );
    }
    return removed;
  }

  async #countUnsettled(): Promise<number> {
    let count = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#options.manifest.unsettled(cursor);
      count += page.items.length;
      cursor = page.cursor;
    } while (cursor !== undefined && !this.#closed);
    return count;
  }

  /**
   * Removes the staging files of assignments that are no more: a client that
   * lost its work may write all the same. Returns how many there were.
   */
  async sweepStaging(): Promise<number> {
    const { manifest, blobs } = this.#options;
    const left = await blobs.local?.leftovers();
    if (left?.tooMany) {
      this.#options.warn(
        "the staging folder holds so many files that they cannot be listed: " +
          "stop the server and its clients, and remove the folder .staging",
      );
    }
    const unowned = new Set(left?.staging);
    for await (const _ of takeOwned(manifest, unowned)) {
      // What was cut short proves nothing.
      if (this.#closed) return 0;
    }
    return await discardAll(blobs, unowned, (line) => {
      if (!this.#closed) this.#options.warn(line);
    });
  }

  async #keepOwned(namespace: string, unowned: Set<string>): Promise<void> {
    const { manifest } = this.#options;
    let cursor: string | undefined;
    do {
      const page = await manifest.names(namespace, cursor);
      for (const digest of page.items) unowned.delete(digest);
      cursor = page.cursor;
    } while (cursor !== undefined && unowned.size > 0 && !this.#closed);
    // A listing that was cut short proves nothing.
    if (this.#closed) unowned.clear();
  }

  #schedule(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(JANITOR_INTERVAL_MS, () => {
      this.#running = this.#running
        .then(() => this.#guarded(() => this.removeStale()))
        .then(() => this.#guarded(() => this.boundUnsettled()))
        .then(() => this.#guarded(() => this.sweepStaging()))
        .then(() => this.#guarded(() => this.removeFolders()))
        .then(() => {
          if (!this.#closed) this.#schedule();
        });
    });
  }

  async #guarded(sweep: () => Promise<number>): Promise<void> {
    try {
      await sweep();
    } catch (error) {
      if (this.#closed) return;
      this.#options.warn(`a sweep did not finish: ${messageOf(error)}`);
    }
  }
}
