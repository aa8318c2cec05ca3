/**
 * Test-only: the contract of the two original services as a small model. It
 * watches what clients ask, what changes in the manifest, which work is under
 * way and how requests are answered, and throws where the contract does not
 * allow it. It knows nothing of how the table works.
 *
 * A request is answered right when its answer was right at some moment between
 * the asking and the answering. So every open request collects, moment by
 * moment, the answers that the contract allows.
 *
 * @module
 */

import type { Id, Reply, Request, Row, Ticket } from "../types.ts";

/** The figures of the contract, in milliseconds, bytes and pieces. */
export interface ModelOptions {
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly handleLeaseMs: number;
  readonly maxValueBytes: number;
  readonly maxAssignments: number;
  readonly maxHandles: number;
  readonly streamBytes?: number;
  readonly maxComputeMs: number;
  /** How much may be kept; the model does not count, it only lets others do so. */
  readonly quotas: readonly unknown[];
}

/** No reply waits longer than this because a value is big. */
const MAX_WAIT_MS = 500;

/** The lease of a loading row: alive before `fromMs`, over after `toMs`, either in between. */
interface Lease {
  fromMs: number;
  toMs: number;
  /** When the grace ends that a restart gave it, if its holder is silent since … */
  graceEndsMs?: number;
  /** … and if it was not heard of either: what it brought may not have arrived. */
  graceLastsMs?: number;
  /** Since when its holder computes. */
  sinceMs: number;
  /** Somebody was told the id (or may have been: a restart forgets). */
  granted: boolean;
  /** Its Done was answered with OK: it will be published. */
  acknowledged: boolean;
  /** When its staging file was last seen not to have changed within the lease. */
  quietMs: number;
}

interface Entry {
  row: Row | undefined;
  /** The row as it was, while the table has not yet heard of the change. */
  before: { readonly row: Row | undefined } | undefined;
  lease: Lease;
  publishing: boolean;
  /** "sweep" is not a state of the contract: an entry that is absent, and busy. */
  evicting: false | "evict" | "sweep";
  /** The published bytes, and whether what lies on the disk is still that. */
  bytes: string;
  /** Counts the publishes. */
  publish: number;
  damaged: boolean;
  captured: boolean;
  /** Work is under way for it. */
  busy: boolean;
}

interface Handle {
  readonly name: string;
  /** Which publish of the entry it pins. */
  readonly publish: number;
  endsMs: number;
  state: "live" | "dropped" | "before-restart";
}

interface Open {
  readonly request: Request;
  readonly sinceMs: number;
  readonly draining: boolean;
  readonly allowed: Set<string>;
  cancelled: boolean;
}

/** What the contract says of everything that was observed. */
export class ReferenceModel {
  readonly #options: ModelOptions;
  readonly #entries = new Map<string, Entry>();
  #short: ReadonlySet<string> = new Set();
  readonly #handles = new Map<Id, Handle>();
  readonly #usedIds = new Set<Id>();
  /** Whose an id is, where it was given to somebody with a name. */
  readonly #owners = new Map<Id, string>();
  /** Ids whose row was removed behind the table's back. */
  readonly #vanished = new Set<Id>();
  readonly #open = new Map<Ticket, Open>();
  #draining = false;
  #leaving = false;
  #startedMs: number;
  #servedBefore: boolean;

  constructor(options: ModelOptions, nowMs: number, rows: Iterable<Row>) {
    this.#options = options;
    this.#startedMs = nowMs;
    this.#servedBefore = false;
    for (const row of rows) this.#entry(row.name).row = row;
    this.restart(nowMs);
    this.#servedBefore = false;
  }

