/**
 * Pictures of what a server is doing, for those who watch it: one is made when
 * somebody wants one, and serves all who want one at that moment.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { shownKey } from "../key_text.ts";
import {
  MAX_SHOWN_NAMESPACES,
  MAX_WATCHES,
  PICTURE_AGE_MS,
  USAGE_AGE_MS,
} from "../limits.ts";
import type { NamespaceUsage } from "../table/types.ts";
import type { Catalog, Doings, ServerStatus } from "./catalog.ts";
import type { Fill } from "./fills.ts";
import type { Known } from "./known.ts";
import type { Happening, Lately } from "./lately.ts";

/** Counts, for people: whole numbers. */
export interface DoingsPicture {
  readonly loading: number;
  readonly publishing: number;
  readonly handles: number;
  readonly waiting: number;
  readonly hits: number;
  readonly misses: number;
  readonly savedMs: number;
  readonly evictedEntries: number;
  readonly evictedBytes: number;
  readonly damaged: number;
}

/** Work that somebody has, for people. */
export interface WorkPicture {
  readonly namespace: string;
  readonly key: string;
  readonly holder: string;
  readonly computingMs: number;
  readonly quietMs: number;
  readonly waiting: number;
  readonly waiters: readonly string[];
  readonly publishing: boolean;
}

/** One screen. */
export interface StatusPicture extends DoingsPicture {
  readonly version: string;
  readonly upMs: number;
  readonly entries: number;
  readonly bytes: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly diskFreeBytes: number;
  readonly diskBytes: number;
  readonly trouble: string;
  readonly underWay: readonly WorkPicture[];
}

/** All that those see who watch: plain numbers and texts, a bounded number of them. */
export interface Picture {
  /** `ready`, or why it is not. */
  readonly phase: string;
  readonly status: StatusPicture;
  readonly fills: readonly Fill[];
  /** Those that take most. */
  readonly namespaces: readonly NamespaceUsage[];
  /** How many there are that have something. */
  readonly namespaceCount: number;
  /** The latest first. */
  readonly lately: readonly Happening[];
}

/** What pictures are made of. */
export interface PicturesOptions {
  readonly catalog: Pick<Catalog, "status">;
  /** What is kept, of all namespaces. */
  readonly usage: Known<readonly NamespaceUsage[]>;
  readonly lately: Pick<Lately, "happenings">;
  readonly fills: (status: ServerStatus) => readonly Fill[];
  readonly phase: () => string;
  readonly version: string;
  readonly clock: Clock;
}

/** Makes pictures, and knows how many watch. */
export class Pictures {
  readonly #options: PicturesOptions;
  #making: Promise<Picture> | undefined;
  #last: Picture | undefined;
  #madeMs = -Infinity;
  #watches = 0;

  /** Makes none yet. */
  constructor(options: PicturesOptions) {
    this.#options = options;
  }

  /** How many watch. */
  get watches(): number {
    return this.#watches;
  }

  /** Somebody wants to watch; `undefined`: too many do. Disposed when they go. */
  join(): Disposable | undefined {
    if (this.#watches >= MAX_WATCHES) return undefined;
    this.#watches++;
    let hasLeft = false;
    return {
      [Symbol.dispose]: () => {
        if (!hasLeft) this.#watches--;
        hasLeft = true;
      },
    };
  }

  /** How things are, or were a moment ago in the same phase. */
  async current(): Promise<Picture> {
    const { clock, phase } = this.#options;
    const isFresh = clock.nowMs() - this.#madeMs <= PICTURE_AGE_MS;
    if (isFresh && this.#last?.phase === phase()) return this.#last;
    return await (this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    }));
  }

  async #make(): Promise<Picture> {
    const { catalog, usage, lately, fills, clock, ...rest } = this.#options;
    const [status] = await Promise.all([
      catalog.status(),
      usage.refresh(USAGE_AGE_MS),
    ]);
    const { current: namespaces = [] } = usage;
    this.#last = {
      phase: rest.phase(),
      status: statusPicture(status, rest.version),
      fills: fills(status).map((fill) => ({
        ...fill,
        used: Math.max(0, Math.round(fill.used)),
        most: Math.round(fill.most),
      })),
      namespaces: largest(namespaces),
      namespaceCount: namespaces.length,
      lately: lately.happenings(),
    };
    this.#madeMs = clock.nowMs();
    return this.#last;
  }
}

/** Those that take most, without sorting all. */
function largest(usage: readonly NamespaceUsage[]): NamespaceUsage[] {
  const most: NamespaceUsage[] = [];
  for (const each of usage) {
    const isFull = most.length === MAX_SHOWN_NAMESPACES;
    if (isFull && each.bytes <= most.at(-1)!.bytes) continue;
    const at = most.findLastIndex(({ bytes }) => bytes >= each.bytes);
    most.splice(at + 1, 0, each);
    if (isFull) most.pop();
  }
  return most;
}

/** What a server does and has done, in whole numbers. */
export function doingsPicture(
  { counts, evicted, damaged }: Doings,
): DoingsPicture {
  const { loading, publishing, handles, waiting, hits, misses } = counts;
  return {
    ...{ loading, publishing, handles, waiting, hits, misses },
    savedMs: Math.round(counts.savedMs),
    evictedEntries: evicted.entries,
    evictedBytes: evicted.bytes,
    damaged,
  };
}

/** A status for people. */
export function statusPicture(
  status: ServerStatus,
  version: string,
): StatusPicture {
  const { kept, limits, space } = status;
  return {
    version,
    upMs: Math.round(status.upMs),
    ...kept,
    maxEntries: limits.maxEntries ?? 0,
    maxBytes: limits.maxBytes ?? 0,
    diskFreeBytes: Math.floor(space?.freeBytes ?? 0),
    diskBytes: Math.floor(space?.totalBytes ?? 0),
    ...doingsPicture(status),
    trouble: status.trouble ?? "",
    underWay: status.underWay.map((work) => ({
      namespace: work.entry.namespace,
      key: shownKey(work.entry.key),
      holder: work.peer ?? "",
      computingMs: Math.round(work.computingMs),
      quietMs: Math.round(work.quietMs),
      waiting: work.waiting,
      waiters: work.waiters,
      publishing: work.isPublishing,
    })),
  };
}
