/**
 * The executor: a serial queue in front of the state table. Requests come in
 * with a callback, effects go to the stores, their results come back through
 * the same queue.
 *
 * @module
 */

import type { BlobCache } from "../blobs/blob_cache.ts";
import type { BlobStore } from "../blobs/blob_store.ts";
import type { Clock, Timer } from "../clock.ts";
import type { LarderError } from "../errors.ts";
import { MAX_REPLY_WAIT_MS } from "../limits.ts";
import { type Log, type LogFacts, ofCall } from "../log/log.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { NumberMap } from "../number_map.ts";
import { checkInvariants } from "../table/invariants.ts";
import { StateTable, type TableCounts } from "../table/state_table.ts";
import type { Excess, FilledQuota } from "../table/room.ts";
import type { UnderWay } from "../table/under_way.ts";
import type {
  Command,
  Effect,
  EntryKey,
  Id,
  Reply,
  Request,
  TableOptions,
  Ticket,
  UnassignedReason,
  Unticketed,
} from "../table/types.ts";
import { AccessLog } from "./access_log.ts";
import { Admissions, type Budget, type Grant } from "./admission.ts";
import { EffectRunner } from "./effects.ts";
import { withoutId } from "./failures.ts";
import { randomId, randomStaging } from "./ids.ts";
import { Lately } from "./lately.ts";
import { Pulse } from "./standstill.ts";

/** A request without its ticket, which the engine gives it. */
export type Submission = Unticketed<Request>;

/** What an engine is made of. */
export interface EngineOptions {
  readonly manifest: Manifest;
  readonly blobs: BlobStore;
  readonly cache: BlobCache;
  readonly clock: Clock;
  /** Memory for values on their way to clients; unlimited where absent. */
  readonly budget?: Budget;
  /** Takes what is for the log. */
  readonly warn: Log;
  /**
   * Takes what was thrown where nothing may be: the state is not to be trusted
   * any more, and no command is taken from then on. Where absent, it is thrown.
   */
  readonly onBroken?: (thrown: unknown) => void;
  /** Fresh ids; random ones where absent. */
  readonly newId?: () => Id;
  /** Fresh staging names; random ones where absent. */
  readonly newStaging?: () => string;
  /** The table's options; ids and what the manifest knows are filled in. */
  readonly table: Omit<
    TableOptions,
    "newId" | "newStaging" | "servedBefore" | "startWallMs"
  >;
}

/**
 * Takes the reply. A value comes with the memory it occupies, to be released
 * when the call has ended.
 */
export type OnReply = (reply: Reply, grant?: Grant) => void;

/** Takes a notice: somebody else has the work, or nobody can have it now. */
export type OnNotice = (notice: Notice) => void;

/** Who has the work that a patient Get waits for, and for how long. */
export type Notice = Pick<
  Effect & { kind: "notice" },
  "computedMs" | "peer" | "stopping"
>;

interface Caller {
  readonly onReply: OnReply;
  readonly onNotice: OnNotice | undefined;
  /** Who shares the budget fairly with others: the connection. */
  readonly owner: object;
  readonly request: Submission;
}

const FREE: Grant = { release: () => {} };
const UNLIMITED: Budget = { takeNow: () => FREE, take: () => FREE };

/** Timers are not armed for less: a deadline that stays due must not spin. */
const MIN_TIMER_MS = 10;
/** How often a drain looks whether the leases it waits for have ended. */
const DRAIN_CHECK_MS = 50;

/** What an operator can do about clients that get nothing. */
const EXPLANATIONS: Partial<Record<UnassignedReason, string>> = {
  "too-large": "a value is larger than --max-reply-bytes, or than " +
    "--max-message-bytes: clients of RemoteCache are told Unassigned and " +
    "compute it again; where all of them take larger messages, raise it",
  "no-room": "there is no room, and none can be made at once: clients are " +
    "told Unassigned until there is",
  "still-read": "a value whose time to live is over is still being read: " +
    "clients are told Unassigned until its readers let go of it",
  "caller-assignments": "a caller has as much work as it may: it is given no " +
    "more until some is done",
  "caller-handles":
    "a caller has as many files in hand as it may: it is given " +
    "no more until one is dropped",
  "full": "the table is full: clients are told Unassigned until " +
    "assignments or handles end",
};

