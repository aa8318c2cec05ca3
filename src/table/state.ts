/**
 * The table's state: what is active, and a bounded number of entries at rest.
 *
 * @module
 */

import type {
  Assignment,
  Digest,
  Effect,
  EntryKey,
  Id,
  Reply,
  Request,
  RequestOf,
  Stamp,
  TableOptions,
  Unticketed,
} from "./types.ts";
import { NumberMap } from "../number_map.ts";
import { DueTimes } from "./due_times.ts";
import { Holdings } from "./holdings.ts";
import { type Asked, Room } from "./room.ts";
import {
  MAX_ASSIGNMENTS,
  MAX_HANDLES,
  MAX_KEYS_BYTES,
  MAX_RESTING_ENTRIES,
  STREAM_BYTES,
  UNCOUNTED_VALUE_BYTES,
} from "../limits.ts";

/** A request that has not been answered yet. */
export interface Wait<R extends Request = Request> {
  readonly request: R;
  /** False once it was answered, or its caller has gone. */
  live: boolean;
  /** When it was asked. */
  readonly arrivedMs: number;
  /** False for one that is answered in time, once that time is over. */
  inTime: boolean;
  /** What a Get has asked memory for, in bytes; 0: for nothing. */
  askedBytes: number;
  /** It has that memory. */
  admitted: boolean;
  /** The assignment whose holder a patient Get was told of. */
  noticed?: Id;
  /** A patient Get was told that the server is stopping. */
  isStranded?: true;
  /** The entry whose holder a patient Get waits for. */
  staysAt?: Entry;
  /** It waits for room in the namespace that it names. */
  wantsRoom?: true;
}

/** A Get that has not been answered yet. */
export type GetWait = Wait<RequestOf<"get">>;

/** Whether a wait is for a request of some kind. */
export function isFor<K extends Request["kind"]>(
  wait: Wait,
  kind: K,
): wait is Wait<RequestOf<K>> {
  return wait.request.kind === kind;
}

/** Since when somebody computes, and who. */
export interface Work {
  /** On the monotonic clock; a restart begins anew. */
  readonly sinceMs: number;
  /** For how long it had been computed when that was; absent: not before. */
  readonly beforeMs?: number;
  /** Where the client called from; unknown after a restart. */
  readonly peer?: string;
  /** Which of its calls was given the work. */
  readonly call?: number;
  /** When its holder was heard last; absent: not since then. */
  heardMs?: number;
  /** Its row has a grace of a start, and the holder has not been heard since. */
  graced?: true;
  /** Given out by this process, and no file of it has been taken yet. */
  isUntouched?: boolean;
}

/** A file that was captured and is not published yet. */
export interface TakenFile {
  /** A Done was answered with OK: the value is ours to keep. */
  acknowledged: boolean;
  /** How often it could not be kept since. */
  failures?: number;
  /** It is of a start, or of a refused Done: nobody has looked yet what is there. */
  found?: true;
  /** What was recorded in its row. */
  digest?: Digest;
  /** It lies at its final path, or should: it may only lack its row. */
  installed?: true;
}

/** What failed once may have met a worker that died; what fails again, the disk. */
const FAILURES_OF_A_DISK = 2;

/** Whether a value that was accepted cannot be kept: nobody is to wait for it. */
export function isFailing(taken: TakenFile | undefined): boolean {
  return (taken?.failures ?? 0) >= FAILURES_OF_A_DISK;
}

/** What is published as soon as there is room. */
export interface Short {
  readonly size: number;
  /** None of its bytes is on the disk yet. */
  readonly coming: boolean;
  readonly dueMs: number;
  /** Goes on where it stopped. */
  readonly resume: () => void;
}

/**
 * What is known of an entry. An entry that is not in memory is absent or at
 * rest: only the manifest knows.
 */
