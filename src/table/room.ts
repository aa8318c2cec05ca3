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
} from "../limits.ts";
import type { Disk, Id, NamespaceUsage, Quota } from "./types.ts";

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

  /** Several quotas may cover a namespace: each of them holds. */
  constructor(quotas: readonly Quota[]) {
    this.#whole = scopeOf({ pattern: EVERYTHING });
    this.#scopes = [this.#whole, ...quotas.map(scopeOf)];
  }

  /** Takes what the manifest counted, and how the disk stands. */
  update(usage: readonly NamespaceUsage[], disk?: Disk): void {
    this.#disk = disk;
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
  commit(id: Id, bytes: number, force = false): boolean {
    const reservation = this.#reservations.get(id);
    if (!reservation || reservation.committed) return true;
    const scopes = [...this.#covering(reservation.namespace)];
    if (!force && !scopes.every((scope) => this.#fits(scope, bytes))) {
      return false;
    }
    for (const scope of scopes) {
      scope.reservedBytes += bytes - reservation.bytes;
      scope.committedBytes += bytes;
    }
    reservation.bytes = bytes;
    reservation.committed = true;
    return true;
  }

  #fits(scope: Scope, bytes: number): boolean {
    const { maxBytes = Infinity } = scope.quota;
    if (scope.usedBytes + scope.committedBytes + bytes <= maxBytes) return true;
    // Nothing goes for what could not be kept even then.
    if (bytes <= maxBytes) {
      scope.wanted = most(scope.wanted, { bytes, entries: 0 });
    }
    return false;
  }

  /** An assignment has ended, or its publish has failed. */
  release(id: Id): void {
    const reservation = this.#reservations.get(id);
    if (!reservation) return;
    this.#reservations.delete(id);
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
    }
    if (this.#disk) this.#disk = takenFrom(this.#disk, bytes);
  }

  /** A value is being taken away. */
  subtract(namespace: string, bytes: number): void {
    for (const scope of this.#covering(namespace)) {
      // What the manifest counted later may have left it out already.
      scope.usedBytes = Math.max(0, scope.usedBytes - bytes);
      scope.usedEntries = Math.max(0, scope.usedEntries - 1);
    }
    if (this.#disk) this.#disk = takenFrom(this.#disk, -bytes);
  }

  /** What has to go now: above the high watermark, down to the low one. */
  excess(): Excess[] {
    return this.#scopes.flatMap((scope) => {
      const { pattern, maxBytes = Infinity, maxEntries = Infinity } =
        scope.quota;
      // Whoever asks for work and never publishes must not empty the cache.
      const reservedBytes = Math.min(
        scope.reservedBytes,
        scope.usedBytes * MAX_RESERVED_SHARE,
      );
      const reservedEntries = Math.min(
        scope.reservedEntries,
        scope.usedEntries * MAX_RESERVED_SHARE,
      );
      const wanted = most(scope.wanted, scope.wantedBefore);
      const coming = reservedBytes + wanted.bytes;
      const bytes = Math.max(
        above(maxBytes, scope.usedBytes + coming),
        scope === this.#whole ? missing(this.#disk, coming) : 0,
      );
      const entries = entriesAbove(
        maxEntries,
        scope.usedEntries + reservedEntries + wanted.entries,
      );
      if ((bytes <= 0 && entries <= 0) || scope.usedEntries === 0) return [];
      return [{
        pattern,
        bytes: Math.ceil(bytes),
        entries: Math.ceil(entries),
      }];
    });
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

/** Where one entry may be kept, it goes for the next one only. */
function entriesAbove(max: number, pressure: number): number {
  return max === 1 ? Math.max(0, pressure - 1) : above(max, pressure);
}

function missing(disk: Disk | undefined, coming: number): number {
  if (!disk || disk.roomBytes >= coming) return 0;
  return coming + disk.slackBytes - disk.roomBytes;
}
