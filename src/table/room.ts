/**
 * How much may be kept, and how much is: what decides whether an assignment is
 * given out, a value accepted, and when entries have to go.
 *
 * @module
 */

import {
  DEFAULT_ESTIMATE_BYTES,
  LENT_SHARE,
  MAX_ESTIMATED_NAMESPACES,
} from "../limits.ts";
import {
  type Asked,
  covers,
  DISK,
  EVERYTHING,
  type Excess,
  IN_USE,
  leftOf,
  NOTHING,
  Scope,
  want,
  wholeBlocks,
} from "./scope.ts";
import { isSized, Landed } from "./landed.ts";
import type {
  Coming,
  Disk,
  DiskFiles,
  Id,
  NamespaceUsage,
  Quota,
} from "./types.ts";

export { covers };
export type { Asked, Excess };

interface Reservation {
  readonly namespace: string;
  readonly bytes: number;
  readonly committed: boolean;
  /** Of these, what lies on the disk already. */
  landed: number;
  /** Of what is committed, what the disk is still to hold. */
  readonly coming?: number;
}

/** A value that is being taken away. */
interface Leaving {
  readonly namespace: string;
  readonly bytes: number;
}

/** How the disk stands, kept up with what is written and removed. */
interface Standing extends Omit<Disk, "roomBytes" | "files"> {
  roomBytes: number;
  readonly files?: Omit<DiskFiles, "roomFiles"> & { roomFiles: number };
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

/** Counts what is kept and what is going to be. */
export class Room {
  readonly #scopes: readonly Scope[];
  readonly #whole: Scope;
  readonly #reservations = new Map<Id, Reservation>();
  readonly #landed = new Landed();
  /** What values of a namespace have been like, the latest counting most. */
  readonly #sizes = new Map<string, number>();
  /** As it stands when all has gone that is being taken away. */
  #disk: Standing | undefined;
  /** By name: what is being taken away since the last count. */
  readonly #leaving = new Map<string, Leaving>();
  /** Of the disk's room, what their files still take. */
  #leavingBytes = 0;
  /** The namespace that was asked about last, and the limits that cover it. */
  #covered:
    | { readonly namespace: string; readonly by: readonly Scope[] }
    | undefined;
  /** Something has changed since somebody was last told that there is no room. */
  changed = false;

  /** Several quotas may cover a namespace: each of them holds. */
  constructor(quotas: readonly Quota[]) {
    this.#whole = new Scope({ pattern: EVERYTHING }, DISK);
    this.#scopes = [this.#whole, ...quotas.map((quota) => new Scope(quota))];
  }