export type EntryState =
  /** The manifest is being asked, or told; its answer is the next state. */
  | {
    readonly kind: "asking";
    readonly token: number;
    /** Who gets the entry when the manifest agrees. */
    readonly proposed?: Assignment;
    /** A superseded assignment's file, to be removed then. */
    readonly superseded?: string;
    /** The holder gave the work back, and waits for that to be so. */
    readonly givenBack?: Wait;
  }
  | {
    readonly kind: "loading";
    readonly assignment: Assignment;
    readonly work: Work;
    /** The end of the lease, on the monotonic clock. */
    deadlineMs: number;
    /** The same, where that is when a file is tried again and its holder has longer. */
    holderMs?: number;
    /** The question when the staging file changed is under way. */
    probe?: number;
    /** A publish got as far as having taken the client's file, and failed. */
    taken?: TakenFile;
    /** Making its row Ready failed, or seemed to: only the manifest knows. */
    unsure?: true;
    /** Made by the original server: the row has no id to compare with. */
    readonly unnamed?: true;
  }
  | {
    readonly kind: "publishing";
    readonly assignment: Assignment;
    readonly work: Work;
    /** The end of the lease, should the publish fail. */
    deadlineMs: number;
    /** The same, should the file be lost as well. */
    holderMs?: number;
    /** The step that is under way. */
    token: number;
    /** Set and Done calls that wait for the outcome. */
    readonly joined: Wait[];
    /** The client's file, once it is ours: from then on Done may be answered. */
    taken?: TakenFile;
    /** An earlier try may have made its row Ready. */
    readonly unsure?: true;
    /** The private file that is published instead. */
    readonly upload?: string;
    digest?: Digest;
    stamp?: Stamp;
    /** It waits for room; what follows then, and until when it waits. */
    short?: Short;
  }
  | {
    readonly kind: "ready";
    /** Tells this publish of the key from every other. */
    readonly generation: Id;
    /** The id in the row, which rows of the original server lack. */
    rowId?: Id;
    /** Absent until a blob of the original server has been hashed. */
    digest?: Digest;
    /** The file as it was last verified since the start. */
    stamp?: Stamp;
    /** When the last verification began, if several waited for it. */
    verifiedMs?: number | undefined;
    /** When its row was last made to say that it is handed out. */
    handedMs?: number;
    /** When its time to live is over; absent: never. */
    readonly expiresMs?: number;
    /** Until then handles of before the start may pin it. */
    readonly pinnedUntilMs?: number;
    /** What computing it took, as far as it is known. */
    readonly computedMs?: number;
    /** Handles on it. */
    pins: number;
    /** The read that is under way. */
    reading: number | undefined;
    /** The verification that is under way. */
    verifying: Verifying | undefined;
  }
  | {
    readonly kind: "evicting";
    readonly token: number;
    /** Its time to live is over: the next value may come as soon as it is gone. */
    readonly over?: true;
  };

/** A verification that is under way. */
interface Verifying {
  readonly token: number;
  readonly beganMs: number;
  /** It reads the bytes, though the stamp may fit. */
  readonly bytes: boolean;
}

/** An entry in memory. */
export interface Entry {
  readonly key: EntryKey;
  state: EntryState;
  /** Requests to be looked at again when the state has changed. */
  waits: Wait[];
  /** Patient Gets that wait for the holder; looked at again like the others. */
  patient: Set<GetWait> | undefined;
  /** When those are looked at again, even if the lease is renewed. */
  lookMs?: number;
}

/** A reader's pin. */
export interface Handle {
  readonly name: string;
  /** The publish that it pins; empty once that was found damaged. */
  generation: Id;
  expiresMs: number;
  /** The name of whose it is. */
  readonly by?: string;
}

/** A handle whose lease is over. */
interface ExpiredHandle {
  /** How long it is remembered. */
  readonly untilMs: number;
  readonly by: string | undefined;
}

