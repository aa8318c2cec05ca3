/**
 * How much may be kept, and how much is: what decides whether an assignment is
 * given out, a value accepted, and when entries have to go.
 *
 * @module
 */

import { DEFAULT_ESTIMATE_BYTES, MAX_ESTIMATED_NAMESPACES } from "../limits.ts";
import {
  type Asked,
  covers,
  DISK,
  EVERYTHING,
  type Excess,
  most,
  NOTHING,
  Scope,
  wholeBlocks,
} from "./scope.ts";
import type { Disk, Id, NamespaceUsage, Quota } from "./types.ts";

export { covers };
export type { Asked, Excess };

interface Reservation {
  readonly namespace: string;
  bytes: number;
  committed: boolean;
}

/** A limit that is reached, for people. */
export interface Shortage {
  /** No room could ever be made for it. */
  readonly never: boolean;
  /** Which limit, what it allows, how full it is and what was asked. */
  readonly text: string;
}

/** A quota, and what counts against it; both without what is on its way. */
export interface FilledQuota extends Quota {
  readonly usedBytes: number;
}

/** Bytes of a value on their way. */
export interface Coming {
  /** How many of the value there are by now. */
  readonly total: number;
  /** How many of them have not been counted yet. */
  readonly more: number;
  /** Whether that is all of it; by default there may be more. */
  readonly isWhole?: boolean | undefined;
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
    this.#whole = new Scope({ pattern: EVERYTHING }, DISK);
    this.#scopes = [this.#whole, ...quotas.map((quota) => new Scope(quota))];
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
      if (scope.holds(bytes, this.#diskOf(scope))) continue;
      has = false;
      scope.wanted = most(scope.wanted, { bytes, entries: 1 });
    }
    return has;
  }

