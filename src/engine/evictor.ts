/**
 * Keeps the quotas: takes entries away, least recently used first, in batches,
 * beside everything else that goes on.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import type { Clock, Timer } from "../clock.ts";
import { messageOf } from "../errors.ts";
import {
  EVICTION_INTERVAL_MS,
  EVICTION_PAUSE_MS,
  EVICTIONS_AT_ONCE,
  HANDED_SHARE,
} from "../limits.ts";
import type { AgedEntry, Manifest } from "../manifest/manifest.ts";
import type { Excess } from "../table/room.ts";
import { EVERYTHING } from "../table/scope.ts";
import type { Disk, EntryKey } from "../table/types.ts";
import { removeEmptyFolders } from "./empty_folders.ts";
import type { Engine } from "./engine.ts";
import { keptFree, type MinFree } from "./free_space.ts";
import { oldestFirst } from "./oldest_first.ts";

/** What an evictor works on. */
export interface EvictorOptions {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Takes a line for the log. */
  readonly warn: (message: string) => void;
  /** What has to stay free on the disk: bytes, or a share of it in percent. */
  readonly minFree?: MinFree;
  /** Entries that nobody used for so long go; absent: none do. */
  readonly maxAgeMs?: number;
  /** How long a handle pins: nothing handed out before a restart goes for so long. */
  readonly handleLeaseMs: number;
}

/** What was taken away since the start. */
export interface EvictorStats {
  readonly entries: number;
  readonly bytes: number;
}

/** Of what has to be freed on a disk, a tenth more, so that it lasts a while. */
const SLACK_SHARE = 0.1;

