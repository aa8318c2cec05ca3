/**
 * Test-only: plays the engine for a table. A manifest, blobs and staging files
 * in memory; effects become jobs that take effect and report back in the order
 * that a test chooses, well or badly; the process can be killed at any moment.
 * Everything that happens is shown to the reference model.
 *
 * @module
 */

import { type ErrorCode, LarderError } from "../../errors.ts";
import { checkInvariants } from "../invariants.ts";
import { hex, ReferenceModel } from "./reference_model.ts";
import { DISK } from "../scope.ts";
import { StateTable } from "../state_table.ts";
import type {
  Asked,
  Assignment,
  Command,
  Digest,
  Effect,
  EntryKey,
  Id,
  Reply,
  Request,
  Result,
  Row,
  TableOptions,
  Ticket,
} from "../types.ts";

type Brought =
  | "servedBefore"
  | "startWallMs"
  | "newId"
  | "newStaging"
  | "inMemory"
  | "observer";

/** The options of a table, but for what the engine itself brings. */
export type Figures =
  & Required<Omit<TableOptions, Brought | "streamBytes">>
  & Pick<TableOptions, "streamBytes">
  & {
    /** What was read is in memory from then on, until the table is made anew. */
    readonly keepsValues?: boolean;
  };

/** What goes wrong with a job; `unreadable`: a second way, where there is one. */
export type Fault = "none" | "failed" | "unreadable";

type Work = Exclude<
  Effect,
  {
    kind:
      | "reply"
      | "notice"
      | "discard"
      | "admit"
      | "dismiss"
      | "make-room"
      | "superseded"
      | "renewed";
  }
>;

interface Job {
  readonly effect: Work;
  /** Present once it took effect. */
  outcome?: { readonly result: Result | undefined };
  /** The row as it was when the table wanted the effect. */
  readonly row: Row | undefined;
}

interface Staged {
  /** Absent: no regular file. */
  bytes?: string;
  changedMs: number;
}

/** A table, all it works with, and the model that watches. */
export class FakeEngine {
  readonly rows = new Map<string, Row>();
  readonly blobs = new Map<string, string>();
  readonly staged = new Map<string, Staged>();
  readonly captured = new Map<string, string>();
  /** Every assignment and every handle that was ever given out, latest last. */
  readonly assignments: Assignment[] = [];
  readonly handles: Id[] = [];
  readonly replies = new Map<Ticket, Reply>();
  /** How often a patient Get was told who has the work. */
  readonly notices = new Map<Ticket, number>();
  /** The uploads of offers that have not been answered. */
  readonly #offered = new Map<Ticket, string>();
  /** Somebody is to make room, and has not said what came of it. */
  #crowded = false;
  readonly model: ReferenceModel;
  jobs: Job[] = [];
  nowMs = 1_000;
  table: StateTable;
  readonly #figures: Figures;
  readonly #inMemory = new Map<string, { generation: Id; value: Uint8Array }>();
  readonly #story: (readonly [nowMs: number, mark: string, what: unknown])[] =
    [];
  readonly #past: Result[] = [];
  /** Staging files of assignments that are over: the table has to name them. */
  readonly #over = new Set<string>();
  /** What was given to Set and Done, by id. */
  readonly #given = new Map<Id, Set<string>>();
  #lastId = 1_000;
  lastTicket = 0;

  constructor(figures: Figures, rows: readonly Row[] = []) {
    this.#figures = figures;
    for (const row of rows) {
      this.rows.set(row.name, row);
      if (row.status === "ready") this.blobs.set(row.name, "0e");
    }
    this.model = new ReferenceModel(
      {
        leaseMs: figures.leaseTimeoutMs,
        graceMs: figures.restartGraceMs,
        ...figures,
      },
      this.nowMs,
      rows,
    );
    for (const row of rows) {
      if (row.status === "ready") this.model.published(row.name, "0e");
    }
    this.table = this.#newTable(false);
    this.#restore();
  }