  /** Takes what the manifest counted, and how the disk stands. */
  update(usage: readonly NamespaceUsage[], disk?: Disk): void {
    this.#disk = disk && standing(disk);
    // Whether their files were there at the count is not known: they were.
    this.#leaving.clear();
    this.#leavingBytes = 0;
    // Where nothing has to go, it does not matter that nothing can.
    const { stuck } = this.#whole;
    if (stuck !== IN_USE && disk && disk.roomBytes > 0) {
      this.#whole.stuck = undefined;
    }
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
    const short = this.#covering(namespace)
      .filter((scope) => !scope.holds(bytes, this.#diskOf(scope)));
    want(short, { bytes, entries: 1 });
    return short.length === 0;
  }

  /**
   * Whether an eviction can make the room that a namespace lacks: for one more
   * assignment, or for a value that is there.
   */
  canMake(namespace: string, asked?: Asked): boolean {
    const guess = asked?.bytes ?? this.#estimate(namespace);
    for (const scope of this.#covering(namespace)) {
      const holds = asked
        ? scope.fits(asked, this.#comingRoomOf(scope))
        : scope.holds(guess, this.#diskOf(scope));
      if (
        !holds &&
        (scope.stuck !== undefined || !scope.excess(this.#diskOf(scope)))
      ) {
        return false;
      }
    }
    return true;
  }

  /** Whether an eviction can make room on the disk. */
  get canFreeDisk(): boolean {
    return this.#whole.stuck === undefined &&
      this.#whole.excess(this.#disk) !== undefined;
  }

  /** An eviction has ended, and could take nothing for these limits, and why. */
  concluded(stuck: readonly string[], why = IN_USE): void {
    this.changed = true;
    for (const scope of this.#scopes) {
      // Whoever still waits asks again.
      scope.wanted = scope.wantedBefore = NOTHING;
      if (stuck.includes(scope.limit)) scope.stuck = why;
    }
  }

  /** What could not go may go now: nobody uses it any more. */
  unpin(namespace: string): void {
    for (const scope of this.#covering(namespace)) {
      if (scope.stuck === IN_USE) scope.stuck = undefined;
    }
  }

  /** Keeps room for an assignment's value, until it is released. */
  reserve(id: Id, namespace: string): void {
    this.release(id);
    const bytes = this.#estimate(namespace);
    const kept = { namespace, bytes, committed: false, landed: 0 };
    this.#reservations.set(id, kept);
    for (const scope of this.#covering(namespace)) {
      scope.reservedBytes += bytes;
      scope.reservedEntries++;
    }
  }

  /**
   * The value's size is known: it takes the place of the estimate. False where
   * there is no room for it; `force`: it has been accepted already; `upload`:
   * where its bytes are; `coming`: none of them is on the disk yet.
   */
  commit(
    id: Id,
    { namespace, bytes, upload, coming = false, force = false }: {
      readonly namespace: string;
      readonly bytes: number;
      readonly upload?: string | undefined;
      readonly coming?: boolean;
      readonly force?: boolean;
    },
  ): boolean {
    const reservation = this.#reservations.get(id);
    if (reservation?.committed) return true;
    const asked = this.asked(id, { bytes, coming });
    const scopes = this.#covering(namespace);
    if (!force && !this.#note(scopes, asked)) return false;
    for (const scope of scopes) {
      scope.reservedBytes += bytes - (reservation?.bytes ?? 0);
      scope.reservedEntries += asked.entries;
      scope.committedBytes += bytes;
    }
    this.#whole.comingBytes += asked.coming;
    const landed = this.#landed.end(upload);
    this.#land(landed - (reservation?.landed ?? 0));
    const kept = { namespace, bytes, committed: true, landed };
    this.#reservations.set(id, { ...kept, coming: asked.coming });
    return true;
  }

  /** What a value takes: for a lease that has ended no place is kept. */
  asked(
    id: Id,
    { bytes, coming }: { readonly bytes: number; readonly coming: boolean },
  ): Asked {
    const entries = this.#reservations.has(id) ? 0 : 1;
    return { bytes, entries, coming: coming ? bytes : 0 };
  }

  /** Whether all have room; what can never have it takes nothing from anybody. */
  #note(scopes: readonly Scope[], asked: Asked): boolean {
    const short = scopes.filter((scope) =>
      !scope.fits(asked, this.#writableOf(scope))
    );
    if (this.#tooLarge(scopes, asked.bytes)) return false;
    want(short, asked);
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
    const { keptBytes, sizeBytes } = this.#disk;
    const most = keptBytes > 0
      ? `${DISK} leaves ${sizeBytes} bytes of the whole disk to be written`
      : `the whole disk has ${sizeBytes} bytes`;
    return `${most}, and the value has ${isWhole ? bytes : "more"}`;
  }

  /**
   * Bytes come of a value: says why they are not taken, if so, and counts them as
   * written else. Room is made for a value whose size is known, and may be kept.
   * Others must be larger than a limit in the end for all that anybody knows:
   * they have what is free, and is kept for nobody else.
   */
  incoming(namespace: string, coming: Coming): Shortage | undefined {
    const { id, total, more, expected } = coming;
    const sized = isSized(coming);
    const bytes = sized ? expected : total;
    const tooLarge = this.#tooLarge(this.#covering(namespace), bytes, sized);
    if (tooLarge) return { never: true, text: tooLarge };
    const disk = this.#disk;
    if (!disk) return undefined;
    const own = this.#reservations.get(id);
    const free = sized
      ? disk.roomBytes - this.#whole.comingBytes
      : this.#freeFor(own, disk);
    const taken = this.#whole.takenOf(disk);
    const rest = bytes - (total - more);
    const canBeMade = rest - free <= taken;
    // Of one that is announced room is made while it comes.
    const fits = more > 0
      ? more <= Math.min(free, this.#writableBytes(disk))
      : canBeMade;
    if (sized && rest > free && canBeMade) {
      want([this.#whole], { bytes: rest - (fits ? more : 0), entries: 0 });
    }
    if (fits) {
      this.#take(coming, own);
      return undefined;
    }
    if (sized) {
      const text = `${leftOf(disk, free)}, ${taken} more are kept, and the ` +
        `value has ${bytes}`;
      return { never: false, text };
    }
    const none = disk.keptBytes > 0
      ? `${DISK} leaves no byte of the disk to be written`
      : "the disk has no byte free";
    const text = `${none}, after ${total} of this value, and nothing is ` +
      "removed for one whose size is not known: room is made for a value " +
      "that says its size beforehand";
    return { never: false, text };
  }

  /** What a value may take of the disk whose size nobody knows. */
  #freeFor(own: Reservation | undefined, { roomBytes }: Disk): number {
    const kept = own ? own.bytes - own.landed : 0;
    const forOthers = Math.max(0, this.#whole.onTheWayBytes - kept);
    return Math.max(Math.min(kept, roomBytes), roomBytes - forOthers);
  }

  #take(coming: Coming, own: Reservation | undefined): void {
    const { more } = coming;
    if (more === 0) return;
    this.#disk!.roomBytes -= more;
    const left = own ? own.bytes - own.landed : 0;
    const { covered } = this.#landed.take(coming, left);
    if (own) own.landed += covered;
    this.#land(covered);
  }

  #land(bytes: number): void {
    this.#whole.landedBytes += bytes;
    this.#whole.unsizedBytes = this.#landed.unsizedBytes;
  }

  /** What came of an upload is not there any more, or is counted as a value. */
  giveBack(id: Id, upload: string): void {
    const part = this.#landed.delete(upload);
    if (!part) return;
    this.changed = true;
    if (this.#disk) this.#disk.roomBytes += part.bytes;
    const own = this.#reservations.get(id);
    // What is kept for it may have been released, and kept anew, meanwhile.
    const covered = Math.min(part.covered, own?.landed ?? 0);
    if (own) own.landed -= covered;
    this.#land(-covered);
  }

  /** The most bytes that a file of a namespace may have. */
  most(namespace: string): number {
    const { sizeBytes } = this.#disk ?? { sizeBytes: Infinity };
    return Math.min(sizeBytes, this.#smallestLimit(namespace));
  }

  /** Why there is no room for one more assignment, or for a value that is there. */
  shortage(namespace: string, asked?: Asked): Shortage | undefined {
    const scopes = this.#covering(namespace);
    if (asked) {
      const tooLarge = this.#tooLarge(scopes, asked.bytes);
      if (tooLarge) return { never: true, text: tooLarge };
    }
    const guess = this.#estimate(namespace);
    const scope = scopes.find((scope) =>
      asked
        ? !scope.fits(asked, this.#writableOf(scope))
        : !scope.holds(guess, this.#diskOf(scope))
    );
    if (!scope) return undefined;
    const text = scope.describe(
      asked ?? { bytes: guess, entries: 1 },
      this.#diskOf(scope),
    );
    return { never: false, text };
  }

  /** An assignment has ended, or its publish has failed. */
  release(id: Id): void {
    const reservation = this.#reservations.get(id);
    if (!reservation) return;
    this.#reservations.delete(id);
    this.changed = true;
    const { namespace, bytes, committed, landed, coming = 0 } = reservation;
    this.#land(-landed);
    this.#whole.comingBytes -= coming;
    for (const scope of this.#covering(namespace)) {
      scope.reservedBytes -= bytes;
      scope.reservedEntries--;
      if (committed) scope.committedBytes -= bytes;
    }
  }

  /** A value was published. */
  add(namespace: string, bytes: number): void {
    this.#learn(namespace, bytes);
    this.#count(namespace, bytes);
    for (const scope of this.#covering(namespace)) scope.stuck = undefined;
  }

  #count(namespace: string, bytes: number): void {
    for (const scope of this.#covering(namespace)) {
      scope.usedBytes += bytes;
      scope.usedEntries++;
    }
    this.#write(bytes, 1);
  }

  /** A value is being taken away; its file goes later. */
  leave(name: string, { namespace, bytes }: Leaving): void {
    this.#uncount(namespace, bytes);
    this.#leaving.set(name, { namespace, bytes });
    this.#leavingBytes += this.#takenBy(bytes);
    this.unpin(namespace);
  }

  /** It has gone; `stays`: it could not be taken away. */
  left(name: string, { stays = false } = {}): void {
    const leaving = this.#leaving.get(name);
    if (!leaving) return;
    const { namespace, bytes } = leaving;
    this.#leaving.delete(name);
    this.#leavingBytes -= this.#takenBy(bytes);
    this.changed = true;
    if (stays) return this.#count(namespace, bytes);
    for (const scope of this.#covering(namespace)) scope.stuck = undefined;
  }

  /** Whether room is about to be there that has been made. */
  get isLeaving(): boolean {
    return this.#leavingBytes > 0;
  }

  #uncount(namespace: string, bytes: number): void {
    this.changed = true;
    for (const scope of this.#covering(namespace)) {
      // What the manifest counted later may have left it out already.
      scope.usedBytes = Math.max(0, scope.usedBytes - bytes);
      scope.usedEntries = Math.max(0, scope.usedEntries - 1);
    }
    this.#write(bytes, -1);
  }

  /** A file came, or goes. */
  #write(bytes: number, sign: 1 | -1): void {
    if (!this.#disk) return;
    const { blockBytes, files } = this.#disk;
    this.#disk.roomBytes -= sign * wholeBlocks(bytes, blockBytes);
    if (files) files.roomFiles -= sign;
  }

  /** Whether something has to go now. */
  get isCrowded(): boolean {
    return this.#scopes.some((scope) => scope.excess(this.#diskOf(scope)));
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

  #takenBy(bytes: number): number {
    return this.#disk ? wholeBlocks(bytes, this.#disk.blockBytes) : 0;
  }

  /**
   * What may be written at once. The files of what has been taken away go in a
   * moment: until then a part of what is to stay free stands for them.
   */
  #writableBytes({ roomBytes, keptBytes }: Disk): number {
    const lent = Math.min(this.#leavingBytes, keptBytes * LENT_SHARE);
    return roomBytes - this.#leavingBytes + lent - this.#whole.comingBytes;
  }

  #writableOf(scope: Scope): number | undefined {
    const disk = this.#diskOf(scope);
    return disk && this.#writableBytes(disk);
  }

  /** The same once all has gone. */
  #comingRoomOf(scope: Scope): number | undefined {
    const disk = this.#diskOf(scope);
    return disk && disk.roomBytes - scope.comingBytes;
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

  /** One request asks this a dozen times, and the next ones often the same. */
  #covering(namespace: string): readonly Scope[] {
    if (this.#covered?.namespace === namespace) return this.#covered.by;
    const by = this.#scopes.filter(({ quota }) =>
      covers(quota.pattern, namespace)
    );
    this.#covered = { namespace, by };
    return by;
  }

  /** What a value of a namespace takes; none of them is larger than its limits. */
  #estimate(namespace: string): number {
    return Math.min(this.#guess(namespace), this.#smallestLimit(namespace));
  }

  #smallestLimit(namespace: string): number {
    let bytes = Infinity;
    for (const { maxBytes } of this.#covering(namespace)) {
      bytes = Math.min(bytes, maxBytes);
    }
    return bytes;
  }

  #guess(namespace: string): number {
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

function standing({ files, ...disk }: Disk): Standing {
  return files ? { ...disk, files: { ...files } } : disk;
}