  /**
   * Whether an eviction can make the room that a namespace lacks: for one more
   * assignment, or for a value that is there.
   */
  canMake(namespace: string, asked?: Asked): boolean {
    const guess = asked?.bytes ?? this.#estimate(namespace);
    for (const scope of this.#covering(namespace)) {
      const holds = asked
        ? scope.fits(asked)
        : scope.holds(guess, this.#diskOf(scope));
      if (!holds && (scope.stuck || !scope.excess(this.#diskOf(scope)))) {
        return false;
      }
    }
    return true;
  }

  /** An eviction has ended, and could take nothing for these limits. */
  concluded(stuck: readonly string[]): void {
    this.changed = true;
    for (const scope of this.#scopes) {
      // Whoever still waits asks again.
      scope.wanted = scope.wantedBefore = NOTHING;
      if (stuck.includes(scope.limit)) scope.stuck = true;
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
    const short = scopes.filter((scope) => !scope.fits(asked));
    if (this.#tooLarge(scopes, asked.bytes)) return false;
    for (const scope of short) scope.wanted = most(scope.wanted, asked);
    return short.length === 0;
  }

  /** Why a value would not fit even if nothing else were kept, if so. */
  #tooLarge(
    scopes: readonly Scope[],
    bytes: number,
    isWhole = true,
  ): string | undefined {
    const scope = scopes.find((scope) => scope.isTooSmall(bytes));
    if (scope) return scope.tooSmall(bytes, { isWhole });
    if (!this.#disk || bytes <= this.#disk.sizeBytes) return undefined;
    return `--min-free leaves ${this.#disk.sizeBytes} bytes of the whole disk ` +
      `to be written, and the value has ${isWhole ? bytes : "more"}`;
  }

  /**
   * Bytes come of a value that has so many by now: says why no more of them are
   * taken, if so, and counts them as written else. What even an eviction of all
   * could not make room for takes nothing from anybody.
   */
  incoming(
    namespace: string,
    { total, more, isWhole = false }: Coming,
  ): Shortage | undefined {
    const scopes = [...this.#covering(namespace)];
    const tooLarge = this.#tooLarge(scopes, total, isWhole);
    if (tooLarge) return { never: true, text: tooLarge };
    if (!this.#disk) return undefined;
    const { roomBytes } = this.#disk;
    const missing = (isWhole ? total : more) - roomBytes;
    const taken = this.#whole.takenOf(this.#disk);
    const canBeMade = missing <= taken;
    if (missing > 0 && canBeMade) {
      this.#whole.wanted = most(this.#whole.wanted, {
        bytes: total,
        entries: 0,
      });
    }
    if (isWhole && !canBeMade) {
      const text = `--min-free leaves ${Math.max(0, roomBytes)} bytes of the ` +
        `disk to be written, ${taken} more are kept, and the ` +
        `value has ${total}`;
      return { never: false, text };
    }
    // Of one that is announced room is made while it comes.
    if (isWhole || missing <= 0) {
      this.#disk = takenFrom(this.#disk, more);
      return undefined;
    }
    const text = "--min-free leaves no byte of the disk to be written, after " +
      `${total} of this value`;
    return { never: false, text };
  }

  /** So many bytes that came are not there any more, or are counted as a value. */
  giveBack(bytes: number): void {
    this.changed = true;
    if (this.#disk) this.#disk = takenFrom(this.#disk, -bytes);
  }

  /** Why there is no room for one more assignment, or for a value that is there. */
  shortage(namespace: string, asked?: Asked): Shortage | undefined {
    const scopes = [...this.#covering(namespace)];
    if (asked) {
      const tooLarge = this.#tooLarge(scopes, asked.bytes);
      if (tooLarge) return { never: true, text: tooLarge };
    }
    const guess: Asked = asked ??
      { bytes: this.#estimate(namespace), entries: 1 };
    const scope = scopes.find((scope) =>
      asked
        ? !scope.fits(asked)
        : !scope.holds(guess.bytes, this.#diskOf(scope))
    );
    return scope &&
      { never: false, text: scope.describe(guess, this.#diskOf(scope)) };
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
    this.#write(bytes, 1);
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
    this.#write(bytes, -1);
  }

  /** A file came, or goes. */
  #write(bytes: number, sign: 1 | -1): void {
    if (!this.#disk) return;
    const { blockBytes, files } = this.#disk;
    const taken = sign * wholeBlocks(bytes, blockBytes);
    this.#disk = {
      ...takenFrom(this.#disk, taken),
      ...files && { files: { ...files, roomFiles: files.roomFiles - sign } },
    };
  }

  /** What has to go now: above the high watermark, down to the low one. */
  excess(): Excess[] {
    return this.#scopes.flatMap((scope) =>
      scope.excess(this.#diskOf(scope)) ?? []
    );
  }

  /** Why nothing can be kept now of any namespace, if so. */
  get full(): string | undefined {
    const usual = Math.min(this.#estimate(""), ...this.#sizes.values());
    for (const scope of this.#scopes) {
      if (scope.quota.pattern !== EVERYTHING) continue;
      const why = scope.whyFull(usual, this.#diskOf(scope));
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** The disk is a limit of the whole. */
  #diskOf(scope: Scope): Disk | undefined {
    return scope === this.#whole ? this.#disk : undefined;
  }

  /** What is kept in all; for people and tests. */
  get used(): { readonly bytes: number; readonly entries: number } {
    const { usedBytes: bytes, usedEntries: entries } = this.#whole;
    return { bytes, entries };
  }

  /** Each quota but those of all namespaces, and how far it is filled. */
  get quotas(): readonly FilledQuota[] {
    return this.#scopes.filter(({ quota }) => quota.pattern !== EVERYTHING)
      .map(({ quota, usedBytes }) => ({ ...quota, usedBytes }));
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
    if (usedEntries > 0) return usedBytes / usedEntries;
    // Where nothing is known, a little room is room for one value.
    const { roomBytes } = this.#disk ?? { roomBytes: 0 };
    return roomBytes > 0
      ? Math.min(roomBytes, DEFAULT_ESTIMATE_BYTES)
      : DEFAULT_ESTIMATE_BYTES;
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

function takenFrom(disk: Disk, bytes: number): Disk {
  return { ...disk, roomBytes: disk.roomBytes - bytes };
}