  /** A client asks. */
  ask(request: WithoutTicket<Request>): Ticket {
    const ticket = ++this.lastTicket;
    const asked: Request = { ...request, ticket };
    const isForeign = this.model.isForeign(asked);
    if (asked.kind === "set" && !isForeign) {
      this.#give(asked.id, hex(asked.value));
    }
    if (asked.kind === "offer" && !isForeign) {
      this.#give(asked.id, asked.digest.sha256);
      this.#offered.set(ticket, asked.upload);
    }
    this.model.ask(asked, this.nowMs);
    const evicting = asked.kind === "get" &&
      this.jobs.some(({ effect }) =>
        effect.kind === "evict" && effect.entry.name === asked.entry.name
      );
    this.#step(asked);
    must(
      !evicting || this.replies.has(ticket),
      "who asks for what is evicted computes for itself, at once",
    );
    return ticket;
  }

  /** A client has sent all of its value, which lies in a private file. */
  offer(id: Id, bytes: string): Ticket {
    const upload = `u${++this.#lastId}`;
    this.captured.set(upload, bytes);
    return this.ask({ kind: "offer", id, upload, digest: digestOf(bytes) });
  }

  /** A caller goes, or seems to after it was answered; who offers hears it all. */
  cancel(ticket: Ticket): void {
    if (this.#offered.has(ticket)) return;
    this.model.cancel(ticket);
    this.memory.delete(ticket);
    this.#step({ kind: "cancel", ticket });
  }

  drain(): void {
    this.model.drain(this.nowMs);
    this.#step({ kind: "drain" });
  }

  /** A drain that is over. */
  leave(): void {
    this.drain();
    this.model.leave();
    this.#step({ kind: "leave" });
  }

  /** A client writes its file; `undefined`: something that is no file. */
  write(staging: string, bytes: string | undefined): void {
    this.staged.set(staging, {
      changedMs: this.nowMs,
      ...(bytes === undefined ? {} : { bytes }),
    });
    this.#over.delete(staging);
  }

  /** Spoils a blob. */
  spoil(name: string, missing: boolean): void {
    const row = this.rows.get(name);
    if (row?.status !== "ready" || !this.blobs.has(name)) return;
    // Without a digest nobody can tell, but that a file is missing.
    if (!row.digest && !missing) return;
    this.model.spoilt(name);
    if (missing) this.blobs.delete(name);
    else this.blobs.set(name, "bb");
  }

  /**
   * Somebody else removes a row: the janitor one that expired long ago and is
   * not in memory; or another hand one that is just about to be published.
   */
  forget(name: string): void {
    const row = this.rows.get(name);
    if (row?.status !== "loading") return;
    const janitor = this.model.isForgotten(name, this.nowMs) &&
      !this.table.state.entries.has(name) &&
      !this.jobs.some(({ effect }) => effect.kind === "find-id");
    const late = this.jobs.find(({ effect, outcome }) =>
      effect.kind === "persist" && effect.entry.name === name && !outcome
    );
    if (!janitor && (!late || this.model.isOwed(name))) return;
    if (row.staging && late) {
      this.#over.add(row.staging);
    } else if (row.staging) {
      this.staged.delete(row.staging);
      this.captured.delete(row.staging);
    }
    this.rows.delete(name);
    this.model.removed(name);
    if (late) this.apply(late);
  }

  /** Time passes; the table is woken when it asked to be. */
  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    for (let wakes = 0;; wakes++) {
      const dueMs = this.table.nextDeadlineMs();
      if (dueMs === undefined || dueMs > endMs) break;
      must(wakes < 1_000, "the table asks to be woken for nothing");
      this.nowMs = Math.max(this.nowMs, dueMs);
      this.#step({ kind: "tick" });
    }
    this.nowMs = endMs;
    this.model.moment(endMs);
    this.#checkWaits();
  }

  /** While true, values wait for memory. */
  memoryIsShort = false;
  /** Requests that wait for memory. */
  readonly unadmitted: Ticket[] = [];
  /** What unanswered requests have asked memory for, in bytes. */
  readonly memory = new Map<Ticket, number>();

  /** A tick that nobody asked for. */
  tick(): void {
    this.#step({ kind: "tick" });
  }

