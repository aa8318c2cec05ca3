/**
 * Test-only: plays the engine for a table. Effects become jobs that take effect
 * and report back in the order that a test chooses, well or badly; the process
 * can be killed at any moment. It judges nothing: stories say themselves what
 * has to come of them, and the simulation (`tests/sim`) judges all else.
 *
 * @module
 */

import assert from "node:assert/strict";
import { checkInvariants } from "../invariants.ts";
import { DISK } from "../scope.ts";
import { StateTable } from "../state_table.ts";
import type {
  Assignment,
  Command,
  Effect,
  EntryKey,
  Id,
  Reply,
  Request,
  Result,
  Row,
  TableOptions,
  Ticket,
  Unticketed,
} from "../types.ts";
import {
  digestOf,
  FakeStores,
  type Fault,
  hex,
  type Work,
} from "./fake_stores.ts";

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
  & Pick<TableOptions, "streamBytes">;

interface Job {
  readonly effect: Work;
  /** Present once it took effect. */
  outcome?: { readonly result: Result | undefined };
}

/** More rounds than this without an end: it spins. */
const MAX_ROUNDS = 1_000;

/** A table, and all it works with. */
export class FakeEngine {
  readonly stores = new FakeStores();
  /** Every assignment that was ever given out, latest last. */
  readonly assignments: Assignment[] = [];
  readonly replies = new Map<Ticket, Reply>();
  /** How often a patient Get was told who has the work. */
  readonly notices = new Map<Ticket, number>();
  /** While true, values wait for memory. */
  memoryIsShort = false;
  /** Requests that wait for memory. */
  readonly unadmitted: Ticket[] = [];
  /** What unanswered requests have asked memory for, in bytes. */
  readonly memory = new Map<Ticket, number>();
  jobs: Job[] = [];
  nowMs = 1_000;
  table: StateTable;
  readonly #figures: Figures;
  /** The uploads of offers that have not been answered. */
  readonly #offered = new Map<Ticket, string>();
  readonly #past: Result[] = [];
  /** Somebody is to make room, and has not said what came of it. */
  #crowded = false;
  #lastId = 1_000;
  #lastTicket = 0;

  /** Starts on these rows; those that are ready have a value. */
  constructor(figures: Figures, rows: readonly Row[] = []) {
    this.#figures = figures;
    for (const row of rows) {
      this.rows.set(row.name, row);
      if (row.status === "ready") this.stores.blobs.set(row.name, "0e");
    }
    this.table = this.#newTable(false);
    this.#restore();
  }

  /** The manifest's. */
  get rows(): Map<string, Row> {
    return this.stores.rows;
  }

  /** A client asks. */
  ask(request: Unticketed<Request>): Ticket {
    const ticket = ++this.#lastTicket;
    if (request.kind === "offer") this.#offered.set(ticket, request.upload);
    this.#step({ ...request, ticket });
    return ticket;
  }

  /** A client has sent all of its value, which lies in a private file. */
  offer(id: Id, bytes: string): Ticket {
    const upload = `u${++this.#lastId}`;
    this.stores.captured.set(upload, bytes);
    return this.ask({ kind: "offer", id, upload, digest: digestOf(bytes) });
  }

  /** A caller goes, or seems to after it was answered. */
  cancel(ticket: Ticket): void {
    this.memory.delete(ticket);
    this.#step({ kind: "cancel", ticket });
  }

  /** A stop begins. */
  drain(): void {
    this.#step({ kind: "drain" });
  }

  /** A drain that is over. */
  leave(): void {
    this.drain();
    this.#step({ kind: "leave" });
  }

  /** A client writes its file; `undefined`: something that is no file. */
  write(staging: string, bytes: string | undefined): void {
    this.stores.staged.set(staging, {
      changedMs: this.nowMs,
      ...bytes !== undefined && { bytes },
    });
  }

  /** Spoils a value's file, or removes it. */
  spoil(name: string, missing: boolean): void {
    if (missing) this.stores.blobs.delete(name);
    else this.stores.blobs.set(name, "bb");
  }