/** Everything the table knows, and the effects of the step under way. */
export class State {
  /** By name: everything active, and what is at rest in memory. */
  readonly entries = new Map<string, Entry>();
  /** The loading and publishing entries by id, least recently renewed first. */
  readonly assignments = new Map<Id, Entry>();
  /** By id, least recently renewed first: the first one expires first. */
  readonly handles = new Map<Id, Handle>();
  /** Expired handles and until when their Drop is OK, first one first. */
  readonly expiredHandles = new Map<Id, ExpiredHandle>();
  /** By ticket: every wait that may be cancelled. */
  readonly waits = new NumberMap<Wait>();
  /** Of the waits that are answered in time whatever happens. */
  readonly due = new DueTimes();
  /** Entries with patient Gets. */
  readonly awaited = new Set<Entry>();
  /** Leases that patient Gets wait for end at this time at the earliest. */
  awaitedDueMs = Infinity;
  /** Ready entries that nobody uses, least recently used first. */
  readonly resting = new Map<string, Entry>();
  /** The one that was put there last. */
  #restedLast: Entry | undefined;
  readonly maxAssignments: number;
  readonly maxHandles: number;
  readonly maxResting: number;
  readonly uncountedBytes: number;
  readonly streamBytes: number;
  /** Entries whose waits are looked at again before the step ends; some twice. */
  woken: Entry[] = [];
  /** Waits of entries that were forgotten, to be looked at again as well. */
  again: Wait[] = [];
  draining = false;
  /** The drain is over, too. */
  leaving = false;
  /** Assignments that the manifest has not confirmed yet. */
  proposals = 0;
  /** Bytes of the keys in memory. */
  keyBytes = 0;
  /** What became of Gets since the start. */
  readonly tally = { hits: 0, misses: 0, savedMs: 0 };
  /** What is kept, and what is going to be. */
  readonly room: Room;
  /** The engine has been told to make room, and has not said what came of it. */
  crowded = false;
  /** Patient Gets for work that nobody has, which a stop gives to nobody. */
  readonly stranded = new Set<GetWait>();
  /** Gets that wait for room, by namespace, the first one first. */
  readonly wanting = new Map<string, Set<GetWait>>();
  /** Publishes that wait for room, the first one first. */
  readonly short = new Set<Entry>();
  /** Pieces of values that wait for room, the first one first. */
  readonly arriving = new Set<Wait<RequestOf<"piece">>>();
  /** Live leases with room kept for them; the first ends first, … */
  readonly #leases = new Map<Id, Entry>();
  /** … but for those of before the restart, whose grace is longer. */
  readonly #graced = new Map<Id, Entry>();
  /** What was filed last among either of them. */
  #heldLast: Entry | undefined;
  /** Those and what is proposed, by whose they are. */
  readonly work = new Holdings();
  /** Handles of those who have a name. */
  readonly namedHandles = new Holdings();
  /** When the step under way began. */
  nowMs: number;
  effects: Effect[] = [];
  #token = 0;

  constructor(readonly options: TableOptions, readonly startMs: number) {
    this.nowMs = startMs;
    this.maxAssignments = options.maxAssignments ?? MAX_ASSIGNMENTS;
    this.maxHandles = options.maxHandles ?? MAX_HANDLES;
    this.maxResting = options.maxResting ?? MAX_RESTING_ENTRIES;
    this.uncountedBytes = options.uncountedBytes ?? UNCOUNTED_VALUE_BYTES;
    this.streamBytes = options.streamBytes ?? STREAM_BYTES;
    this.room = new Room(options.quotas ?? []);
  }

  /** A token no effect has had. */
  nextToken(): number {
    return ++this.#token;
  }

  /** Why no assignment of a namespace can be given out now, if none can. */
  whyNot(namespace: string): "stopping" | "full" | "no-room" | undefined {
    if (this.draining) return "stopping";
    const taken = this.assignments.size + this.proposals;
    if (taken >= this.maxAssignments || this.keyBytes >= MAX_KEYS_BYTES) {
      return "full";
    }
    this.releaseDead();
    if (this.room.hasRoom(namespace)) return undefined;
    // Where nothing can go, it is not looked for again and again.
    if (this.room.canMake(namespace)) this.makeRoom({ urgent: true });
    return "no-room";
  }

  /** Why whoever asks may have no more work, if so. */
  overWork({ by, over }: RequestOf<"get">): string | undefined {
    if (!over) return undefined;
    this.releaseDead();
    return over("assignments", this.work.of(by));
  }

