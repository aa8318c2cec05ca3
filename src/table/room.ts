/**
 * How much may be kept, and how much is: what decides whether an assignment is
 * given out, a value accepted, and when entries have to go.
 *
 * @module
 */

import {
  DEFAULT_ESTIMATE_BYTES,
  HIGH_WATERMARK,
  LOW_WATERMARK,
  MAX_ESTIMATED_NAMESPACES,
  MAX_RESERVED_SHARE,
  MIN_BATCHED_ENTRIES,
} from "../limits.ts";
import type { Disk, Id, NamespaceUsage, Quota } from "./types.ts";

/** A limit that is reached, for people. */
export interface Shortage {
  /** No room could ever be made for it. */
  readonly never: boolean;
  /** Which limit, what it allows, how full it is and what was asked. */
  readonly text: string;
}

/** What has to go so that a quota is kept again. */
export interface Excess {
  /** The namespaces that have too much. */
  readonly pattern: string;
  /** At least so many bytes. */
  readonly bytes: number;
  /** And at least so many entries. */
  readonly entries: number;
}

interface Scope {
  readonly quota: Quota;
  usedBytes: number;
  usedEntries: number;
  /** For the values of assignments: estimates, or sizes once they are known. */
  reservedBytes: number;
  reservedEntries: number;
  /** Of these, what is being written. */
  committedBytes: number;
  /** What was refused since the last count. */
  wanted: Wanted;
  /** The same before it: the count is taken to make room for that. */
  wantedBefore: Wanted;
  /** The last eviction found nothing here that could go; nothing has changed since. */
  stuck: boolean;
}

/** What the largest of those would have taken that were refused. */
interface Wanted {
  readonly bytes: number;
  readonly entries: number;
}

interface Reservation {
  readonly namespace: string;
  bytes: number;
  committed: boolean;
}

/** One value more. */
export interface Asked {
  readonly bytes: number;
  /** 0 where room for it as an entry is kept already. */
  readonly entries: 0 | 1;
}

const NOTHING: Wanted = { bytes: 0, entries: 0 };
/** Covers every namespace. */
const EVERYTHING = "*";

/** Whether a pattern covers a namespace: `*`, `a.b.*` or a namespace itself. */
export function covers(pattern: string, namespace: string): boolean {
  if (pattern === EVERYTHING) return true;
  return pattern.endsWith(".*")
    ? namespace.startsWith(pattern.slice(0, -1))
    : namespace === pattern;
}

/** Counts what is kept and what is going to be. */
export class Room {
  readonly #scopes: readonly Scope[];
  readonly #whole: Scope;
  readonly #reservations = new Map<Id, Reservation>();
  /** What values of a namespace have been like, the latest counting most. */
  readonly #sizes = new Map<string, number>();
  #disk: Disk | undefined;
  /** Something has changed since somebody was last told that there is no room. */
  changed = false;

  /** Several quotas may cover a namespace: each of them holds. */
  constructor(quotas: readonly Quota[]) {
    this.#whole = scopeOf({ pattern: EVERYTHING });
    this.#scopes = [this.#whole, ...quotas.map(scopeOf)];
  }

  /** Takes what the manifest counted, and how the disk stands. */
  update(usage: readonly NamespaceUsage[], disk?: Disk): void {
    this.#disk = disk;
    this.changed = true;
    for (const scope of this.#scopes) {
      scope.usedBytes = scope.usedEntries = 0;
      scope.wantedBefore = scope.wanted;
      scope.wanted = NOTHING;
    }
    for (const { namespace, bytes, entries } of usage) {
      for (const scope of this.#covering(namespace)) {
        scope.usedBytes += bytes;
        scope.usedEntries += entries;
      }
    }
  }

  /** Whether there is room for one more value; notes what is missing. */
  hasRoom(namespace: string): boolean {
    const bytes = this.#estimate(namespace);
    let has = true;
    for (const scope of this.#covering(namespace)) {
      if (this.#holds(scope, bytes)) continue;
      has = false;
      scope.wanted = most(scope.wanted, { bytes, entries: 1 });
    }
    return has;
  }

  #holds(scope: Scope, bytes: number): boolean {
    const { maxBytes = Infinity, maxEntries = Infinity } = scope.quota;
    const entries = scope.usedEntries + scope.reservedEntries;
    if (entries + 1 > maxEntries) return false;
    // What is empty has room for one value, whatever the guess at its size.
    const taken = scope.usedBytes + scope.reservedBytes;
    if (taken > 0 && taken + bytes > maxBytes) return false;
    return scope !== this.#whole || !this.#disk ||
      scope.reservedBytes + bytes <= this.#disk.roomBytes;
  }

