/**
 * Takes ready entries of a namespace away, a page at a time: those whose keys
 * begin alike, that are old, or that nobody has read for a while.
 *
 * Nothing is held up by it. A page looks at a bounded number of rows and takes
 * a bounded time, its entries go one by one through the table like those of an
 * eviction, and whoever asks for the next page says where it begins.
 *
 * @module
 */

import type { BlobStore } from "../blobs/blob_store.ts";
import type { Clock } from "../clock.ts";
import { EVICTIONS_AT_ONCE, REMOVAL_PAGE_MS } from "../limits.ts";
import type { Log } from "../log/log.ts";
import type { EntryInfo, Manifest } from "../manifest/manifest.ts";
import { removeEmptyFolder } from "./empty_folders.ts";
import type { Engine } from "./engine.ts";
import { entryKey } from "./entry_key.ts";

/** Which entries of a namespace are meant: those for which all of it is true. */
export interface Selection {
  /** What their keys begin with; empty: anything. */
  readonly prefix: Uint8Array;
  /** They were published so long ago, at the least; absent: at any time. */
  readonly olderThanMs?: number;
  /** Nobody has read them for so long; absent: whoever has. */
  readonly unreadForMs?: number;
}

/** What a removal works on. */
export interface RemovalOptions {
  readonly engine: Pick<Engine, "ask" | "isLive" | "flushUses">;
  readonly manifest: Pick<Manifest, "list" | "stat">;
  readonly blobs: Pick<BlobStore, "removeEmpty">;
  readonly clock: Clock;
  /** Takes what is for the log. */
  readonly warn: Log;
}

/** Which page, and what to do with it. */
export interface RemovalPage {
  /** Rows that are looked at, at most. */
  readonly limit: number;
  /** Of the page before. */
  readonly cursor?: string;
  /** Only counts. */
  readonly dryRun: boolean;
}

/** What became of a page. */
export interface Removed {
  /** Entries that are gone, or would be. */
  readonly entries: number;
  /** Of their values. */
  readonly bytes: number;
  /** Those that stay because they are being read or computed. */
  readonly inUse: number;
  /** Where the next page begins; absent: this was the last. */
  readonly cursor?: string;
}

/** Counts while it takes entries away. */
interface Counts {
  entries: number;
  bytes: number;
  inUse: number;
}

/** Takes entries away that people name. */
export class Removal {
  readonly #options: RemovalOptions;

  /** Holds nothing itself. */
  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /**
   * One page of a namespace.
   *
   * @throws {LarderError} `stopping`, or what the manifest or the disk failed
   * with; what has gone by then is gone.
   */
  async page(
    namespace: string,
    selection: Selection,
    { limit, cursor, dryRun }: RemovalPage,
  ): Promise<Removed> {
    const { engine, clock } = this.#options;
    // What was read a moment ago must not look unread.
    if (selection.unreadForMs !== undefined) await engine.flushUses();
    const untilMs = clock.nowMs() + REMOVAL_PAGE_MS;
    const found = await this.#find(namespace, selection, { limit, cursor });
    const isMeant = this.#judge(selection);
    const counts: Counts = { entries: 0, bytes: 0, inUse: 0 };
    const running = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | undefined;
    let next = found.cursor;
    for (const [at, info] of found.items.entries()) {
      if (failure) break;
      // After the second at the earliest: the key of the first may be empty.
      if (at > 1 && clock.nowMs() >= untilMs) {
        next = found.items[at - 1]!.key.toHex();
        break;
      }
      if (info.status !== "ready") {
        if (isMeant(info) && engine.isLive(info.name)) counts.inUse++;
      } else if (!isMeant(info)) {
        continue;
      } else if (dryRun) {
        counts.entries++;
        counts.bytes += info.size ?? 0;
      } else {
        const done = this.#take(info, counts)
          .catch((error) => void (failure ??= { error }))
          .finally(() => running.delete(done));
        running.add(done);
        if (running.size >= EVICTIONS_AT_ONCE) await Promise.race(running);
      }
    }
    await Promise.all(running);
    if (failure) throw failure.error;
    if (next !== undefined) return { ...counts, cursor: next };
    if (!dryRun) await removeEmptyFolder(namespace, this.#options);
    return counts;
  }

  /** The rows of a page whose keys begin as they should. */
  async #find(
    namespace: string,
    { prefix }: Selection,
    { limit, cursor }: {
      readonly limit: number;
      readonly cursor: string | undefined;
    },
  ): Promise<{ readonly items: EntryInfo[]; readonly cursor?: string }> {
    const { manifest } = this.#options;
    const items: EntryInfo[] = [];
    const isFirst = cursor === undefined && prefix.length > 0;
    if (isFirst) {
      // A page begins after a key: the shortest one that is meant comes before.
      const shortest = await manifest.stat(entryKey(namespace, prefix));
      if (shortest) items.push(shortest);
    }
    const after = cursor ?? (isFirst ? prefix.toHex() : undefined);
    const page = await manifest.list(namespace, {
      limit,
      ...after !== undefined && { cursor: after },
    });
    for (const info of page.items) {
      // In the order of their bytes all that begin alike follow each other.
      if (!startsWith(info.key, prefix)) return { items };
      items.push(info);
    }
    return page.cursor === undefined ? { items } : {
      items,
      cursor: page.cursor,
    };
  }

  /** Times are compared as the server's clock shows them now. */
  #judge(
    { olderThanMs, unreadForMs }: Selection,
  ): (info: EntryInfo) => boolean {
    const wallMs = this.#options.clock.wallMs();
    const isBefore = (thenMs: number | undefined, ms: number | undefined) =>
      ms === undefined || (thenMs !== undefined && thenMs <= wallMs - ms);
    // Rows of the original server know less; what nobody knows the age of stays.
    return ({ createdMs, accessedMs }) =>
      isBefore(createdMs ?? accessedMs, olderThanMs) &&
      isBefore(accessedMs ?? createdMs, unreadForMs);
  }

  /** Takes the value away that was found, but none that has come in its place. */
  async #take(info: EntryInfo, counts: Counts): Promise<void> {
    const { name, namespace, key, sha256, size = 0 } = info;
    const reply = await this.#options.engine.ask({
      kind: "evict",
      entry: { name, namespace, key },
      ...sha256 !== undefined && { sha256 },
    });
    if (reply.kind === "ok") {
      counts.entries++;
      counts.bytes += size;
    } else if (reply.kind === "error") {
      if (reply.error.code !== "in-use") throw reply.error;
      counts.inUse++;
    }
  }
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return key.length >= prefix.length &&
    prefix.every((byte, at) => key[at] === byte);
}