  /** A job takes effect; nobody has been told. */
  apply(job: Job, fault: Fault = "none"): void {
    if (job.outcome) return;
    if (isManifest(job.effect)) {
      for (const earlier of this.jobs) {
        if (earlier === job) break;
        if (isManifest(earlier.effect)) this.apply(earlier);
      }
    }
    job.outcome = { result: this.#run(job.effect, fault) };
    this.#story.push([this.nowMs, "  .", job.outcome.result ?? job.effect]);
    this.model.moment(this.nowMs);
  }

  /** A job reports back. */
  deliver(job: Job, fault: Fault = "none"): void {
    // What is found by id reports back in the manifest's own order.
    const earlier = this.jobs.slice(0, this.jobs.indexOf(job));
    for (const other of earlier) {
      const ordered = isManifest(job.effect) && isManifest(other.effect) &&
        (job.effect.kind === "find-id" || other.effect.kind === "find-id") &&
        job.effect.kind !== "evict" && other.effect.kind !== "evict";
      if (ordered && this.jobs.includes(other)) this.deliver(other);
    }
    this.apply(job, fault);
    this.jobs = this.jobs.filter((other) => other !== job);
    const result = job.outcome?.result;
    if (!result) return;
    this.#heard(result, job);
    if (result.kind !== "found-id") this.#past.push(result);
    this.#step(result);
  }

  /** Everything reports back, and whatever follows from it. */
  settle(): void {
    for (let rounds = 0; this.jobs.length > 0 || this.#crowded; rounds++) {
      must(rounds < 1_000, "the table makes work for ever");
      const [job] = this.jobs;
      if (job) this.deliver(job);
      else this.swept();
    }
    for (const { kind } of this.model.waiting(this.nowMs)) {
      must(
        kind === "set" || kind === "done" || kind === "get",
        `nothing is under way, yet a ${kind} waits`,
      );
    }
    // Who waits for memory has no holder to wait for.
    if (this.unadmitted.length === 0) this.model.checkPatience(this.nowMs);
  }

  /** Nothing could be taken away to make room. */
  swept(): void {
    this.#crowded = false;
    const stuck = this.#figures.quotas.map(({ pattern }) => pattern);
    this.#step({ kind: "swept", stuck: [DISK, ...stuck] });
  }

  /** A result comes a second time. */
  repeat(index: number): void {
    const result = this.#past.at(-1 - index);
    if (!result) return;
    const effects = this.#step(result);
    must(effects.length === 0, `a stale ${result.kind} changed something`);
  }

  /** The process is killed; `bits` says how much of what is under way happened. */
  restart(bits: number): void {
    for (const { effect, outcome } of this.jobs) {
      if (outcome) continue;
      const happens = bits & 1;
      bits >>>= 1;
      // The manifest keeps its order: what comes later has not happened either.
      if (!happens && isManifest(effect)) {
        if (effect.kind === "evict") this.#evictPartly(effect, bits & 3);
        break;
      }
      if (happens) this.#run(effect, "none");
    }
    this.#story.push([this.nowMs, "killed", [...this.rows.values()]]);
    this.jobs = [];
    this.#crowded = false;
    this.#past.length = 0;
    this.#offered.clear();
    this.#over.clear();
    this.model.restart(this.nowMs);
    this.table = this.#newTable(true);
    this.#sweepFiles();
    this.#restore();
  }

  /** Comes to rest, without faults; then all that was promised must be so. */
  finish(): void {
    for (let round = 0; round < 8; round++) {
      this.settle();
      this.advance(500);
    }
    this.settle();
    must(
      this.model.waiting(this.nowMs).every(isPatient),
      "somebody waits for ever",
    );
    // Whoever waits for a holder gets the work in turn, and does nothing.
    const rounds = 8 + this.model.waiting(this.nowMs).length;
    for (let round = 0; round < rounds; round++) {
      this.advance(this.#figures.leaseTimeoutMs * 5);
      this.settle();
    }
    // A stop gives work to nobody, and ends.
    if (this.table.state.draining) this.leave();
    must(
      this.model.waiting(this.nowMs).length === 0,
      "somebody waits patiently, for ever",
    );
    for (const name of this.rows.keys()) {
      must(!this.model.isOwed(name), `${name}: acknowledged, never published`);
    }
    for (const staging of this.#over) {
      must(!this.staged.has(staging), `${staging} was left behind`);
    }
    must(!this.table.isBusy(this.nowMs), "busy, though nothing is under way");
  }

  /** What happened, to be printed when it was wrong. */
  story(): string {
    return this.#story.map(([nowMs, mark, what]) =>
      `${nowMs} ${mark} ${JSON.stringify(what, brief)}`
    ).join("\n");
  }

  #step(command: Command): readonly Effect[] {
    this.#story.push([this.nowMs, ">", command]);
    const effects = this.table.step(command, this.nowMs);
    for (const effect of effects) this.#story.push([this.nowMs, "  <", effect]);
    checkInvariants(this.table.state);
    for (const effect of effects) {
      if (effect.kind === "discard") this.#discard(effect.staging);
      else if (effect.kind === "renewed") this.#renew(effect);
      else if (effect.kind === "make-room") this.#crowded = true;
      else if (effect.kind === "admit") {
        this.unadmitted.push(effect.ticket);
        must(!this.memory.has(effect.ticket), "memory is asked for once");
        this.memory.set(effect.ticket, effect.bytes);
      } else if (effect.kind === "dismiss") {
        must(this.memory.delete(effect.ticket), "there is memory to give back");
      } else if (effect.kind === "reply") this.memory.delete(effect.ticket);
      else if (isWork(effect)) this.#begin(effect);
    }
    this.model.short(
      new Set([...this.table.state.short].map(({ key }) => key.name)),
    );
    this.model.busy(new Set(this.jobs.map(({ effect }) => nameOf(effect))));
    this.model.moment(this.nowMs);
    for (const effect of effects) {
      if (effect.kind === "reply") this.#reply(effect.ticket, effect.reply);
      if (effect.kind !== "notice") continue;
      const { ticket } = effect;
      this.model.noticed(ticket, effect.computedMs, this.nowMs);
      this.notices.set(ticket, (this.notices.get(ticket) ?? 0) + 1);
    }
    const publishing = this.jobs.some(({ effect }) => isPublishing(effect));
    must(!publishing || this.table.isBusy(this.nowMs), "publishing is work");
    if (!this.memoryIsShort) this.admit();
    return effects;
  }