  /**
   * Whether an eviction can make the room that a namespace lacks: for one more
   * assignment, or for a value that is there.
   */
  canMake(namespace: string, asked?: Asked): boolean {
    const guess = asked?.bytes ?? this.#estimate(namespace);
    for (const scope of this.#covering(namespace)) {
      const holds = asked
        ? this.#fits(scope, asked)
        : this.#holds(scope, guess);
      if (!holds && (scope.stuck || !this.#excessOf(scope))) return false;
    }
    return true;
  }

  /** An eviction has ended, and could take nothing from these patterns. */
  concluded(stuck: readonly string[]): void {
    this.changed = true;
    for (const scope of this.#scopes) {
      scope.wantedBefore = NOTHING;
      if (stuck.includes(scope.quota.pattern)) scope.stuck = true;
    }
  }

  /** What could not go may go now: nobody uses it any more. */
  unpin(namespace: string): void {
    for (const scope of this.#covering(namespace)) scope.stuck = false;
  }

  /** Keeps room for an assignment's value, until it is released. */
  reserve(id: Id, namespace: string): void {
    this.release(id);
    const bytes = this.#estimate(namespace);
    this.#reservations.set(id, { namespace, bytes, committed: false });
    for (const scope of this.#covering(namespace)) {
      scope.reservedBytes += bytes;
      scope.reservedEntries++;
    }
  }

  /**
   * The value's size is known: it takes the place of the estimate. False where
   * there is no room for it; `force`: it has been accepted already.
   */
  commit(
    id: Id,
    { namespace, bytes, force = false }: {
      readonly namespace: string;
      readonly bytes: number;
      readonly force?: boolean;
    },
  ): boolean {
    const reservation = this.#reservations.get(id);
    if (reservation?.committed) return true;
    const asked = this.asked(id, bytes);
    const scopes = [...this.#covering(namespace)];
    if (!force && !this.#note(scopes, asked)) return false;
    for (const scope of scopes) {
      scope.reservedBytes += bytes - (reservation?.bytes ?? 0);
      scope.reservedEntries += asked.entries;
      scope.committedBytes += bytes;
    }
    this.#reservations.set(id, { namespace, bytes, committed: true });
    return true;
  }

  /** What a value takes: for a lease that has ended no place is kept. */
  asked(id: Id, bytes: number): Asked {
    return { bytes, entries: this.#reservations.has(id) ? 0 : 1 };
  }

  /** Whether all have room; what can never have it takes nothing from anybody. */
  #note(scopes: readonly Scope[], asked: Asked): boolean {
    const short = scopes.filter((scope) => !this.#fits(scope, asked));
    if (scopes.some(({ quota }) => isTooLarge(quota, asked.bytes))) {
      return false;
    }
    for (const scope of short) scope.wanted = most(scope.wanted, asked);
    return short.length === 0;
  }

  #fits(scope: Scope, { bytes, entries }: Asked): boolean {
    const { maxBytes = Infinity, maxEntries = Infinity } = scope.quota;
    return scope.usedBytes + scope.committedBytes + bytes <= maxBytes &&
      (entries === 0 ||
        scope.usedEntries + scope.reservedEntries + 1 <= maxEntries);
  }

  /** Why there is no room for one more assignment, or for a value that is there. */
  shortage(namespace: string, asked?: Asked): Shortage | undefined {
    const scopes = [...this.#covering(namespace)];
    if (asked) {
      const small = scopes.find(({ quota }) => isTooLarge(quota, asked.bytes));
      if (small) {
        return { never: true, text: tooLarge(small.quota, asked.bytes) };
      }
    }
    const guess: Asked = asked ??
      { bytes: this.#estimate(namespace), entries: 1 };
    const scope = scopes.find((scope) =>
      asked ? !this.#fits(scope, asked) : !this.#holds(scope, guess.bytes)
    );
    return scope && { never: false, text: this.#describe(scope, guess) };
  }

  #describe(scope: Scope, { bytes, entries: more }: Asked): string {
    const { quota: { maxBytes, maxEntries = Infinity } } = scope;
    const entries = scope.usedEntries + scope.reservedEntries;
    if (entries + more > maxEntries) {
      return `${limitOf(scope.quota)} allows ${maxEntries} values: ` +
        `${scope.usedEntries} are kept, ${scope.reservedEntries} are being ` +
        "computed, and 1 more was asked for";
    }
    const spokenFor = `${Math.ceil(scope.reservedBytes)} are spoken for by ` +
      `what is being computed, and ${Math.ceil(bytes)} more were asked for`;
    const taken = scope.usedBytes + scope.reservedBytes;
    const isDisk = this.#disk && scope === this.#whole &&
      scope.reservedBytes + bytes > this.#disk.roomBytes;
    return maxBytes !== undefined && (!isDisk || taken + bytes > maxBytes)
      ? `${limitOf(scope.quota)} allows ${maxBytes} bytes: ` +
        `${scope.usedBytes} are kept, ${spokenFor}`
      : `--min-free leaves ${
        this.#disk?.roomBytes ?? 0
      } bytes of the disk to ` +
        `be written: ${spokenFor}`;
  }

  /** An assignment has ended, or its publish has failed. */
  release(id: Id): void {
    const reservation = this.#reservations.get(id);
    if (!reservation) return;
    this.#reservations.delete(id);
    this.changed = true;
    const { namespace, bytes, committed } = reservation;
    for (const scope of this.#covering(namespace)) {
      scope.reservedBytes -= bytes;
      scope.reservedEntries--;
      if (committed) scope.committedBytes -= bytes;
    }
  }

  /** A value was published. */
  add(namespace: string, bytes: number): void {
    this.#learn(namespace, bytes);
    for (const scope of this.#covering(namespace)) {
      scope.usedBytes += bytes;
      scope.usedEntries++;
      scope.stuck = false;
    }
    if (this.#disk) this.#disk = takenFrom(this.#disk, bytes);
  }

  /** A value is being taken away. */
  subtract(namespace: string, bytes: number): void {
    this.changed = true;
    for (const scope of this.#covering(namespace)) {
      // What the manifest counted later may have left it out already.
      scope.usedBytes = Math.max(0, scope.usedBytes - bytes);
      scope.usedEntries = Math.max(0, scope.usedEntries - 1);
      scope.stuck = false;
    }
    if (this.#disk) this.#disk = takenFrom(this.#disk, -bytes);
  }

  /** What has to go now: above the high watermark, down to the low one. */
  excess(): Excess[] {
    return this.#scopes.flatMap((scope) => this.#excessOf(scope) ?? []);
  }

  #excessOf(scope: Scope): Excess | undefined {
    if (scope.usedEntries === 0) return undefined;
    const { pattern, maxBytes = Infinity, maxEntries = Infinity } = scope.quota;
    const disk = scope === this.#whole ? this.#disk : undefined;
    // Whoever asks for work and never publishes must not empty the cache.
    const limitBytes = Math.min(
      maxBytes,
      disk ? scope.usedBytes + Math.max(0, disk.roomBytes) : Infinity,
    );
    const wanted = most(scope.wanted, scope.wantedBefore);
    const coming = wanted.bytes +
      Math.min(scope.reservedBytes, limitBytes * MAX_RESERVED_SHARE);
    const bytes = Math.max(
      above(maxBytes, scope.usedBytes + coming),
      missing(disk, coming),
    );
    const entries = entriesAbove(
      maxEntries,
      scope.usedEntries + wanted.entries +
        Math.min(scope.reservedEntries, maxEntries * MAX_RESERVED_SHARE),
    );
    if (bytes <= 0 && entries <= 0) return undefined;
    return { pattern, bytes: Math.ceil(bytes), entries: Math.ceil(entries) };
  }

  /** What is kept in all; for people and tests. */
  get used(): { readonly bytes: number; readonly entries: number } {
    const { usedBytes: bytes, usedEntries: entries } = this.#whole;
    return { bytes, entries };
  }

  /** How many assignments have room kept for them; for the invariants. */
  get reservations(): ReadonlyMap<Id, unknown> {
    return this.#reservations;
  }

  *#covering(namespace: string): Generator<Scope> {
    for (const scope of this.#scopes) {
      if (covers(scope.quota.pattern, namespace)) yield scope;
    }
  }

  #estimate(namespace: string): number {
    const known = this.#sizes.get(namespace);
    if (known !== undefined) return known;
    const { usedBytes, usedEntries } = this.#whole;
    return usedEntries > 0 ? usedBytes / usedEntries : DEFAULT_ESTIMATE_BYTES;
  }

  #learn(namespace: string, bytes: number): void {
    const before = this.#sizes.get(namespace) ?? bytes;
    this.#sizes.delete(namespace);
    this.#sizes.set(namespace, (3 * before + bytes) / 4);
    if (this.#sizes.size <= MAX_ESTIMATED_NAMESPACES) return;
    for (const oldest of this.#sizes.keys()) {
      this.#sizes.delete(oldest);
      return;
    }
  }
}

function scopeOf(quota: Quota): Scope {
  return {
    quota,
    usedBytes: 0,
    usedEntries: 0,
    reservedBytes: 0,
    reservedEntries: 0,
    committedBytes: 0,
    wanted: NOTHING,
    wantedBefore: NOTHING,
    stuck: false,
  };
}

function most(a: Wanted, b: Wanted): Wanted {
  return {
    bytes: Math.max(a.bytes, b.bytes),
    entries: Math.max(a.entries, b.entries),
  };
}

function takenFrom(disk: Disk, bytes: number): Disk {
  return { ...disk, roomBytes: disk.roomBytes - bytes };
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

function isTooLarge({ maxBytes = Infinity }: Quota, bytes: number): boolean {
  return bytes > maxBytes;
}

function tooLarge(quota: Quota, bytes: number): string {
  return `${limitOf(quota)} allows ${quota.maxBytes} bytes in all, and the ` +
    `value has ${bytes}`;
}

function limitOf({ pattern, maxBytes }: Quota): string {
  if (pattern !== EVERYTHING) return `the quota of ${pattern}`;
  return maxBytes === undefined ? "--max-entries" : "the cache's limit";
}

function missing(disk: Disk | undefined, coming: number): number {
  if (!disk || disk.roomBytes >= coming) return 0;
  return coming + disk.slackBytes - disk.roomBytes;
}