  /** Why whoever asks may have no more handles, if so. */
  overHandles({ by, over }: RequestOf<"get">): string | undefined {
    const held = by === undefined
      ? this.handles.size - this.namedHandles.size
      : this.namedHandles.of(by);
    return over?.("handles", held);
  }

  /** Has entries taken away, if there are too many; `urgent`: somebody waits. */
  makeRoom({ urgent = false } = {}): void {
    if (this.crowded || !this.room.isCrowded) return;
    this.crowded = true;
    this.emit({ kind: "make-room", urgent });
  }

  /** Whether an eviction is under way that can help a namespace. */
  isHelped(namespace: string, asked?: Asked): boolean {
    return (this.crowded || this.room.isLeaving) &&
      this.room.canMake(namespace, asked);
  }

  /** Whether one is under way that can make room on the disk. */
  get isDiskHelped(): boolean {
    return this.room.isLeaving || this.crowded && this.room.canFreeDisk;
  }

  /** A Get that is to wait until there is room, or its time is over. */
  wantRoom(namespace: string, wait: GetWait): void {
    const waits = this.wanting.get(namespace) ?? new Set();
    this.wanting.set(namespace, waits.add(wait));
    wait.wantsRoom = true;
  }

  /** A Get that waits for room does so no longer. */
  wantNoRoom(wait: GetWait): void {
    if (!wait.wantsRoom) return;
    delete wait.wantsRoom;
    const { namespace } = wait.request.entry;
    const waits = this.wanting.get(namespace);
    waits?.delete(wait);
    if (waits?.size === 0) this.wanting.delete(namespace);
  }

  /** Files an entry under its assignment's id, as the one renewed last. */
  hold(id: Id, entry: Entry, { graced = false } = {}): void {
    // Whoever is heard again before anybody else is the last one already.
    const { state } = entry;
    const isLive = state.kind !== "loading" || state.deadlineMs > this.nowMs;
    const isLast = entry === this.#heldLast && this.#leases.get(id) === entry;
    if (isLast && isLive && !graced) return;
    this.#heldLast = entry;
    this.assignments.delete(id);
    this.assignments.set(id, entry);
    this.#leases.delete(id);
    this.#graced.delete(id);
    // Nobody keeps room for whoever does not come back.
    if (!isLive) return this.#endLease(id);
    if (!this.work.has(id)) this.work.add(id, ownerOf(entry));
    (graced ? this.#graced : this.#leases).set(id, entry);
    if (!this.room.reservations.has(id)) {
      this.room.reserve(id, entry.key.namespace);
    }
  }

  /** The assignment has ended, or rests on disk only. */
  letGo(id: Id): void {
    this.assignments.delete(id);
    this.#leases.delete(id);
    this.#graced.delete(id);
    this.#endLease(id);
  }

  #endLease(id: Id): void {
    this.work.remove(id);
    this.room.release(id);
  }