  /** Time passes; the table is woken when it asked to be. */
  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    for (let wakes = 0;; wakes++) {
      const dueMs = this.table.nextDeadlineMs();
      if (dueMs === undefined || dueMs > endMs) break;
      assert.ok(wakes < MAX_ROUNDS, "the table is woken for something");
      this.nowMs = Math.max(this.nowMs, dueMs);
      this.tick();
    }
    this.nowMs = endMs;
  }

  /** Nothing is done for so long, and then it is noticed. */
  standStill(ms: number): void {
    const sinceMs = this.nowMs;
    this.nowMs += ms;
    this.#step({ kind: "stood-still", sinceMs, ms });
  }

  /** The table is woken, though it did not ask for it. */
  tick(): void {
    this.#step({ kind: "tick" });
  }

  /** There is memory for whoever waits for it. */
  admit(): void {
    for (const ticket of this.unadmitted.splice(0)) {
      this.#step({ kind: "admitted", ticket });
    }
  }

  /** A job takes effect; nobody has been told. */
  apply(job: Job, fault: Fault = "none"): void {
    job.outcome ??= { result: this.stores.run(job.effect, fault, this.nowMs) };
  }

  /** A job reports back. */
  deliver(job: Job, fault: Fault = "none"): void {
    this.apply(job, fault);
    this.jobs = this.jobs.filter((other) => other !== job);
    const result = job.outcome?.result;
    if (!result) return;
    this.#past.push(result);
    this.#step(result);
  }

  /** Everything reports back, and whatever follows from it. */
  settle(): void {
    for (let rounds = 0; this.jobs.length > 0 || this.#crowded; rounds++) {
      assert.ok(rounds < MAX_ROUNDS, "the table's work has an end");
      const [job] = this.jobs;
      if (job) this.deliver(job);
      else this.#swept();
    }
  }

  /** A result comes a second time; what the table makes of it. */
  repeat(index: number): readonly Effect[] {
    const result = this.#past.at(-1 - index);
    return result ? this.#step(result) : [];
  }

  /** The process is killed, and the next one starts. */
  restart(): void {
    this.jobs = [];
    this.#crowded = false;
    this.#past.length = 0;
    this.#offered.clear();
    this.table = this.#newTable(true);
    this.stores.sweepFiles();
    this.#restore();
  }

  /** All comes to rest: nobody waits any more, and nothing is under way. */
  finish(): void {
    for (let round = 0; round < 16; round++) {
      this.settle();
      this.advance(this.#figures.leaseTimeoutMs);
    }
    this.settle();
    assert.equal(this.table.isBusy(this.nowMs), false, "nothing is under way");
  }

  #step(command: Command): readonly Effect[] {
    const effects = this.table.step(command, this.nowMs);
    checkInvariants(this.table.state);
    for (const effect of effects) this.#take(effect);
    if (!this.memoryIsShort) this.admit();
    return effects;
  }

  #take(effect: Effect): void {
    switch (effect.kind) {
      case "discard":
        return this.stores.discard(effect.staging);
      case "renewed":
        return this.#renew(effect);
      case "make-room":
        this.#crowded = true;
        return;
      case "admit":
        this.unadmitted.push(effect.ticket);
        assert.ok(!this.memory.has(effect.ticket), "memory is asked for once");
        return void this.memory.set(effect.ticket, effect.bytes);
      case "dismiss":
        assert.ok(this.memory.delete(effect.ticket), "it had memory");
        return;
      case "reply":
        return this.#reply(effect.ticket, effect.reply);
      case "notice": {
        const { ticket } = effect;
        const notices = this.notices.get(ticket) ?? 0;
        return void this.notices.set(ticket, notices + 1);
      }
      case "superseded":
        return;
      default:
        this.jobs.push({ effect });
    }
  }

  #reply(ticket: Ticket, reply: Reply): void {
    this.memory.delete(ticket);
    this.replies.set(ticket, reply);
    const upload = this.#offered.get(ticket);
    if (upload !== undefined) this.stores.discard(upload);
    this.#offered.delete(ticket);
    if (reply.kind === "assigned") this.assignments.push(reply.assignment);
  }

  /** Nothing could be taken away to make room. */
  #swept(): void {
    this.#crowded = false;
    const stuck = this.#figures.quotas.map(({ pattern }) => pattern);
    this.#step({ kind: "swept", stuck: [DISK, ...stuck] });
  }

  /** A holder was heard: its row has the grace of a start no longer. */
  #renew({ entry: { name }, id }: Effect & { kind: "renewed" }): void {
    const row = this.rows.get(name);
    if (row?.status !== "loading" || row.id !== id) return;
    const { graceEndsMs: _, ...kept } = row;
    this.rows.set(name, kept);
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
        this.stores.captured.has(row.staging);
      this.#step({ kind: "restore", row, captured });
    }
  }

  #newTable(servedBefore: boolean): StateTable {
    return new StateTable({
      ...this.#figures,
      servedBefore,
      startWallMs: this.nowMs,
      newId: () => String(++this.#lastId),
      newStaging: () => `s${++this.#lastId}`,
      inMemory: () => undefined,
    }, this.nowMs);
  }
}

/** An entry's key, by namespace and one letter. */
export function entryKey(namespace: string, letter: string): EntryKey {
  const key = new TextEncoder().encode(letter);
  return { name: `${namespace}/${hex(key)}`, namespace, key };
}
