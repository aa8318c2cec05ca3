/**
 * Keeps the quotas: takes entries away, least recently used first, in batches,
 * beside everything else that goes on.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import type { Clock, Timer } from "../clock.ts";
import { type LarderError, messageOf } from "../errors.ts";
import type { Log } from "../log/log.ts";
import {
  EVICTION_INTERVAL_MS,
  EVICTION_PAUSE_MS,
  EVICTIONS_AT_ONCE,
  FREE_FILES_SLACK,
  FULL_INTERVAL_MS,
  HANDED_SHARE,
  KEPT_FREE_FILES,
} from "../limits.ts";
import type { AgedEntry, Manifest } from "../manifest/manifest.ts";
import type { Excess } from "../table/room.ts";
import { DISK, EVERYTHING } from "../table/scope.ts";
import type { Disk, EntryKey } from "../table/types.ts";
import { removeEmptyFolders } from "./empty_folders.ts";
import type { Engine } from "./engine.ts";
import { removeLeftFiles } from "./expired_work.ts";
import { keptFree, type MinFree } from "./free_space.ts";
import { oldestFirst } from "./oldest_first.ts";
import {
  concernsAll,
  Departures,
  type EvictionReason,
  type Freed,
} from "./departures.ts";

/** What an evictor works on. */
export interface EvictorOptions {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Takes a line for the log. */
  readonly warn: Log;
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

/** For how long a round takes away what is over; the rest is the next round's. */
const MAX_EXPIRY_MS = 200;

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
  readonly #reasons = { room: 0, age: 0, ttl: 0 };
  readonly #departures: Departures;
  /** Somebody needs room, while what was chosen before is still going. */
  #call: PromiseWithResolvers<void> | undefined;
  #isCalled = false;
  /** The namespaces that the sweep under way has taken entries from. */
  readonly #takenFrom = new Set<string>();
  /** What clients left long ago is not looked for before then. */
  #leftDueMs = -Infinity;
  /** It has been said that what has to go cannot go. */
  #toldStuck = false;
  /** It has been said that no value can be kept. */
  #toldFull = false;

