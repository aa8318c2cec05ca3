/**
 * What one limit covers, how full it is, and what has to go so that it is kept.
 *
 * @module
 */

import {
  HIGH_WATERMARK,
  LOW_WATERMARK,
  MAX_RESERVED_SHARE,
  MIN_BATCHED_ENTRIES,
} from "../limits.ts";
import {
  areOthers,
  filesOfOthers,
  holdsFiles,
  leftFiles,
} from "./disk_files.ts";
import type { Disk, Quota } from "./types.ts";

/** What has to go so that a limit is kept again. */
export interface Excess {
  /** The limit: {@linkcode DISK}, or the pattern of a quota. */
  readonly limit: string;
  /** The namespaces that have too much. */
  readonly pattern: string;
  /** At least so many bytes. */
  readonly bytes: number;
  /** And at least so many entries. */
  readonly entries: number;
  /** Of how many. */
  readonly keptEntries: number;
  /** Of each entry a whole number of these counts: a disk has blocks. */
  readonly blockBytes: number;
}

/** What the largest of those would have taken that were refused. */
interface Wanted {
  readonly bytes: number;
  readonly entries: number;
}

/** One value more. */
export interface Asked {
  readonly bytes: number;
  /** 0 where room for it as an entry is kept already. */
  readonly entries: 0 | 1;
  /** Of its bytes, what the disk is still to hold. */
  readonly coming: number;
}

/** A value more, whose size is a guess, or which is there. */
type More = Omit<Asked, "coming"> & Partial<Asked>;

/** Nobody was refused. */
export const NOTHING: Wanted = { bytes: 0, entries: 0 };
/** Covers every namespace. */
export const EVERYTHING = "*";
/** Why nothing goes, as a rule. */
export const IN_USE = "all of them are in use";
/** The limit that the disk is, by the flag that sets it. */
export const DISK = "--min-free";

/** So many bytes of a disk may be written, and who says so. */
export function leftOf({ keptBytes }: Disk, roomBytes: number): string {
  const bytes = Math.max(0, roomBytes);
  return keptBytes > 0
    ? `${DISK} leaves ${bytes} bytes of the disk to be written`
    : `the disk has ${bytes} bytes free`;
}

/** Whether a pattern covers a namespace: `*`, `a.b.*` or a namespace itself. */
export function covers(pattern: string, namespace: string): boolean {
  if (pattern === EVERYTHING) return true;
  return pattern.endsWith(".*")
    ? namespace.startsWith(pattern.slice(0, -1))
    : namespace === pattern;
}

/** One limit, and what counts against it. */
export class Scope {
  usedBytes = 0;
  usedEntries = 0;
  /** For the values of assignments: estimates, or sizes once they are known. */
  reservedBytes = 0;
  reservedEntries = 0;
  /** Of these, what is being written. */
  committedBytes = 0;
  /** Of these, what the disk is still to hold. */
  comingBytes = 0;
  /** Of what is reserved, what lies on the disk already. */
  landedBytes = 0;
  /** What lies there of values that may still turn out too large. */
  unsizedBytes = 0;
  /** What was refused since the last count. */
  wanted: Wanted = NOTHING;
  /** The same before it: the count is taken to make room for that. */
  wantedBefore: Wanted = NOTHING;
  /**
   * Why the last eviction took nothing here, though nothing has changed since;
   * absent: it took something, or nothing had to go.
   */
  stuck: string | undefined;
  readonly #maxBytes: number;
  readonly #maxEntries: number;

  /** Nothing counts yet; `limit`: what it is called as an excess. */
  constructor(readonly quota: Quota, readonly limit: string = quota.pattern) {
    this.#maxBytes = quota.maxBytes ?? Infinity;
    this.#maxEntries = quota.maxEntries ?? Infinity;
  }

  /** What the disk is still to hold of what is reserved. */
  get onTheWayBytes(): number {
    return Math.max(0, this.reservedBytes - this.landedBytes);
  }