  /** A client asks. */
  ask(request: Request, nowMs: number): void {
    const isForeign = this.isForeign(request);
    if (request.kind === "abandon" && !isForeign) {
      this.#giveBack(request.id, nowMs);
    }
    const brings = request.kind === "set" || request.kind === "done" ||
      request.kind === "offer";
    if (brings && !isForeign) {
      for (const { lease } of this.#ofId(request.id)) {
        delete lease.graceLastsMs;
      }
    }
    this.#open.set(request.ticket, {
      request,
      sinceMs: nowMs,
      draining: this.#draining,
      allowed: new Set(),
      cancelled: false,
    });
    this.moment(nowMs);
  }

  /** Whether it is about an id that was given to somebody else. */
  isForeign(request: Request): boolean {
    return "id" in request && request.kind !== "piece" &&
      this.#owners.has(request.id) &&
      this.#owners.get(request.id) !== request.by;
  }

  /** The lease may be over from now on, and nobody needs to look at its file. */
  #giveBack(id: Id, nowMs: number): void {
    for (const { lease, publishing } of this.#ofId(id)) {
      if (publishing || lease.acknowledged) continue;
      lease.fromMs = Math.min(lease.fromMs, nowMs);
      lease.quietMs = Infinity;
    }
  }

  /** A caller has gone. */
  cancel(ticket: Ticket): void {
    const open = this.#open.get(ticket);
    if (open) open.cancelled = true;
  }

  /** No new assignments from now on. */
  drain(nowMs: number): void {
    this.#draining = true;
    this.moment(nowMs);
  }

  /** The drain is over: nobody waits any more. */
  leave(): void {
    this.#leaving = true;
  }

  /** The process was killed and started again: who waited, waits no more. */
  restart(nowMs: number): void {
    this.#open.clear();
    this.#draining = false;
    this.#leaving = false;
    this.#startedMs = nowMs;
    this.#servedBefore = true;
    for (const handle of this.#handles.values()) {
      if (handle.state === "live") handle.state = "before-restart";
    }
    for (const entry of this.#entries.values()) {
      entry.before = undefined;
      entry.publishing = false;
      entry.evicting = false;
      const known = entry.row?.status === "loading" &&
        entry.row.id !== undefined;
      const freshMs = nowMs + this.#options.graceMs;
      const { graceEndsMs = freshMs, graceLastsMs = freshMs } = entry.lease;
      const endsMs = Math.max(nowMs, graceEndsMs);
      const lastsMs = Math.max(nowMs, graceLastsMs);
      // Nobody of ours can hold a row of the original server: either will do.
      entry.lease = {
        ...entry.lease,
        fromMs: known ? endsMs : nowMs,
        toMs: lastsMs,
        graceEndsMs: endsMs,
        graceLastsMs: lastsMs,
        sinceMs: nowMs,
        granted: true,
        quietMs: -Infinity,
      };
    }
  }

  /** A change of the manifest took effect. The table has not heard of it yet. */
  rowChanged(
    name: string,
    row: Row | undefined,
    { nowMs, bytes = "" }: { nowMs: number; bytes?: string },
  ): void {
    const entry = this.#entry(name);
    const old = entry.row;
    const kept = old?.id === row?.id;
    if (row?.status === "loading" && !kept) {
      this.#checkFresh(row.id);
    }
    if (
      old?.status === "loading" && !(row && row.status !== "evicting" && kept)
    ) {
      this.#checkTakenOver(name, entry, nowMs);
    }
    if (old?.status === "ready") {
      must(
        row && row.status !== "loading",
        `${name}: ready only leaves by evicting`,
      );
    }
    if (row?.status === "ready" && old?.status !== "ready") {
      must(
        old?.status === "loading" && kept,
        `${name} is published by its holder`,
      );
      entry.bytes = bytes;
      entry.publish++;
      entry.damaged = false;
    }
    if (row?.status === "loading" && !kept) {
      entry.lease = newLease();
      entry.captured = false;
    }
    entry.before = { row: old };
    entry.row = row;
    this.moment(nowMs);
  }

  /** The table makes an assignment. */
  assigning(name: string, nowMs: number): void {
    must(!this.#draining, `${name}: no new assignments while stopping`);
    must(this.#gets(name, true), `${name}: assigned though nobody asks`);
    const alive = [...this.#entries.values()].filter((entry) =>
      entry.row?.status === "loading" && entry.lease.granted &&
      nowMs < entry.lease.fromMs
    );
    must(
      alive.length < this.#options.maxAssignments,
      "assignments are bounded",
    );
  }

  /** The table gives a holder's work away, or removes it: somebody must want that. */
  takingOver(name: string): void {
    const entry = this.#entry(name);
    // What a stop has not yet told anybody of goes back.
    const isUntold = this.#draining && !entry.lease.granted;
    must(
      this.#gets(name) || this.#isGivenBack(entry) ||
        this.#isUnwanted(name) || isUntold,
      `${name}: taken over though nobody asks any more`,
    );
  }

  /** The table has heard of the last change. */
  settled(name: string): void {
    this.#entry(name).before = undefined;
  }

  /** A row vanished without the table's doing; it may learn of that at any time. */
  removed(name: string): void {
    const entry = this.#entry(name);
    if (entry.row?.id !== undefined) this.#vanished.add(entry.row.id);
    entry.before = { row: entry.row };
    entry.row = undefined;
  }

  /** The entries for which work is under way. */
  busy(names: ReadonlySet<string | undefined>): void {
    for (const [name, entry] of this.#entries) entry.busy = names.has(name);
  }

  /** The entries whose values wait for room. */
  short(names: ReadonlySet<string>): void {
    this.#short = names;
  }

  /** A step of publishing begins or has ended. */
  publishing(name: string, publishing: boolean): void {
    this.#entry(name).publishing = publishing;
  }

  /** The staging file is out of its client's reach, durably. */
  captured(name: string): void {
    this.#entry(name).captured = true;
  }

  /** A step of publishing failed; `ours`: it was not the client's fault. */
  publishFailed(name: string, ours: boolean, nowMs: number): void {
    const { lease } = this.#entry(name);
    const endsMs = nowMs + this.#options.leaseMs;
    if (ours) lease.fromMs = Math.max(lease.fromMs, endsMs);
    lease.toMs = Math.max(lease.toMs, endsMs);
    lease.granted = true;
  }

  /** What was captured is damaged: its client, if any, has to write again. */
  lost(name: string, nowMs: number): void {
    const entry = this.#entry(name);
    entry.lease.acknowledged = false;
    entry.captured = false;
    this.publishFailed(name, true, nowMs);
    this.failed(name);
  }

  /** The entry is being taken away, or no longer. */
  evicting(name: string, evicting: Entry["evicting"], nowMs: number): void {
    this.#entry(name).evicting = evicting;
    if (evicting !== "evict") return;
    must(!this.#entry(name).publishing, `${name}: evicted while publishing`);
    must(
      this.#pins(name, nowMs) === 0 || this.#entry(name).damaged,
      `${name}: evicted while a handle pins it`,
    );
  }

  /** A value that was there before anything was watched. */
  published(name: string, bytes: string): void {
    this.#entry(name).bytes = bytes;
  }

  /** A row of the original server got what it lacked. */
  completed(name: string, row: Row): void {
    this.#checkFresh(row.id);
    this.#entry(name).row = row;
  }

  /** Whether nobody has renewed the assignment for a day. */
  isForgotten(name: string, nowMs: number): boolean {
    const { lease } = this.#entry(name);
    const endsMs = lease.toMs + 24 * 3_600_000;
    return lease.granted && nowMs > endsMs && !lease.acknowledged;
  }

  /** Somebody spoilt the blob. */
  spoilt(name: string): void {
    this.#entry(name).damaged = true;
  }

  /** The staging file was looked at. */
  probed(name: string, changedAgoMs: number | undefined, nowMs: number): void {
    const { lease } = this.#entry(name);
    const { leaseMs } = this.#options;
    if (changedAgoMs === undefined || changedAgoMs >= leaseMs) {
      lease.quietMs = nowMs;
    } else {
      // As good as a heartbeat, of then or of now.
      lease.quietMs = -Infinity;
      lease.fromMs = Math.max(lease.fromMs, nowMs - changedAgoMs + leaseMs);
      lease.toMs = Math.max(lease.toMs, nowMs + leaseMs);
    }
  }

  /** Something failed on our side: who waits for the entry may be told so. */
  failed(name: string): void {
    for (const open of this.#open.values()) {
      if (this.#names(open.request).includes(name)) this.#allowFailure(open);
    }
  }

  /** A look-up for one request failed. */
  lookupFailed(ticket: Ticket): void {
    const open = this.#open.get(ticket);
    if (open) this.#allowFailure(open);
  }

  /** Every open request collects what it may be answered with at this moment. */
  moment(nowMs: number): void {
    for (const { request, allowed } of this.#open.values()) {
      for (const answer of this.#answers(request, nowMs)) allowed.add(answer);
    }
  }

  /** The requests that still wait for their answer; `olderThanMs`: for so long. */
  waiting(nowMs: number, olderThanMs = 0): readonly Request[] {
    return [...this.#open.values()].filter((open) =>
      !open.cancelled && nowMs - open.sinceMs >= olderThanMs
    ).map((open) => open.request);
  }

  /** A patient Get is told that somebody has the work, or nobody can have it. */
  noticed(ticket: Ticket, computedMs: number, nowMs: number): void {
    const open = this.#open.get(ticket);
    must(open && !open.cancelled, `${ticket}: a notice to nobody`);
    const { request } = open;
    must(
      request.kind === "get" && request.patient,
      `${ticket}: a notice to one who does not wait`,
    );
    const { row, before } = this.#entry(request.entry.name);
    must(
      [row, before?.row].some((it) => it?.status === "loading") ||
        (this.#draining && request.assign),
      `${ticket}: nobody has the work`,
    );
    must(computedMs >= 0 && computedMs <= nowMs, `${ticket}: ${computedMs} ms`);
  }

  /** Nothing is under way: who waits, waits for a holder whose lease is alive. */
  checkPatience(nowMs: number): void {
    for (const { request, cancelled } of this.#open.values()) {
      if (request.kind !== "get" || cancelled) continue;
      const { name } = request.entry;
      const { row, lease } = this.#entry(name);
      must(request.patient, "nothing is under way, yet a get waits");
      const isHeld = row?.status === "loading" && lease.granted &&
        (nowMs <= lease.toMs || lease.acknowledged);
      // A stop gives work to nobody: who wants it waits for the next process.
      must(
        isHeld || (this.#draining && (request.assign || row !== undefined)),
        `${name}: somebody waits for nobody`,
      );
      must(!this.#leaving, `${name}: somebody waits for a server that stops`);
    }
  }

  /** Whether a Done of this entry's file could have been answered by now. */
  isCaptured(id: Id): boolean {
    return this.#ofId(id).some((entry) => entry.captured);
  }

  /** Whether an acknowledged value has not been published yet. */
  isOwed(name: string): boolean {
    const { row, lease } = this.#entry(name);
    return row?.status === "loading" && lease.acknowledged;
  }

  /** A request was answered: throws unless that was right. */
  answered(ticket: Ticket, reply: Reply, nowMs: number): void {
    const open = this.#open.get(ticket);
    must(open, `${ticket} is answered once, and was asked`);
    this.moment(nowMs);
    this.#open.delete(ticket);
    const { request, allowed, sinceMs, cancelled } = open;
    const of = `${request.kind} ${ticket} (${[...allowed].join(" ")})`;
    must(!cancelled, `${of}: a caller that has gone is given nothing`);
    const late = nowMs - sinceMs >= MAX_WAIT_MS;
    if (request.kind === "get" && request.by !== undefined) {
      if (reply.kind === "assigned") {
        this.#owners.set(reply.assignment.id, request.by);
      }
      if (reply.kind === "handle") this.#owners.set(reply.id, request.by);
    }
    switch (reply.kind) {
      case "assigned":
        return this.#grant(open, reply.assignment, nowMs);
      case "handle":
        return this.#handOut(open, reply, nowMs);
      case "value":
        must(allowed.has(`value:${hex(reply.value)}`), `${of}: other bytes`);
        return;
      case "loading":
        must(
          allowed.has("loading") || (request.kind === "get" && late),
          `${of}: loading`,
        );
        must(
          request.kind !== "get" || !request.patient,
          `${of}: not to be told Loading`,
        );
        return;
      case "absent":
        must(
          request.kind === "evict" && allowed.has("absent"),
          `${of}: absent`,
        );
        return;
      case "published": {
        const asks = request.kind === "offer" ||
          (request.kind === "done" && request.patient);
        must(asks && allowed.has("published"), `${of}: not published`);
        const { sha256 } = reply.digest;
        const found = this.#ofId(request.id).every(({ bytes }) =>
          bytes === sha256
        );
        must(found, `${of}: published something else`);
        return;
      }
      case "unassigned":
        must(
          allowed.has("unassigned") || this.#isForRoom(reply.reason) ||
            isForCaller(request, reply.reason),
          `${of}: unassigned`,
        );
        return;
      case "error":
        // A holder that tried is alive, as good as with a heartbeat.
        if ("id" in request && !this.isForeign(request)) {
          this.#prolong(request.id, nowMs);
        }
        must(
          allowed.has(`error:${reply.error.code}`) || allowed.has("error") ||
            this.#isForRoom(reply.error.code),
          `${of}: ${reply.error.code}`,
        );
        return;
      case "ok":
        return this.#ok(open, nowMs, of);
    }
  }

  #ok({ request, allowed, sinceMs }: Open, nowMs: number, of: string): void {
    const late = nowMs - sinceMs >= MAX_WAIT_MS;
    if (request.kind === "heartbeat") {
      const handle = this.#handles.get(request.id);
      if (handle?.state === "live" && allowed.has("renewed")) {
        handle.endsMs = nowMs + this.#options.handleLeaseMs;
        return;
      }
      const [entry] = this.#ofId(request.id);
      if (entry?.row?.id === request.id && entry.row.status === "loading") {
        const { lease } = entry;
        delete lease.graceEndsMs;
        delete lease.graceLastsMs;
        lease.fromMs = Math.max(lease.fromMs, sinceMs + this.#options.leaseMs);
        lease.toMs = Math.max(lease.toMs, nowMs + this.#options.leaseMs);
        lease.granted = true;
        return;
      }
      must(
        allowed.has("published") || this.#vanished.has(request.id),
        `${of}: renewed, but another has it`,
      );
    } else if (request.kind === "done" && !allowed.has("published")) {
      const [entry] = this.#ofId(request.id);
      must(
        entry?.captured && late,
        `${of}: ok, but neither published nor captured for 500 ms`,
      );
      entry.lease.acknowledged = true;
    } else if (request.kind === "set" || request.kind === "done") {
      must(allowed.has("published"), `${of}: ok, but not published`);
    } else if (request.kind === "abandon") {
      must(allowed.has("given"), `${of}: ok, but it was not the holder`);
    } else if (request.kind === "drop") {
      must(allowed.has("ok"), `${of}: ok`);
      const handle = this.#handles.get(request.id);
      if (handle) handle.state = "dropped";
    } else {
      must(allowed.has("gone"), `${of}: ok, but not gone`);
    }
  }

  /** The lease may be renewed; it need not. */
  #prolong(id: Id, nowMs: number): void {
    for (const { lease } of this.#ofId(id)) {
      lease.toMs = Math.max(lease.toMs, nowMs + this.#options.leaseMs);
    }
  }

  #grant(
    { request, draining }: Open,
    { id, staging }: { readonly id: Id; readonly staging?: string },
    nowMs: number,
  ): void {
    must(
      request.kind === "get" && request.assign,
      `${id}: nobody asked for work`,
    );
    must(!draining, `${id}: no new assignments while stopping`);
    const { row, lease } = this.#entry(request.entry.name);
    must(
      row?.status === "loading" && row.id === id,
      `${id} is not in the manifest`,
    );
    must(!lease.granted, `${id} has a holder`);
    must(row.staging === staging, `${id}: staging as in the manifest`);
    must(
      (staging !== undefined) === (request.api === "local"),
      `${id}: local has a path`,
    );
    const endsMs = nowMs + this.#options.leaseMs;
    Object.assign(lease, {
      fromMs: endsMs,
      toMs: endsMs,
      sinceMs: nowMs,
      granted: true,
    });
  }

  #handOut(
    { request, allowed }: Open,
    { id, name }: { readonly id: Id; readonly name: string },
    nowMs: number,
  ): void {
    must(
      request.kind === "get" && request.api !== "remote",
      `${id}: a handle for a Get`,
    );
    must(request.entry.name === name, `${id}: a handle on what was asked for`);
    this.#checkFresh(id);
    const { row, evicting, publish } = this.#entry(name);
    must(
      row?.status === "ready" && !evicting && allowed.has("handle"),
      `${id}: ${name} is not there`,
    );
    const endsMs = nowMs + this.#options.handleLeaseMs;
    this.#handles.set(id, { name, publish, endsMs, state: "live" });
    const live = [...this.#handles.values()].filter((h) =>
      h.state === "live" && nowMs < h.endsMs
    );
    must(live.length <= this.#options.maxHandles, "handles are bounded");
  }

  /** What a request may be answered with now. */
  *#answers(request: Request, nowMs: number): Iterable<string> {
    if (this.isForeign(request)) {
      yield request.kind === "drop"
        ? "error:invalid-handle-id"
        : "error:invalid-assignment-id";
      return;
    }
    switch (request.kind) {
      case "get": {
        const entry = this.#entry(request.entry.name);
        const rows = entry.before ? [entry.row, entry.before.row] : [entry.row];
        for (const row of rows) yield* this.#get(request, entry, row, nowMs);
        return;
      }
      case "heartbeat":
      case "set":
      case "done":
      case "offer":
      case "abandon":
        return yield* this.#holder(request, nowMs);
      case "drop":
        return yield* this.#drop(request.id, nowMs);
      case "evict": {
        const { name } = request.entry;
        const { row, before, busy } = this.#entry(name);
        const loading = [row, before?.row].some((it) =>
          it?.status === "loading"
        );
        if (row?.status !== "ready") yield "gone";
        if (!row || !before?.row) yield "absent";
        if (loading || busy || this.#pins(name, nowMs) > 0) {
          yield "error:in-use";
        }
        if (this.#draining) yield "error:stopping";
        return;
      }
      case "sweep": {
        const { row, before, busy } = this.#entry(request.name);
        if (!row) yield "gone";
        if (row || before || busy) yield "loading";
        return;
      }
    }
  }

  *#get(
    request: Extract<Request, { kind: "get" }>,
    entry: Entry,
    row: Row | undefined,
    nowMs: number,
  ): Iterable<string> {
    const { lease, evicting } = entry;
    const { name } = request.entry;
    if (evicting) yield "unassigned";
    if (evicting === "evict") return;
    const absent = this.#assign(request);
    if (!row) return yield absent;
    if (row.status === "evicting") return yield "unassigned";
    if (row.status === "ready") {
      if (entry.damaged) yield "unassigned";
      const { streamBytes = Infinity, maxValueBytes } = this.#options;
      const size = entry.bytes.length / 2;
      if (
        request.api === "local" || request.fromDisk ||
        (request.api === "stream" && size > streamBytes)
      ) {
        yield this.#full() ? "unassigned" : "handle";
        if (this.#full()) yield "handle";
      } else if (request.api === "remote" && size > maxValueBytes) {
        yield "unassigned";
      } else {
        yield `value:${entry.bytes}`;
      }
      return;
    }
    if (request.patient && this.#leaving) yield "error:stopping";
    const publishing = entry.publishing || this.#short.has(name);
    if (publishing || lease.acknowledged) {
      yield "loading";
      // Between two tries a stop has nothing to wait for.
      if (!publishing && this.#draining) yield absent;
      return;
    }
    if (!lease.granted) {
      // Nobody holds it yet: it is as good as absent, unless another is next.
      yield absent;
      if (this.#gets(name, true, request.ticket)) yield "loading";
      return;
    }
    if (nowMs <= lease.toMs) yield "loading";
    if (nowMs >= lease.fromMs) yield absent;
  }

  /** What a Get that finds nothing, or nobody, is answered with. */
  #assign(request: Extract<Request, { kind: "get" }>): string {
    if (!request.assign) return "unassigned";
    if (this.#draining) {
      if (!request.patient) return "unassigned";
      return this.#leaving ? "error:stopping" : "no answer";
    }
    // Rows that load, and entries for which a row might just be made.
    const loading = [...this.#entries].filter(([name, { row, before, busy }]) =>
      row?.status === "loading" || before?.row?.status === "loading" || busy ||
      this.#gets(name, true, request.ticket)
    );
    return loading.length >= this.#options.maxAssignments
      ? "unassigned"
      : "assigned";
  }

  *#holder(
    request: Extract<Request, { id: Id }>,
    nowMs: number,
  ): Iterable<string> {
    const { id } = request;
    const handle = this.#handles.get(id);
    if (request.kind === "heartbeat" && handle?.state === "live") {
      if (nowMs <= handle.endsMs) yield "renewed";
      if (nowMs < handle.endsMs) return;
    }
    let valid = false;
    for (const { row, before, evicting } of this.#entries.values()) {
      for (const it of before ? [row, before.row] : [row]) {
        if (it?.id !== id || it.status === "evicting") continue;
        valid ||= it === row && evicting !== "evict";
        yield "given";
        if (it.status === "ready") yield "published";
        const remote = it.status === "loading" && it.staging === undefined;
        if (request.kind === "done" && remote) yield "error:no-file";
      }
    }
    if (!valid) yield "error:invalid-assignment-id";
  }

  *#drop(id: Id, nowMs: number): Iterable<string> {
    const { handleLeaseMs } = this.#options;
    const handle = this.#handles.get(id);
    const graceMs = this.#startedMs + handleLeaseMs;
    if (handle?.state === "live") {
      // Remembered for one lease at least.
      yield "ok";
      if (nowMs < handle.endsMs + handleLeaseMs) return;
    }
    if (this.#servedBefore && nowMs <= graceMs) yield "ok";
    const assignment = handle === undefined && this.#usedIds.has(id);
    if (!this.#servedBefore || nowMs >= graceMs || assignment) {
      yield "error:invalid-handle-id";
    }
  }

  #allowFailure({ request, allowed }: Open): void {
    allowed.add(request.kind === "get" ? "unassigned" : "error");
  }

  #checkTakenOver(name: string, entry: Entry, nowMs: number): void {
    const { lease, row, publishing } = entry;
    must(!publishing, `${name}: taken over while it is published`);
    must(
      !lease.acknowledged,
      `${name}: taken over though its Done was answered`,
    );
    if (!lease.granted || this.#isGivenBack(entry)) return;
    if (nowMs - lease.sinceMs >= this.#options.maxComputeMs) return;
    must(nowMs >= lease.fromMs, `${name}: taken over before its lease ended`);
    if (row?.status !== "loading" || row.staging === undefined) return;
    must(
      lease.quietMs >= lease.fromMs,
      `${name}: taken over without a look at its file`,
    );
  }

  /** Whether the holder is about to be told that the work is no longer its own. */
  #isGivenBack({ row }: Entry): boolean {
    return [...this.#open.values()].some(({ request }) =>
      request.kind === "abandon" && request.id === row?.id
    );
  }

  /** Whether somebody wants the entry away, cost what it may. */
  #isUnwanted(name: string): boolean {
    return [...this.#open.values()].some(({ request, cancelled }) =>
      request.kind === "evict" && request.entry.name === name && !cancelled
    );
  }

  /** Whether somebody was sent away because there is a quota. */
  #isForRoom(reason: string | undefined): boolean {
    return this.#options.quotas.length > 0 &&
      (reason === "no-room" || reason === "storage-full");
  }

  #checkFresh(id: Id | undefined): void {
    must(id !== undefined && !this.#usedIds.has(id), `${id} is new`);
    this.#usedIds.add(id);
  }

  #pins(name: string, nowMs: number): number {
    return [...this.#handles.values()].filter((handle) =>
      handle.name === name && handle.publish === this.#entry(name).publish &&
      handle.state === "live" && nowMs < handle.endsMs
    ).length;
  }

  #full(): boolean {
    const held = [...this.#handles.values()].filter((handle) =>
      handle.state === "live"
    );
    return held.length >= this.#options.maxHandles;
  }

  /** Whether Gets wait for an entry; `assign`: that would take work; `but`: except this one. */
  #gets(name: string, assign = false, but: Ticket = -1): boolean {
    return [...this.#open.values()].some(({ request, cancelled }) =>
      request.kind === "get" && request.entry.name === name && !cancelled &&
      request.ticket !== but && (request.assign || !assign)
    );
  }

  #ofId(id: Id): readonly Entry[] {
    return [...this.#entries.values()].filter(({ row }) => row?.id === id);
  }

  #names(request: Request): readonly string[] {
    if (request.kind === "get" || request.kind === "evict") {
      return [request.entry.name];
    }
    if (request.kind === "sweep") return [request.name];
    return [...this.#entries].filter(([, { row, before }]) =>
      row?.id === request.id || before?.row?.id === request.id
    ).map(([name]) => name);
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (!entry) {
      entry = {
        row: undefined,
        before: undefined,
        lease: newLease(),
        publishing: false,
        evicting: false,
        bytes: "",
        publish: 0,
        damaged: false,
        captured: false,
        busy: false,
      };
      this.#entries.set(name, entry);
    }
    return entry;
  }
}

/** Bytes as text, so that they compare. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function newLease(): Lease {
  return {
    fromMs: -Infinity,
    toMs: -Infinity,
    sinceMs: Infinity,
    granted: false,
    acknowledged: false,
    quietMs: -Infinity,
  };
}

/** Whether whoever asks may be told that they have as much as they may. */
function isForCaller(request: Request, reason = ""): boolean {
  return request.kind === "get" && request.over !== undefined &&
    reason.startsWith("caller-");
}

function must(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(`the contract does not allow: ${what}`);
}