  /** Nothing runs before `start`. */
  constructor(options: EvictorOptions) {
    this.#options = options;
    this.#startMs = options.clock.nowMs();
    this.#startWallMs = options.clock.wallMs();
    this.#departures = new Departures(
      options.engine,
      ({ namespace, key, size = 0 }, why) => {
        const noted = { reason: why, namespace, key, bytes: size };
        options.engine.lately.note("evicted", noted);
        this.#reasons[why]++;
        this.#stats.bytes += size;
        this.#stats.entries++;
        this.#takenFrom.add(namespace);
      },
    );
  }

  /** What was taken away so far. */
  get stats(): EvictorStats {
    return { ...this.#stats };
  }

  /** How many values went, and why. */
  get reasons(): Readonly<Record<EvictionReason, number>> {
    return { ...this.#reasons };
  }

  /** Has the table know what is kept, and how the disk stands. */
  look(): Promise<void> {
    return this.#guarded(() => this.#look());
  }

  /** Looks at once, then from time to time, and when the engine says so. */
  async start(): Promise<void> {
    this.#options.engine.onCrowded = (urgent) => {
      if (!this.#call) {
        return this.#schedule(urgent ? 0 : EVICTION_PAUSE_MS);
      }
      this.#isCalled = true;
      this.#call.resolve();
    };
    // Until then the table knows of nothing that is kept.
    await this.look();
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
    const { engine, maxAgeMs } = this.#options;
    this.#takenFrom.clear();
    let crowded: readonly Excess[] = [];
    try {
      // First: what is over makes room for what would have to go else.
      await this.#removeOver();
      crowded = await this.#look();
      if (await this.#removeLeft(crowded)) crowded = await this.#look();
      if (crowded.length > 0 || maxAgeMs !== undefined) {
        // What was used a moment ago must not look old.
        await engine.flushUses();
      }
      const stuck = await this.#choose(crowded);
      if (maxAgeMs !== undefined) await this.#removeOld(maxAgeMs);
      this.#conclude(stuck);
      await this.#follow();
      if (this.#departures.blocked) this.#giveUp(crowded);
    } catch (error) {
      this.#giveUp(crowded);
      throw error;
    }
    // The table's own count is a guess where rows do not know their size.
    if (this.#takenFrom.size > 0) await this.#look();
  }

  /** Where the disk is short, what clients have left goes first. */
  async #removeLeft(crowded: readonly Excess[]): Promise<boolean> {
    const { clock, engine } = this.#options;
    const isShort = engine.full !== undefined ||
      crowded.some(({ limit }) => limit === DISK);
    if (!isShort) return false;
    const nowMs = clock.nowMs();
    // What expired long ago is on the disk only: that is looked for now and then.
    if (nowMs < this.#leftDueMs && !engine.hasExpired) return false;
    this.#leftDueMs = nowMs + EVICTION_INTERVAL_MS;
    return await removeLeftFiles(this.#options) > 0;
  }

  /** Whoever waits for room is told what came of it, and may call again. */
  #conclude(stuck: readonly string[]): void {
    this.#call = Promise.withResolvers();
    this.#tellSwept(stuck);
  }

  /** Nothing can go, whoever may call. */
  #giveUp(crowded: readonly Excess[]): void {
    this.#call = undefined;
    this.#isCalled = false;
    this.#tellSwept(crowded.map(({ limit }) => limit));
    this.#tellFull();
  }

  #tellSwept(stuck: readonly string[]): void {
    const { blocked } = this.#departures;
    const why = blocked && { why: whyBlocked(blocked) };
    this.#options.engine.feed({ kind: "swept", stuck, ...why });
  }

  /** Until all that was chosen has gone, chooses more where that is needed. */
  async #follow(): Promise<void> {
    const { clock } = this.#options;
    // Then what is kept is counted anew, and the disk is looked at.
    const endMs = clock.nowMs() + EVICTION_INTERVAL_MS;
    while (this.#call) {
      const done = this.#departures.whenDone();
      await Promise.race([done, this.#call.promise]);
      if (!this.#isCalled || this.#closed || clock.nowMs() >= endMs) break;
      this.#isCalled = false;
      const excess = this.#stillExcess();
      // Enough was chosen, and is being looked up before it is counted out.
      if (excess.length === 0) await Promise.race([done, this.#pause()]);
      this.#conclude(await this.#choose(excess));
    }
    this.#call = undefined;
    await this.#departures.whenDone();
    if (!this.#isCalled) return;
    this.#isCalled = false;
    this.#schedule(0);
  }

  #pause(): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => clock.setTimer(EVICTION_PAUSE_MS, resolve));
  }

  /** What has to go beside what has been chosen. */
  #stillExcess(): readonly Excess[] {
    return this.#options.engine.excess().flatMap((excess) => {
      const counted = this.#departures.counted(excess);
      const bytes = excess.bytes - counted.bytes;
      const entries = excess.entries - counted.entries;
      return bytes > 0 || entries > 0 ? { ...excess, bytes, entries } : [];
    });
  }

  /** Chooses what goes; the limits for which nothing could. */
  async #choose(crowded: readonly Excess[]): Promise<readonly string[]> {
    const stuck: string[] = [];
    for (const excess of crowded) {
      if (!await this.#free(excess)) stuck.push(excess.limit);
    }
    return stuck;
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
    this.#tellFull();
    return engine.excess();
  }

  /** The log hears once that nothing can be kept, and once that it can again. */
  #tellFull(): void {
    const { engine, warn } = this.#options;
    const { full } = engine;
    // Others may make room at any moment, and nobody says so.
    if (full !== undefined) this.#schedule(FULL_INTERVAL_MS);
    // In a stop nothing goes, and nothing comes.
    if (this.#departures.isStopped) return;
    if ((full !== undefined) === this.#toldFull) return;
    this.#toldFull = full !== undefined;
    if (full !== undefined) warn(`no value can be kept: ${full}`);
    else warn("values can be kept again", { level: "info" });
  }

  async #disk(): Promise<Disk | undefined> {
    const { blobs, minFree } = this.#options;
    const space = minFree && await blobs.space();
    if (!space) return undefined;
    const keptBytes = keptFree(minFree, space);
    const roomBytes = Math.floor(space.freeBytes - keptBytes);
    const sizeBytes = Math.floor(space.totalBytes - keptBytes);
    const slackBytes = Math.ceil(keptBytes * SLACK_SHARE);
    const { blockBytes, freeFiles } = space;
    return {
      roomBytes,
      keptBytes: Math.ceil(keptBytes),
      sizeBytes,
      slackBytes,
      blockBytes,
      ...freeFiles !== undefined && {
        files: {
          roomFiles: freeFiles - KEPT_FREE_FILES,
          keptFiles: KEPT_FREE_FILES,
          slackFiles: FREE_FILES_SLACK,
        },
      },
    };
  }

  /** Whether anything goes. */
  async #free(excess: Excess): Promise<boolean> {
    const { pattern, bytes, entries, blockBytes } = excess;
    const freed: Freed = { why: "room", blockBytes, bytes: 0, entries: 0 };
    const candidates = this.#oldest(pattern);
    const lacks = () => freed.bytes < bytes || freed.entries < entries;
    await this.#evict(candidates, lacks, freed);
    // Of those on their way, some may stay.
    if (lacks()) await this.#departures.whenDone();
    // That is told as what it is.
    if (this.#departures.blocked) return freed.entries > 0;
    const isShort = lacks();
    if (
      isShort && !this.#toldStuck && !this.#closed &&
      !this.#departures.isStopped
    ) {
      this.#options.warn(
        `cannot keep ${limitOf(excess)}: ${bytes} bytes and ${entries} ` +
          `values had to go, ${freed.bytes} and ${freed.entries} went; ` +
          (freed.entries < excess.keptEntries
            ? "what is left is in use, was handed out before the restart, or " +
              "is being computed"
            : "nothing is left that could go"),
      );
    }
    this.#toldStuck = isShort;
    return freed.entries > 0 || this.#departures.isStopped;
  }

  /**
   * What has outlived its time, but for what may still be in hands. Whoever
   * waits for room waits for no more than a part of it.
   */
  async #removeOver(): Promise<void> {
    const { clock, manifest } = this.#options;
    const handedBeforeMs = this.#handedBeforeMs ?? Infinity;
    const atMs = clock.wallMs();
    const endMs = clock.nowMs() + MAX_EXPIRY_MS;
    const running = new Set<Promise<void>>();
    let isOver = false;
    let cursor: string | undefined;
    do {
      const page = await manifest.expired(atMs, cursor);
      for (const entry of page.items) {
        if (this.#closed || isOver) break;
        if ((entry.handedMs ?? -Infinity) >= handedBeforeMs) continue;
        const done = this.#takeOver(entry).then((mayGoOn) => {
          running.delete(done);
          isOver ||= !mayGoOn;
        });
        running.add(done);
        if (running.size >= EVICTIONS_AT_ONCE) await Promise.race(running);
        if (clock.nowMs() < endMs) continue;
        isOver = true;
        this.#schedule(EVICTION_PAUSE_MS);
      }
      cursor = page.cursor;
    } while (cursor !== undefined && !this.#closed && !isOver);
    await Promise.all(running);
  }

  /** False: the others would be refused just so. */
  async #takeOver({ name, namespace, key }: EntryKey): Promise<boolean> {
    const entry = { name, namespace, key };
    const { engine } = this.#options;
    const reply = await engine.ask({ kind: "evict", entry, over: true });
    if (reply.kind === "ok") {
      this.#takenFrom.add(namespace);
      this.#reasons.ttl++;
      engine.lately.note("evicted", { reason: "ttl", namespace, key });
    }
    if (reply.kind !== "error") return true;
    return reply.error.code !== "stopping" && !concernsAll(reply.error);
  }

  async #removeOld(maxAgeMs: number): Promise<void> {
    const beforeMs = this.#options.clock.wallMs() - maxAgeMs;
    const isOld = ({ accessedMs }: AgedEntry) => accessedMs < beforeMs;
    const candidates = this.#oldest(EVERYTHING);
    const freed: Freed = { why: "age", blockBytes: 1, bytes: 0, entries: 0 };
    await this.#evict(candidates, isOld, freed);
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

  /** Takes candidates away, as long as they are wanted to go. */
  async #evict(
    candidates: AsyncIterable<AgedEntry>,
    goesOn: (next: AgedEntry) => boolean,
    freed: Freed,
  ): Promise<void> {
    for await (const entry of candidates) {
      if (this.#closed || this.#departures.isStopped || !goesOn(entry)) break;
      if (this.#departures.has(entry.name)) continue;
      this.#departures.take(entry, freed);
      await this.#departures.whenFree();
      if (this.#departures.blocked) break;
    }
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

/** For people: why nothing that is kept can go. */
function whyBlocked({ code }: LarderError): string {
  return code === "storage-full"
    ? "none of them can go: the disk is so full that it cannot be written down " +
      "what goes; make room on it"
    : "none of them can go: the manifest takes no writes, and the log says why";
}

/** For people: what covers everything is no quota of a namespace. */
function limitOf({ limit, bytes }: Excess): string {
  if (limit === DISK) {
    return bytes > 0 ? "room on the disk" : "free inodes on the disk";
  }
  if (limit !== EVERYTHING) return `the quota of ${limit}`;
  return bytes > 0 ? "--max-bytes" : "--max-entries";
}