  /** What all may take together. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Whether there is room for one assignment more; the disk is a limit, too. */
  holds(bytes: number, disk: Disk | undefined): boolean {
    const entries = this.usedEntries + this.reservedEntries;
    if (entries + 1 > this.#maxEntries) return false;
    // What is empty has room for one value, whatever the guess at its size.
    const taken = this.usedBytes + this.reservedBytes;
    if (taken > 0 && taken + bytes > this.#maxBytes) return false;
    return !disk || this.onTheWayBytes + bytes <= disk.roomBytes &&
        holdsFiles(disk, this.reservedEntries + 1);
  }

  /**
   * Whether a value that is there fits beside what is being written; `writable`:
   * the bytes that the disk takes, where that is a limit.
   */
  fits({ bytes, entries, coming }: Asked, writable = Infinity): boolean {
    const all = this.usedEntries + this.reservedEntries + entries;
    return this.usedBytes + this.committedBytes + bytes <= this.#maxBytes &&
      (entries === 0 || all <= this.#maxEntries) &&
      // What lies there already takes none of them.
      (coming === 0 || coming <= writable);
  }

  /** Whether a value would not fit even if nothing else were kept. */
  isTooSmall(bytes: number): boolean {
    return bytes > this.#maxBytes;
  }

  /** The same, for people. */
  tooSmall(
    bytes: number,
    { isWhole }: { readonly isWhole: boolean },
  ): string {
    return `${this.#limit("--max-bytes")} allows ${this.#maxBytes} bytes in ` +
      `all, and the value has ${isWhole ? bytes : "more"}`;
  }

  /** What has to go now: above the high watermark, down to the low one. */
  excess(disk: Disk | undefined): Excess | undefined {
    if (this.usedEntries === 0) return undefined;
    // Whoever asks for work and never publishes must not empty the cache.
    const limitBytes = Math.min(
      this.#maxBytes,
      disk ? this.usedBytes + Math.max(0, disk.roomBytes) : Infinity,
    );
    const mostBytes = limitBytes * MAX_RESERVED_SHARE;
    const wanted = most(this.wanted, this.wantedBefore);
    const ofDisk = disk
      ? this.#missing(
        disk,
        wanted.bytes + Math.min(this.onTheWayBytes, mostBytes),
        wanted.entries,
      )
      : NOTHING;
    const bytes = Math.max(
      above(
        this.#maxBytes,
        this.usedBytes + wanted.bytes + Math.min(this.reservedBytes, mostBytes),
      ),
      ofDisk.bytes,
    );
    const entries = Math.max(
      entriesAbove(
        this.#maxEntries,
        this.usedEntries + wanted.entries +
          Math.min(this.reservedEntries, this.#maxEntries * MAX_RESERVED_SHARE),
      ),
      ofDisk.entries,
    );
    if (bytes <= 0 && entries <= 0) return undefined;
    return {
      limit: this.limit,
      pattern: this.quota.pattern,
      bytes: Math.ceil(bytes),
      entries: Math.ceil(entries),
      keptEntries: this.usedEntries,
      blockBytes: disk?.blockBytes ?? 1,
    };
  }

  /** What has to go of a disk; what helps only its bytes, or files, is in vain. */
  #missing(disk: Disk, bytes: number, wanted: number): Wanted {
    const { files, roomBytes, slackBytes } = disk;
    const taken = this.takenOf(disk);
    const ofBytes = missing(bytes, {
      room: roomBytes,
      // Nothing goes ahead of the need in the place of what may go in vain.
      slack: Math.max(0, slackBytes - this.unsizedBytes),
      kept: taken,
      least: 0,
    });
    if (!files) return { bytes: ofBytes, entries: 0 };
    const { roomFiles, slackFiles } = files;
    const kept = this.usedEntries;
    if (areOthers(files, kept) || -roomBytes > taken) return NOTHING;
    const limit = kept + Math.max(0, roomFiles);
    const coming = wanted +
      Math.min(this.reservedEntries, limit * MAX_RESERVED_SHARE);
    const ofFiles = missing(coming, {
      room: roomFiles,
      slack: slackFiles,
      kept,
      least: 1,
    });
    return { bytes: ofBytes, entries: ofFiles };
  }

  /** About what all that is kept takes of a disk. */
  takenOf({ blockBytes }: Disk): number {
    const { usedBytes, usedEntries } = this;
    return usedEntries *
      wholeBlocks(usedBytes / Math.max(1, usedEntries), blockBytes);
  }

  /** Why not even a value of so many bytes can be kept, whatever goes, if so. */
  whyFull(bytes: number, disk: Disk | undefined): string | undefined {
    if (disk && this.#isOthers(bytes, disk)) return this.#ofOthers(disk);
    const files = disk?.files;
    if (files && areOthers(files, this.usedEntries)) {
      return filesOfOthers(files, this.usedEntries);
    }
    const { stuck } = this;
    if (stuck === undefined) return undefined;
    if (disk && files && !holdsFiles(disk, 1)) {
      return `${leftFiles(files)}: ${this.usedEntries} values are kept, and ` +
        stuck;
    }
    if (this.usedEntries + 1 > this.#maxEntries) {
      return `${this.#limit("--max-entries")} allows ${this.#maxEntries} ` +
        `values: ${this.usedEntries} are kept, and ${stuck}`;
    }
    if (this.usedBytes + bytes > this.#maxBytes) {
      return `${this.#limit("--max-bytes")} allows ${this.#maxBytes} bytes: ` +
        `${this.usedBytes} bytes are kept, and ${stuck}`;
    }
    if (!disk || bytes <= disk.roomBytes) return undefined;
    return `${leftOf(disk, disk.roomBytes)}: ${this.usedBytes} bytes are ` +
      `kept, and ${stuck}`;
  }

  /** Whether the disk has no room for so many bytes, even if all went. */
  #isOthers(bytes: number, disk: Disk): boolean {
    return bytes - disk.roomBytes > this.takenOf(disk);
  }

  #ofOthers(disk: Disk): string {
    const { keptBytes, roomBytes } = disk;
    const asked = keptBytes > 0
      ? `, and ${DISK} asks for ${keptBytes} bytes`
      : "";
    return `only ${Math.max(0, keptBytes + roomBytes)} bytes of the disk are ` +
      `free${asked}; all values together take ${this.takenOf(disk)} bytes, ` +
      "too few to make up for it, so none is removed: the rest is not Larder's";
  }

  /** What it allows, how full it is and what was asked, for people. */
  describe(
    { bytes, entries: more, coming }: More,
    disk: Disk | undefined,
  ): string {
    const entries = this.usedEntries + this.reservedEntries;
    if (more > 0 && entries + more > this.#maxEntries) {
      return `${this.#limit("--max-entries")} allows ${this.#maxEntries} ` +
        `values: ${this.usedEntries} are kept, ${this.reservedEntries} are ` +
        "being computed, and 1 more was asked for";
    }
    const files = disk?.files;
    if (
      disk && files && more > 0 &&
      !holdsFiles(disk, this.reservedEntries + more)
    ) {
      return `${leftFiles(files)}: ${this.reservedEntries} values are being ` +
        `computed, and ${more} more was asked for` +
        (areOthers(files, this.usedEntries)
          ? `; ${filesOfOthers(files, this.usedEntries)}`
          : "");
    }
    const spokenFor = `${Math.ceil(this.reservedBytes)} are spoken for by ` +
      `what is being computed, and ${Math.ceil(bytes)} more were asked for`;
    // A value that is there may take the room that is kept for guesses.
    const isGuess = coming === undefined;
    const taken = this.usedBytes +
      (isGuess ? this.reservedBytes : this.committedBytes);
    const ahead = isGuess ? this.onTheWayBytes : this.comingBytes;
    const isOfDisk = disk && ahead + bytes > disk.roomBytes;
    return isOfDisk && taken + bytes <= this.#maxBytes
      ? `${leftOf(disk, disk.roomBytes)}: ${spokenFor}` +
        (this.#isOthers(bytes, disk) ? `; ${this.#ofOthers(disk)}` : "")
      : `${this.#limit("--max-bytes")} allows ${this.#maxBytes} bytes: ` +
        `${this.usedBytes} are kept, ${spokenFor}`;
  }

  #limit(ofAll: string): string {
    const { pattern } = this.quota;
    return pattern === EVERYTHING ? ofAll : `the quota of ${pattern}`;
  }
}

/**
 * Has room made in limits that are short of it. While one of them can make none,
 * no other one takes anything away in vain.
 */
export function want(short: readonly Scope[], wanted: Wanted): void {
  if (short.length === 0) return;
  const stuck = short.filter((scope) => scope.stuck !== undefined);
  for (const scope of stuck.length > 0 ? stuck : short) {
    scope.wanted = most(scope.wanted, wanted);
  }
}

/** The larger of each. */
function most(a: Wanted, b: Wanted): Wanted {
  return {
    bytes: Math.max(a.bytes, b.bytes),
    entries: Math.max(a.entries, b.entries),
  };
}

function above(max: number, pressure: number): number {
  return pressure > max * HIGH_WATERMARK ? pressure - max * LOW_WATERMARK : 0;
}

/** Where few may be kept, each goes for the next one only. */
function entriesAbove(max: number, pressure: number): number {
  return max < MIN_BATCHED_ENTRIES
    ? Math.max(0, pressure - max)
    : above(max, pressure);
}

/** What has to go of a disk for what comes: bytes, or files. */
function missing(
  coming: number,
  { room, slack, kept, least }: {
    readonly room: number;
    readonly slack: number;
    /** What there is that could go. */
    readonly kept: number;
    /** Without so much room nothing can come. */
    readonly least: number;
  },
): number {
  if (room >= coming) return 0;
  const short = coming - room;
  // Where so much is not there, less of it may do; else nothing goes in vain.
  const enough = [short + slack, short, least - room];
  return Math.max(0, enough.find((each) => each <= kept) ?? 0);
}

/** What bytes take as a file. */
export function wholeBlocks(bytes: number, blockBytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}