/** Takes entries away when it is told to, and looks from time to time. */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #startWallMs: number;
  readonly #startMs: number;
  #next: { readonly dueMs: number; readonly timer: Timer } | undefined;
  #running: Promise<void> = Promise.resolve();
  /** A sweep that waits its turn. */
  #queued: Promise<EvictorStats> | undefined;
  #closed = false;
  #stats = { entries: 0, bytes: 0 };
  /** The namespaces that the sweep under way has taken entries from. */
  readonly #takenFrom = new Set<string>();
  /** It has been said that what has to go cannot go. */
  #toldStuck = false;

  /** Nothing runs before `start`. */
  constructor(options: EvictorOptions) {
    this.#options = options;
    this.#startMs = options.clock.nowMs();
    this.#startWallMs = options.clock.wallMs();
  }

  /** What was taken away so far. */
  get stats(): EvictorStats {
    return { ...this.#stats };
  }

  /** Looks at once, then from time to time, and when the engine says so. */
  async start(): Promise<void> {
    this.#options.engine.onCrowded = (urgent) =>
      this.#schedule(urgent ? 0 : EVICTION_PAUSE_MS);
    // Until the first look the table knows of nothing that is kept.
    await this.#guarded(() => this.#look());
    this.#schedule(0);
    this.#running = this.#running.then(() =>
      this.#guarded(() => this.#measureAll())
    );
  }

  /** Stops after the operations that are under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#next?.timer.cancel();
    await this.#running;
  }

  /**
   * Looks, and takes away what has to go; after what is under way. Resolves to
   * what that was. Never rejects.
   */
  sweep(): Promise<EvictorStats> {
    // One that has not begun is as good as another behind it.
    return this.#queued ??= this.#sweepNext();
  }

  async #sweepNext(): Promise<EvictorStats> {
    const swept = { entries: 0, bytes: 0 };
    this.#running = this.#running.then(() => {
      this.#queued = undefined;
      return this.#guarded(async () => {
        const before = this.stats;
        await this.#round();
        swept.entries = this.#stats.entries - before.entries;
        swept.bytes = this.#stats.bytes - before.bytes;
      });
    });
    await this.#running;
    return swept;
  }

  async #round(): Promise<void> {
    const stuck = new Set<string>();
    try {
      await this.#makeRoom(stuck);
    } finally {
      // Whoever waits for it is told, whatever came of it.
      this.#options.engine.feed({ kind: "swept", stuck: [...stuck] });
    }
  }

  /** Adds the patterns of which nothing could go. */
  async #makeRoom(stuck: Set<string>): Promise<void> {
    this.#takenFrom.clear();
    // First: what is over makes room for what would have to go else.
    await this.#removeOver();
    const crowded = await this.#look();
    const { engine, maxAgeMs } = this.#options;
    if (crowded.length === 0 && maxAgeMs === undefined) return;
    for (const { pattern } of crowded) stuck.add(pattern);
    // What was used a moment ago must not look old.
    await engine.flushUses();
    for (const excess of crowded) {
      if (await this.#free(excess)) stuck.delete(excess.pattern);
    }
    if (maxAgeMs !== undefined) await this.#removeOld(maxAgeMs);
    // The table's own count is a guess where rows do not know their size.
    if (this.#takenFrom.size > 0) await this.#look();
  }

  /** Has the table know what is kept; says what has to go. */
  async #look(): Promise<readonly Excess[]> {
    const { engine, manifest } = this.#options;
    const disk = await this.#disk();
    const usage = await manifest.usage();
    engine.feed({ kind: "usage", usage, ...disk && { disk } });
    if (this.#takenFrom.size > 0) {
      await removeEmptyFolders(this.#options.blobs, this.#takenFrom, { usage });
    }
    return engine.excess();
  }

  async #disk(): Promise<Disk | undefined> {
    const { blobs, minFree } = this.#options;
    const space = minFree && await blobs.space();
    if (!space) return undefined;
    const keptBytes = keptFree(minFree, space);
    const roomBytes = Math.floor(space.freeBytes - keptBytes);
    return { roomBytes, slackBytes: Math.ceil(keptBytes * SLACK_SHARE) };
  }

  /** Whether anything has gone. */
  async #free({ pattern, bytes, entries }: Excess): Promise<boolean> {
    const freed = { bytes: 0, entries: 0 };
    const candidates = this.#oldest(pattern);
    await this.#evict(candidates, () => {
      return freed.bytes < bytes || freed.entries < entries;
    }, freed);
    const isShort = freed.bytes < bytes || freed.entries < entries;
    if (isShort && !this.#toldStuck && !this.#closed) {
      this.#options.warn(
        `cannot keep the quota of ${pattern}: ${bytes} bytes and ${entries} ` +
          `values had to go, ${freed.bytes} and ${freed.entries} went; what ` +
          "is left is in use, was handed out before the restart, or is being " +
          "computed",
      );
    }
    this.#toldStuck = isShort;
    return freed.entries > 0;
  }

  /** What has outlived its time, but for what may still be in hands. */
  async #removeOver(): Promise<void> {
    const { clock, manifest } = this.#options;
    const handedBeforeMs = this.#handedBeforeMs ?? Infinity;
    const atMs = clock.wallMs();
    const running = new Set<Promise<void>>();
    let cursor: string | undefined;
    do {
      const page = await manifest.expired(atMs, cursor);
      for (const entry of page.items) {
        if (this.#closed) break;
        if ((entry.handedMs ?? -Infinity) >= handedBeforeMs) continue;
        const done = this.#take(entry, { over: true }).then((gone) => {
          running.delete(done);
          if (gone) this.#takenFrom.add(entry.namespace);
        });
        running.add(done);
        if (running.size >= EVICTIONS_AT_ONCE) await Promise.race(running);
      }
      cursor = page.cursor;
    } while (cursor !== undefined && !this.#closed);
    await Promise.all(running);
  }

  async #removeOld(maxAgeMs: number): Promise<void> {
    const beforeMs = this.#options.clock.wallMs() - maxAgeMs;
    const isOld = ({ accessedMs }: AgedEntry) => accessedMs < beforeMs;
    const candidates = this.#oldest(EVERYTHING);
    await this.#evict(candidates, isOld, { bytes: 0, entries: 0 });
  }

  #oldest(pattern: string): AsyncIterable<AgedEntry> {
    const { manifest } = this.#options;
    const handedBeforeMs = this.#handedBeforeMs;
    return oldestFirst(manifest, {
      pattern,
      ...handedBeforeMs !== undefined && { handedBeforeMs },
    });
  }

  /**
   * What was handed out since then may still be in hands, though nobody knows of
   * it since the restart; absent: all handles are known. A row is written once
   * in half a lease, so that one that says "handed out one and a half leases
   * ago" may stand for a handle of one lease ago.
   */
  get #handedBeforeMs(): number | undefined {
    const { clock, manifest, handleLeaseMs } = this.#options;
    const isProtected = manifest.servedBefore &&
      clock.nowMs() < this.#startMs + handleLeaseMs;
    return isProtected
      ? this.#startWallMs - HANDED_SHARE * handleLeaseMs
      : undefined;
  }

  /** Takes candidates away, some at once, as long as they are wanted to go. */
  async #evict(
    candidates: AsyncIterable<AgedEntry>,
    goesOn: (next: AgedEntry) => boolean,
    freed: { bytes: number; entries: number },
  ): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const entry of candidates) {
      if (this.#closed || !goesOn(entry)) break;
      const size = entry.size ?? 0;
      // Counted before it has gone, so that no more go than have to.
      freed.bytes += size;
      freed.entries++;
      const done = this.#take(entry).then((gone) => {
        running.delete(done);
        if (!gone) {
          freed.bytes -= size;
          freed.entries--;
          return;
        }
        this.#stats.bytes += size;
        this.#stats.entries++;
        this.#takenFrom.add(entry.namespace);
      });
      running.add(done);
      if (running.size >= EVICTIONS_AT_ONCE) await Promise.race(running);
    }
    await Promise.all(running);
  }

  async #take(
    entry: EntryKey,
    how: { readonly over?: true } = {},
  ): Promise<boolean> {
    const { name, namespace, key } = entry;
    const reply = await this.#options.engine.ask({
      kind: "evict",
      entry: { name, namespace, key },
      ...how,
    });
    // The others would be refused just so, and no quota is to blame.
    if (reply.kind === "error" && reply.error.code === "stopping") {
      this.#closed = true;
    }
    return reply.kind === "ok";
  }

  /** Rows of the original server say neither size nor when they were used. */
  async #measureAll(): Promise<void> {
    const { manifest, blobs } = this.#options;
    let cursor: string | undefined;
    do {
      const page = await manifest.unmeasured(cursor);
      for (const entry of page.items) {
        if (this.#closed) return;
        const found = await blobs.measure(entry.name);
        if (!found) continue;
        const { size, modifiedMs: accessedMs } = found;
        await manifest.measure(entry, { size, accessedMs });
      }
      cursor = page.cursor;
    } while (cursor !== undefined && !this.#closed);
  }

  /** One timer: the next look, at the latest when it was due before. */
  #schedule(inMs: number): void {
    const { clock } = this.#options;
    const dueMs = clock.nowMs() + inMs;
    if (this.#closed || (this.#next && this.#next.dueMs <= dueMs)) return;
    this.#next?.timer.cancel();
    const timer = clock.setTimer(inMs, () => {
      this.#next = undefined;
      this.sweep().then(() => this.#schedule(EVICTION_INTERVAL_MS));
    });
    this.#next = { dueMs, timer };
  }

  async #guarded(work: () => Promise<unknown>): Promise<void> {
    if (this.#closed) return;
    try {
      await work();
    } catch (error) {
      if (this.#closed) return;
      this.#options.warn(`an eviction did not finish: ${messageOf(error)}`);
    }
  }
}