  /** There is memory again for whoever waits for it. */
  admit(): void {
    for (const ticket of this.unadmitted.splice(0)) {
      this.#step({ kind: "admitted", ticket });
    }
  }

  #reply(ticket: Ticket, reply: Reply): void {
    this.model.answered(ticket, reply, this.nowMs);
    this.replies.set(ticket, reply);
    const upload = this.#offered.get(ticket);
    if (upload !== undefined) this.#discard(upload);
    this.#offered.delete(ticket);
    if (reply.kind === "assigned") this.assignments.push(reply.assignment);
    if (reply.kind === "handle") this.handles.push(reply.id);
  }

  /** Takes an effect on, if it may be done at all. */
  #begin(effect: Work): void {
    const name = nameOf(effect);
    if (name !== undefined && isChange(effect)) {
      const busy = this.jobs.find((job) =>
        nameOf(job.effect) === name && isChange(job.effect)
      );
      must(!busy, `${effect.kind} of ${name} during ${busy?.effect.kind}`);
    }
    if (name !== undefined) {
      if (effect.kind === "claim" || effect.kind === "reassign") {
        this.model.assigning(name, this.nowMs);
      }
      if (effect.kind === "reassign" || effect.kind === "abandon") {
        this.model.takingOver(name);
      }
      if (isPublishing(effect)) this.model.publishing(name, true);
      if (effect.kind === "evict" || effect.kind === "sweep") {
        this.model.evicting(name, effect.kind, this.nowMs);
      }
    }
    if (effect.kind === "read") {
      const { maxValueBytes } = this.#figures;
      must(effect.digest.size <= maxValueBytes, "too large for the memory");
    }
    this.jobs.push({ effect, row: this.rows.get(nameOf(effect) ?? "") });
  }

  /** Shows the model what the table is about to hear. */
  #heard(result: Result, { effect, row }: Job): void {
    if (result.kind === "found-id") {
      if (result.error) this.model.lookupFailed(result.ticket);
      return;
    }
    const { name } = result;
    if (isManifest(effect)) this.model.settled(name);
    if (isPublishing(effect)) this.model.publishing(name, false);
    if (result.kind === "evicted") {
      this.model.evicting(name, false, this.nowMs);
      this.model.settled(name);
    }
    if (result.kind === "probed") {
      this.model.probed(name, result.changedAgoMs, this.nowMs);
    }
    if (result.kind === "publish-failed") {
      const ours = result.error.code !== "no-file";
      if (!result.lost) this.model.publishFailed(name, ours, this.nowMs);
      this.model.failed(name);
    }
    const now = this.rows.get(name);
    // Not a look at a value that has made room for this work since.
    const ofWork = now?.status === "loading" && now.id === row?.id;
    if (result.kind === "damaged" && ofWork) {
      this.model.lost(name, this.nowMs);
    }
    const failed = result.kind === "unreadable" ||
      (result.kind === "evicted" && result.error) ||
      (result.kind === "asked" && result.asked.kind === "failed");
    if (failed) this.model.failed(name);
  }

  #run(effect: Work, fault: Fault): Result | undefined {
    switch (effect.kind) {
      case "find":
      case "claim":
      case "reassign":
      case "abandon": {
        const { entry: { name }, token } = effect;
        const asked: Asked = fault === "none"
          ? this.#ask(effect)
          : { kind: "failed", error: failure("manifest-failed") };
        return { kind: "asked", name, token, asked };
      }
      case "find-id": {
        const { ticket, id } = effect;
        if (fault !== "none") {
          return {
            kind: "found-id",
            ticket,
            error: failure("manifest-failed"),
          };
        }
        const row = [...this.rows.values()].find((row) =>
          row.id === id && row.status !== "evicting"
        );
        return { kind: "found-id", ticket, ...(row ? { row } : {}) };
      }
      case "complete": {
        const { entry: { name }, id, digest } = effect;
        const row = this.rows.get(name);
        if (row?.status === "ready" && row.id === undefined) {
          this.rows.set(name, { ...row, id, digest });
          this.model.completed(name, { ...row, id, digest });
        }
        return undefined;
      }
      case "probe": {
        const { name, token, staging } = effect;
        const file = this.staged.get(staging);
        const changed = file
          ? { changedAgoMs: this.nowMs - file.changedMs }
          : {};
        return { kind: "probed", name, token, ...changed };
      }
      case "used":
        return undefined;
      case "read":
      case "verify":
        return this.#look(effect, fault);
      case "evict":
      case "sweep":
        return this.#remove(effect, fault);
      default:
        return this.#publish(effect, fault);
    }
  }

  #ask(
    effect: Extract<Work, { kind: "find" | "claim" | "reassign" | "abandon" }>,
  ): Asked {
    const { entry } = effect;
    const row = this.rows.get(entry.name);
    if (effect.kind === "find") {
      return row ? { kind: "row", row } : { kind: "none" };
    }
    if (effect.kind === "claim") {
      if (row) return { kind: "row", row };
    } else {
      const from = effect.kind === "reassign" ? effect.from : effect.id;
      if (!row) return { kind: "none" };
      if (row.status !== "loading" || row.id !== from) {
        return { kind: "row", row };
      }
    }
    if (row?.status === "loading" && row.staging) this.#over.add(row.staging);
    if (effect.kind === "abandon") {
      this.#setRow(entry.name, undefined);
      return { kind: "none" };
    }
    this.#setRow(entry.name, {
      ...entry,
      status: "loading",
      ...effect.assignment,
    });
    return { kind: "assigned" };
  }

  #look(
    effect: Extract<Work, { kind: "read" | "verify" }>,
    fault: Fault,
  ): Result {
    const { entry: { name }, token } = effect;
    if (fault !== "none") {
      return {
        kind: "unreadable",
        name,
        token,
        error: failure("storage-failed"),
      };
    }
    const bytes = this.blobs.get(name);
    const wrong = effect.digest && effect.digest.sha256 !== bytes;
    if (bytes === undefined || wrong) return { kind: "damaged", name, token };
    if (effect.kind === "read") {
      const { generation } = effect;
      const value = unhex(bytes);
      this.#inMemory.set(name, { generation, value });
      return { kind: "read", name, token, value };
    }
    return {
      kind: "verified",
      name,
      token,
      digest: digestOf(bytes),
      stamp: stampOf(bytes),
      ...(effect.hand ? { handed: true } : {}),
    };
  }

  #remove(
    effect: Extract<Work, { kind: "evict" | "sweep" }>,
    fault: Fault,
  ): Result {
    const { token } = effect;
    const failed = fault === "none" ? {} : { error: failure("storage-failed") };
    if (effect.kind === "sweep") {
      const { name } = effect;
      must(!this.rows.has(name), `${name}: swept, but a row owns it`);
      if (fault === "none") this.blobs.delete(name);
      return { kind: "evicted", name, token, ...failed };
    }
    this.#evictPartly(
      effect,
      fault === "none" ? 3 : fault === "failed" ? 0 : 1,
    );
    const stays = fault === "failed" ? { stays: true } as const : {};
    const { name } = effect.entry;
    return { kind: "evicted", name, token, ...failed, ...stays };
  }

  /** Persists Evicting, takes the file away, removes the row; or only the first steps. */
  #evictPartly(effect: Extract<Work, { kind: "evict" }>, steps: number): void {
    const { entry: { name, namespace, key }, id, damaged } = effect;
    const row = this.rows.get(name);
    must(
      row && row.status !== "loading",
      `${name}: evicted, but nothing is there`,
    );
    must(row.id === id, `${name}: another generation is evicted`);
    if (damaged && row.status === "ready") {
      const bytes = this.blobs.get(name);
      const good = bytes !== undefined &&
        (!row.digest || row.digest.sha256 === bytes);
      must(!good, `${name}: a good value is quarantined`);
    }
    if (steps > 0 && row.status === "ready") {
      this.#setRow(name, {
        name,
        namespace,
        key,
        status: "evicting",
        ...(id === undefined ? {} : { id }),
      });
    }
    if (steps > 1) this.blobs.delete(name);
    if (steps > 2) this.#setRow(name, undefined);
  }

  #publish(
    effect: Extract<
      Work,
      { kind: "put" | "capture" | "hash" | "record" | "install" | "persist" }
    >,
    fault: Fault,
  ): Result {
    const name = nameOf(effect) ?? "";
    const { token } = effect;
    const fail = (
      code: ErrorCode,
      lost?: boolean,
    ): Result => ({
      kind: "publish-failed",
      name,
      token,
      error: failure(code),
      ...(lost ? { lost } : {}),
    });
    if (fault !== "none") {
      // A worker may die when all is done, before it could say so.
      const silent = fault === "unreadable" && effect.kind === "install";
      if (silent) this.#publish(effect, "none");
      return fail("storage-failed");
    }
    const row = this.rows.get(name);
    switch (effect.kind) {
      case "put": {
        const bytes = hex(effect.value);
        must(
          row?.status === "loading" && row.id,
          `${name}: put over what nobody holds`,
        );
        must(
          this.#given.get(row.id)?.has(bytes),
          `${name}: put, but not by its holder`,
        );
        this.blobs.set(name, bytes);
        return {
          kind: "stored",
          name,
          token,
          digest: digestOf(bytes),
          stamp: stampOf(bytes),
        };
      }
      case "capture": {
        must(
          row?.status === "loading" && row.staging === effect.staging,
          `${name}: captures what is not its holder's`,
        );
        const file = this.staged.get(effect.staging);
        if (file?.bytes !== undefined && !this.captured.has(effect.staging)) {
          this.staged.delete(effect.staging);
          this.captured.set(effect.staging, file.bytes);
        }
        const bytes = this.captured.get(effect.staging);
        if (bytes === undefined) return fail("no-file");
        const digest = digestOf(bytes);
        const { size } = digest;
        if (size > effect.mostBytes) {
          this.captured.delete(effect.staging);
          if (!this.staged.has(effect.staging)) {
            this.staged.set(effect.staging, { changedMs: this.nowMs, bytes });
          }
          return { kind: "captured", name, token, size, givenBack: true };
        }
        this.model.captured(name);
        if (row.id) this.#give(row.id, bytes);
        const small = size < 3 ? { digest } : {};
        return { kind: "captured", name, token, size, ...small };
      }
      case "hash": {
        const bytes = this.captured.get(effect.staging);
        must(bytes !== undefined, `${name}: hashes what was not captured`);
        return { kind: "hashed", name, token, digest: digestOf(bytes) };
      }
      case "record": {
        if (row?.status !== "loading" || row.id !== effect.id) {
          return fail("invalid-assignment-id", true);
        }
        this.rows.set(name, { ...row, digest: effect.digest });
        return { kind: "recorded", name, token };
      }
      case "install": {
        const bytes = this.captured.get(effect.staging);
        must(bytes !== undefined, `${name}: installs what was not captured`);
        const described = row?.status === "loading" &&
          (row.staging === effect.staging
            ? row.digest?.sha256 === bytes
            : row.id !== undefined && this.#given.get(row.id)?.has(bytes));
        must(described, `${name}: installs what its row does not describe`);
        this.captured.delete(effect.staging);
        this.blobs.set(name, bytes);
        return { kind: "installed", name, token, stamp: stampOf(bytes) };
      }
      case "persist": {
        if (row?.status !== "loading" || row.id !== effect.id) {
          return fail("invalid-assignment-id", true);
        }
        const bytes = this.blobs.get(name);
        must(
          bytes === effect.digest.sha256,
          `${name}: published is not what lies there`,
        );
        must(
          this.#given.get(effect.id)?.has(bytes),
          `${name}: published by a stranger`,
        );
        const { namespace, key, owner } = row;
        if (row.staging) this.#over.add(row.staging);
        this.#setRow(name, {
          name,
          namespace,
          key,
          status: "ready",
          id: effect.id,
          digest: effect.digest,
          ...(owner !== undefined && { owner }),
        }, bytes);
        return { kind: "persisted", name, token };
      }
    }
  }

  #setRow(name: string, row: Row | undefined, bytes = ""): void {
    if (row) this.rows.set(name, row);
    else this.rows.delete(name);
    this.model.rowChanged(name, row, { nowMs: this.nowMs, bytes });
  }

  /** A holder was heard: its row has the grace of a start no longer. */
  #renew({ entry: { name }, id }: Effect & { kind: "renewed" }): void {
    const row = this.rows.get(name);
    if (row?.status !== "loading" || row.id !== id) return;
    const { graceEndsMs: _, ...kept } = row;
    this.rows.set(name, kept);
  }

  #discard(staging: string): void {
    for (const row of this.rows.values()) {
      must(
        row.status !== "loading" || row.staging !== staging,
        `${staging} is discarded, but its assignment lives`,
      );
    }
    this.#over.delete(staging);
    this.staged.delete(staging);
    this.captured.delete(staging);
  }

  #give(id: Id, bytes: string): void {
    const given = this.#given.get(id) ?? new Set();
    this.#given.set(id, given.add(bytes));
  }

  #checkWaits(): void {
    for (const request of this.model.waiting(this.nowMs, 500)) {
      if (request.kind === "get" && !request.patient) {
        const slow = this.jobs.some(({ effect }) =>
          nameOf(effect) === request.entry.name && !isManifest(effect)
        );
        must(!slow, "a Get waits longer than 500 ms because a value is big");
      }
      if (request.kind === "done" && !request.patient) {
        // The table has to have heard of it.
        const heard = this.model.isCaptured(request.id) &&
          !this.jobs.some(({ effect }) =>
            effect.kind === "capture" || effect.kind === "put"
          );
        const held = this.jobs.some(({ effect }) =>
          effect.kind === "find-id" && effect.ticket === request.ticket
        );
        must(!heard || held, "a Done waits longer than 500 ms");
      }
    }
  }

  /** What recovery does with files that no row owns. */
  #sweepFiles(): void {
    const owned = new Set<string>();
    for (const row of this.rows.values()) {
      if (row.status === "loading" && row.staging) owned.add(row.staging);
    }
    for (const files of [this.staged, this.captured]) {
      for (const staging of files.keys()) {
        if (!owned.has(staging)) files.delete(staging);
      }
    }
  }

  #restore(): void {
    const graceEndsMs = this.nowMs + this.#figures.restartGraceMs;
    for (const [name, row] of this.rows) {
      if (row.status !== "loading" || row.id === undefined) continue;
      this.rows.set(name, { graceEndsMs, ...row });
    }
    for (const row of [...this.rows.values()]) {
      if (row.status === "ready") continue;
      const captured = row.status === "loading" && row.staging !== undefined &&
        this.captured.has(row.staging);
      this.#step({ kind: "restore", row, captured });
      const finished = this.jobs.some(({ effect }) =>
        effect.kind === "evict" && effect.entry.name === row.name
      );
      must(
        finished || row.status !== "evicting",
        "what was cut short is finished at the start",
      );
    }
  }

  #fromMemory(name: string, generation: Id): Uint8Array | undefined {
    if (!this.#figures.keepsValues) return undefined;
    const kept = this.#inMemory.get(name);
    return kept?.generation === generation ? kept.value : undefined;
  }

  #newTable(servedBefore: boolean): StateTable {
    this.#inMemory.clear();
    return new StateTable({
      ...this.#figures,
      servedBefore,
      startWallMs: this.nowMs,
      newId: () => String(++this.#lastId),
      newStaging: () => `s${++this.#lastId}`,
      inMemory: (name, generation) => this.#fromMemory(name, generation),
    }, this.nowMs);
  }
}