/** The engine: submit requests, get replies. */
export class Engine {
  /**
   * Called when entries have to go; `urgent`: somebody waits for it. Whoever
   * sees to it says so with `swept`.
   */
  onCrowded: (urgent: boolean) => void = () => {};
  /** What was evicted, refused or found damaged. */
  readonly lately: Lately;
  readonly #table: StateTable;
  readonly #clock: Clock;
  readonly #cache: BlobCache;
  readonly #effects: EffectRunner;
  readonly #uses: AccessLog;
  readonly #queue: Command[] = [];
  readonly #callers = new NumberMap<Caller>();
  readonly #admissions: Admissions;
  readonly #warn: Log;
  readonly #onBroken: (thrown: unknown) => void;
  readonly #explained = new Set<string>();
  #ticket = 0;
  #pumping = false;
  #timer: { readonly dueMs: number; readonly timer: Timer } | undefined;
  #closed = false;
  #pulse: Pulse | undefined;

  /** Starts with an empty table; `recover` fills it. */
  constructor(options: EngineOptions) {
    const { manifest, blobs, cache, clock, warn, table } = options;
    this.#admissions = new Admissions(options.budget ?? UNLIMITED);
    this.#cache = cache;
    this.#clock = clock;
    this.lately = new Lately(clock);
    this.#warn = warn;
    this.#onBroken = options.onBroken ?? ((thrown) => {
      throw thrown;
    });
    this.#table = new StateTable({
      ...table,
      newId: options.newId ?? randomId,
      newStaging: options.newStaging ?? randomStaging,
      servedBefore: manifest.servedBefore,
      inMemory: (name, generation) => cache.get(name, generation),
      startWallMs: clock.wallMs(),
    }, clock.nowMs());
    this.#uses = new AccessLog({ manifest, clock, warn });
    const feed = (command: Command) => this.feed(command);
    this.#effects = new EffectRunner({
      manifest,
      blobs,
      cache,
      clock,
      uses: this.#uses,
      feed,
      warn,
      about: (name) => this.#table.about({ name }, clock.nowMs()),
      onDamaged: ({ namespace, key }) =>
        this.lately.note("damaged", { reason: "damaged", namespace, key }),
    });
  }

  /**
   * Submits a request, which becomes the engine's own; `onReply` is called
   * exactly once, possibly before this returns, unless the request is
   * cancelled before. `onNotice` is for patient Gets.
   */
  submit(
    request: Submission,
    onReply: OnReply,
    owner: object = this,
    onNotice?: OnNotice,
  ): Ticket {
    const ticket = ++this.#ticket;
    if (request.kind === "get" && !this.#pumping && !this.#closed) {
      const reply = this.#table.atHand(request);
      if (reply !== undefined) {
        this.#uses.note(request.entry);
        onReply(reply);
        return ticket;
      }
    }
    this.#callers.set(ticket, { onReply, onNotice, owner, request });
    // The submission was made for this call: a copy would cost more than all else.
    const command = request as Request & { ticket: Ticket };
    command.ticket = ticket;
    this.feed(command);
    return ticket;
  }

  /**
   * Submits a request and waits for its reply; a value in it is not counted, and its
   * bytes may be gone.
   */
  ask(request: Submission): Promise<Reply> {
    return new Promise((resolve) =>
      this.submit(request, (reply, grant) => {
        // The sweeper's Get may meet a value that has just been published.
        grant?.release();
        resolve(reply);
      })
    );
  }

  /** Takes an entry away; where somebody uses it, it is refused at once. */
  evict(entry: EntryKey, onReply: OnReply): void {
    this.submit({ kind: "evict", entry }, onReply);
  }

  /** The caller has gone: what was not answered yet takes nothing. */
  cancel(ticket: Ticket): void {
    if (!this.#callers.delete(ticket)) return;
    this.#admissions.release(ticket);
    this.feed({ kind: "cancel", ticket });
  }

  /** Puts a command into the queue, and works the queue off. */
  feed(command: Command): void {
    if (this.#closed) return;
    if (this.#pumping) return void this.#queue.push(command);
    this.#pumping = true;
    try {
      this.#pump(command);
    } catch (thrown) {
      // What came before it has been done: it must not be done again.
      this.#queue.length = 0;
      this.#closed = true;
      this.#onBroken(thrown);
    } finally {
      this.#pumping = false;
    }
  }

  /** From here on, no lease ends because the server stood still. */
  noticeStandstills(): void {
    this.#pulse ??= new Pulse(this.#clock, () => this.feed({ kind: "tick" }));
  }

  /** Whether somebody waits for room that an eviction is to make. */
  get isRoomAwaited(): boolean {
    return this.#table.isRoomAwaited;
  }

  /** Whether an entry is being taken away, and counts no more. */
  isEvicting(name: string): boolean {
    return this.#table.state.entries.get(name)?.state.kind === "evicting";
  }

  /** Whether a lease has ended a short while ago, and nobody has taken the work over. */
  get hasExpired(): boolean {
    return this.#table.hasExpired(this.#clock.nowMs());
  }

  /** What has to go so that the quotas are kept. */
  excess(): readonly Excess[] {
    return this.#table.excess();
  }

  /** Writes down when entries were used last. Never rejects. */
  flushUses(): Promise<void> {
    return this.#uses.flush();
  }

  /** What came of an upload is gone, or is a value's now. */
  giveBack(id: Id, upload: string): void {
    this.#table.giveBack(id, upload);
    // Whoever waits for room is looked at.
    this.feed({ kind: "tick" });
  }

  /** What the log says of an assignment: of which entry, whose, and for how long. */
  about(id: Id): LogFacts {
    return this.#table.about({ id }, this.#clock.nowMs());
  }

  /** Whether somebody computes or publishes an entry, as far as the table knows. */
  isLive(name: string): boolean {
    return this.#table.isLive(name, this.#clock.nowMs());
  }

  /** The work under way that takes longest. */
  underWay(limit: number): readonly UnderWay[] {
    return this.#table.underWay(limit, this.#clock.nowMs());
  }

  /** Why nothing can be kept now, whatever goes, if so. */
  get full(): string | undefined {
    return this.#table.full;
  }

  /** Each quota but those of all namespaces, and how far it is filled. */
  get quotas(): readonly FilledQuota[] {
    return this.#table.quotas;
  }

  /** What is ready, but for what came since the evictor looked and has no size. */
  get kept(): { readonly bytes: number; readonly entries: number } {
    return this.#table.kept;
  }

  /** What the table holds. */
  counts(): TableCounts {
    return this.#table.counts(this.#clock.nowMs());
  }

  /** Throws where the table contradicts itself; for tests and the simulation. */
  check(): void {
    checkInvariants(this.#table.state);
  }

  /**
   * Gives out no more work, and waits until what is under way has been
   * published or its lease has ended, but no longer than `limitMs`. Then those
   * who wait for work are sent away.
   */
  async drain(limitMs: number): Promise<void> {
    this.feed({ kind: "drain" });
    const endMs = this.#clock.nowMs() + limitMs;
    for (;;) {
      const nowMs = this.#clock.nowMs();
      if (nowMs >= endMs || !this.#table.isBusy(nowMs)) break;
      await new Promise<void>((resolve) =>
        this.#clock.setTimer(Math.min(DRAIN_CHECK_MS, endMs - nowMs), resolve)
      );
    }
    this.feed({ kind: "leave" });
  }

  /** Takes no more commands; what waits is not answered any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.timer.cancel();
    this.#pulse?.rest();
    for (const ticket of this.#callers.keys()) {
      this.#admissions.release(ticket);
    }
    this.#callers.clear();
    await this.#uses.flush();
  }

  #pump(command: Command): void {
    const nowMs = this.#clock.nowMs();
    const standstill = this.#pulse?.look(nowMs);
    // Before whatever it has delayed.
    if (standstill) this.#step({ kind: "stood-still", ...standstill }, nowMs);
    this.#step(command, nowMs);
    // Results that are there at once were pushed meanwhile.
    for (let at = 0; at < this.#queue.length; at++) {
      this.#step(this.#queue[at]!, nowMs);
    }
    // Nearly always there are none, and an empty list needs no memory.
    if (this.#queue.length > 0) this.#queue.length = 0;
    this.#arm(nowMs);
    if (this.#table.state.assignments.size > 0) this.#pulse?.arm(nowMs);
    else this.#pulse?.rest();
  }

  #step(command: Command, nowMs: number): void {
    for (const effect of this.#table.step(command, nowMs)) {
      switch (effect.kind) {
        case "reply":
          this.#reply(effect.ticket, effect.reply);
          break;
        case "notice":
          this.#callers.get(effect.ticket)?.onNotice?.(effect);
          break;
        case "admit":
          this.#admit(effect.ticket, effect.bytes);
          break;
        case "dismiss":
          this.#admissions.release(effect.ticket);
          break;
        case "make-room":
          this.onCrowded(effect.urgent);
          break;
        default:
          this.#effects.run(effect);
      }
    }
  }

  #reply(ticket: Ticket, reply: Reply): void {
    const caller = this.#callers.get(ticket);
    this.#callers.delete(ticket);
    const grant = this.#admissions.handOver(ticket);
    if (reply.kind === "unassigned") this.#explain(reply, caller?.request);
    else if (reply.kind === "error") {
      this.#logRefusal(reply.error, caller?.request);
    }
    if (reply.kind === "value" && caller) {
      return caller.onReply(reply, this.#lent(reply.value, grant));
    }
    grant?.release();
    caller?.onReply(reply);
  }

  /** What is released when a value has been sent: its memory, and its bytes. */
  #lent(value: Uint8Array, grant: Grant | undefined): Grant | undefined {
    if (!grant) return undefined;
    this.#cache.lend(value);
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        grant.release();
        this.#cache.giveBack(value);
      },
    };
  }

  #admit(ticket: Ticket, bytes: number): void {
    const { owner = this } = this.#callers.get(ticket) ?? {};
    const admitted = () => this.feed({ kind: "admitted", ticket });
    this.#admissions.take(ticket, { owner, bytes, admitted });
  }

  /** Tells the log once why clients are sent away; clients are not told. */
  #explain(
    { reason, detail }: Reply & { kind: "unassigned" },
    request: Submission | undefined,
  ): void {
    if (reason === undefined) return;
    const get = request?.kind === "get" ? request : undefined;
    const { namespace, key } = get?.entry ?? {};
    this.lately.note("refused", { reason, detail, namespace, key });
    const why = EXPLANATIONS[reason];
    if (!why || this.#explained.has(why)) return;
    this.#explained.add(why);
    // The first one of all who are told so.
    this.#warn(detail ? `${why} (${detail})` : why, {
      ...namespace !== undefined && { namespace },
      ...ofCall(get?.peer),
    });
  }

  /** What has a cause was logged where it failed. */
  #logRefusal(error: LarderError, request: Submission | undefined): void {
    if (error.code !== "storage-full") return;
    // Of what stays nobody has been refused anything.
    if (request?.kind === "evict" || request?.kind === "sweep") return;
    const facts = {
      ...request && "id" in request && this.about(request.id),
      ...request && "peer" in request && ofCall(request.peer),
    };
    this.#noteRefused(error, facts);
    if (error.cause !== undefined) return;
    const what = request?.kind === "piece"
      ? "an upload was refused"
      : "a value was not kept";
    this.#warn(`${what}: ${withoutId(error)}`, facts);
  }

  #noteRefused(error: LarderError, { namespace, key }: LogFacts): void {
    const detail = withoutId(error);
    this.lately.note("refused", { reason: error.code, detail, namespace, key });
  }

  /** One timer for the earliest deadline. */
  #arm(nowMs: number): void {
    // No Get or Done is due sooner than this, and the rest is not that exact.
    if (this.#timer && this.#timer.dueMs <= nowMs + MAX_REPLY_WAIT_MS) return;
    const nextMs = this.#table.nextDeadlineMs();
    if (nextMs === undefined) return;
    const dueMs = Math.max(nextMs, nowMs + MIN_TIMER_MS);
    if (this.#timer && this.#timer.dueMs <= dueMs) return;
    this.#timer?.timer.cancel();
    const timer = this.#clock.setTimer(dueMs - nowMs, () => {
      this.#timer = undefined;
      this.feed({ kind: "tick" });
    });
    this.#timer = { dueMs, timer };
  }
}