  /** Keeps no room any more for leases that have ended. */
  releaseDead(): void {
    for (const leases of [this.#leases, this.#graced]) {
      for (const [id, { state }] of leases) {
        if (state.kind === "loading") {
          if (state.deadlineMs > this.nowMs) break;
          this.#endLease(id);
        }
        // What is being published has its own place, and comes back with a new lease.
        leases.delete(id);
      }
    }
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  /** Answers a wait, once; one whose caller has gone is not answered. */
  reply(wait: Wait, reply: Reply): void {
    if (!wait.live) return;
    this.settle(wait);
    // Who only looks found nothing missing: nobody computes because of it.
    const looks = isFor(wait, "get") && wait.request.looks &&
      reply.kind === "unassigned";
    if (
      !looks && (reply.kind === "assigned" || reply.kind === "unassigned")
    ) {
      this.tally.misses++;
    }
    if (!looks) this.#observe(wait, reply);
    this.emit({ kind: "reply", ticket: wait.request.ticket, reply });
  }

  #observe({ request, noticed, arrivedMs }: Wait, reply: Reply): void {
    const { observer } = this.options;
    if (!observer || request.kind !== "get") return;
    const { namespace } = request.entry;
    if (reply.kind === "assigned") observer.missed(namespace, "work");
    if (reply.kind === "unassigned") observer.missed(namespace, reply.reason);
    if (noticed !== undefined) observer.waited(this.nowMs - arrivedMs);
  }

  /** A Get has found a value. One that only looks at it saves nobody anything. */
  countHit({ live, request }: GetWait, computedMs?: number): void {
    if (live) this.found(request, computedMs);
  }

  /** The same, of one that is answered at once. */
  found(
    { entry, fromDisk, looks }: Unticketed<RequestOf<"get">>,
    computedMs = 0,
  ): void {
    if (fromDisk || looks) return;
    this.tally.hits++;
    this.tally.savedMs += computedMs;
    this.options.observer?.found(entry.namespace, computedMs);
  }

  /** Registers a request that is going to wait. */
  wait<R extends Request>(request: R): Wait<R> {
    const wait: Wait<R> = {
      request,
      arrivedMs: this.nowMs,
      live: true,
      inTime: true,
      askedBytes: 0,
      admitted: false,
    };
    this.waits.set(request.ticket, wait);
    return wait;
  }

  /** Forgets a wait without an answer. */
  settle(wait: Wait): void {
    wait.live = false;
    this.waits.delete(wait.request.ticket);
    if (isFor(wait, "piece")) this.arriving.delete(wait);
    if (!isFor(wait, "get")) return;
    this.wantNoRoom(wait);
    this.stranded.delete(wait);
    const { staysAt } = wait;
    if (!staysAt) return;
    staysAt.patient?.delete(wait);
    if (!staysAt.patient?.size) this.awaited.delete(staysAt);
  }

  /** A patient Get waits for the holder, whose lease ends at `dueMs` unless renewed. */
  stay(entry: Entry, wait: GetWait, dueMs: number): void {
    wait.staysAt = entry;
    (entry.patient ??= new Set()).add(wait);
    this.awaited.add(entry);
    this.awaitedDueMs = Math.min(this.awaitedDueMs, dueMs);
  }

  /** Everybody who waits at an entry, to be looked at again. */
  takeWaits(entry: Entry): Wait[] {
    const { waits, patient } = entry;
    entry.waits = [];
    entry.patient = undefined;
    this.awaited.delete(entry);
    if (!patient) return waits;
    for (const wait of patient) delete wait.staysAt;
    return [...waits, ...patient];
  }

  /** Removes an entry from memory; the manifest may still know it. */
  forget(entry: Entry): void {
    if (this.entries.delete(entry.key.name)) {
      this.keyBytes -= entry.key.key.length;
    }
    this.resting.delete(entry.key.name);
  }

  /** Removes an entry from memory, and lets its waits begin anew. */
  release(entry: Entry): void {
    this.forget(entry);
    for (const wait of this.takeWaits(entry)) this.again.push(wait);
  }

  /** The entry has changed: its waits are looked at again before the step ends. */
  wake(entry: Entry): void {
    if (entry.waits.length > 0 || entry.patient?.size) {
      this.woken.push(entry);
    }
  }

  /** Keeps the ready entries that nobody uses in bounds; call after every use. */
  rest(entry: Entry): void {
    const { state, key: { name } } = entry;
    const isUnused = state.kind === "ready" && state.pins === 0 &&
      entry.waits.length === 0 && state.reading === undefined &&
      state.verifying === undefined;
    // A hot one is used many times in a row, and is the last one already.
    const isLast = entry === this.#restedLast && this.resting.has(name);
    if (isUnused && isLast && this.keyBytes <= MAX_KEYS_BYTES) return;
    this.resting.delete(name);
    if (!isUnused) return;
    this.resting.set(name, entry);
    this.#restedLast = entry;
    while (
      this.resting.size > this.maxResting || this.keyBytes > MAX_KEYS_BYTES
    ) {
      const [oldest] = this.resting.values();
      if (!oldest) return;
      this.forget(oldest);
    }
  }
}

/** The name of whose the work is. */
export function ownerOf({ state }: Entry): string | undefined {
  return state.kind === "loading" || state.kind === "publishing"
    ? state.assignment.owner
    : undefined;
}