function brief(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  if (value instanceof Error) return value.message;
  return key === "namespace" || key === "key" ? undefined : value;
}

/** A request before it gets its ticket. */
export type WithoutTicket<T> = T extends { ticket: Ticket } ? Omit<T, "ticket">
  : never;

/** An entry's key, by namespace and one letter. */
export function entryKey(namespace: string, letter: string): EntryKey {
  const key = new TextEncoder().encode(letter);
  return { name: `${namespace}/${hex(key)}`, namespace, key };
}

/** The bytes that the text stands for. */
export function unhex(text: string): Uint8Array {
  return Uint8Array.from(
    text.match(/../g) ?? [],
    (byte) => Number.parseInt(byte, 16),
  );
}

/** Nobody needs a real digest here: the text of the bytes tells them apart. */
function digestOf(bytes: string): Digest {
  return { size: bytes.length / 2, sha256: bytes };
}

function stampOf(
  bytes: string,
): { size: number; mtimeMs: number; ino: string } {
  return { size: bytes.length / 2, mtimeMs: 0, ino: bytes };
}

function failure(
  code: ErrorCode,
): LarderError {
  return new LarderError(code, `Injected: ${code}`);
}

function isWork(effect: Effect): effect is Work {
  const { kind } = effect;
  return kind !== "reply" && kind !== "notice" && kind !== "discard" &&
    kind !== "admit" && kind !== "dismiss" && kind !== "make-room" &&
    kind !== "superseded" && kind !== "renewed";
}

function nameOf(effect: Work): string | undefined {
  if (effect.kind === "find-id") return undefined;
  return "name" in effect ? effect.name : effect.entry.name;
}

function isPatient(request: Request): boolean {
  return request.kind === "get" && request.patient === true;
}

function isManifest({ kind }: Work): boolean {
  return kind === "find" || kind === "claim" || kind === "reassign" ||
    kind === "abandon" || kind === "find-id" || kind === "record" ||
    kind === "persist" || kind === "complete" || kind === "evict";
}

function isPublishing({ kind }: Work): boolean {
  return kind === "put" || kind === "capture" || kind === "hash" ||
    kind === "record" || kind === "install" || kind === "persist";
}

/** Whether the effect must have its entry for itself. */
function isChange(effect: Work): boolean {
  const { kind } = effect;
  return isPublishing(effect) || kind === "find" || kind === "claim" ||
    kind === "reassign" || kind === "abandon" || kind === "evict" ||
    kind === "sweep";
}

function must(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(`the engine cannot do that: ${what}`);
}
