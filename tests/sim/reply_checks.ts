/**
 * What must hold of every reply, at the moment in which it is given.
 *
 * @module
 */

import { MAX_REPLY_WAIT_MS } from "../../src/limits.ts";
import type { Notice, Submission } from "../../src/engine/engine.ts";
import type { Id, Reply } from "../../src/table/types.ts";
import type { SimDisk } from "./disk.ts";
import { type DiskChecks, must } from "./disk_checks.ts";
import {
  type Grant,
  isLeaseOver,
  isOverdue,
  type Ledger,
  type Promises,
  textOf,
} from "./ledger.ts";

/** A request that a server has taken in. */
export interface Asked {
  readonly submission: Submission;
  readonly sinceMs: number;
  readonly process: number;
  /** Of whose work it was told. */
  readonly noticed: Set<Id>;
}

type Get = Submission & { kind: "get" };

/** Timers are not armed for less. */
const TIMER_SLACK_MS = 10;
/** A timer that is due within this is not armed anew for an earlier lease. */
const LEASE_SLACK_MS = MAX_REPLY_WAIT_MS + TIMER_SLACK_MS;

/** Watches what is asked and answered. */
export class ReplyChecks {
  readonly #ledger: Ledger;
  readonly #disk: SimDisk;
  readonly #checks: DiskChecks;
  readonly #promises: Promises;
  readonly #nowMs: () => number;
  readonly #hadFaults: () => boolean;
  readonly #isMemoryTaken: () => boolean;
  readonly #open = new Set<Asked>();
  /** Since when the server gives out no more work. */
  drainingMs = Infinity;
  /** When the serving process began. */
  startedMs = 0;

  /** Looks at the disk and into the ledger. */
  constructor(
    { ledger, disk, checks, promises, nowMs, hadFaults, isMemoryTaken }: {
      readonly ledger: Ledger;
      readonly disk: SimDisk;
      readonly checks: DiskChecks;
      readonly promises: Promises;
      readonly nowMs: () => number;
      /** Whether anything has gone wrong in this run. */
      readonly hadFaults: () => boolean;
      /** Whether somebody may have to wait for memory. */
      readonly isMemoryTaken: () => boolean;
    },
  ) {
    this.#ledger = ledger;
    this.#disk = disk;
    this.#checks = checks;
    this.#promises = promises;
    this.#nowMs = nowMs;
    this.#hadFaults = hadFaults;
    this.#isMemoryTaken = isMemoryTaken;
  }

  /** A process has ended: what it had not answered is over. */
  ended(): void {
    this.#open.clear();
  }

  /** A process begins. */
  restarted(): void {
    const nowMs = this.#nowMs();
    this.drainingMs = Infinity;
    this.startedMs = nowMs;
    for (const entry of this.#ledger.entries.values()) {
      Object.assign(entry, { underway: 0, leaving: 0, evicts: 0, crowded: 0 });
    }
    const { restartGraceMs } = this.#promises;
    for (const grant of this.#ledger.grants.values()) {
      // Heartbeats may make it longer; it is kept by the wall clock.
      grant.graceEndsMs = Math.min(grant.graceEndsMs, nowMs + restartGraceMs);
      grant.leaseEndMs = this.#ledger.jumpedMs === -Infinity
        ? Math.max(nowMs, grant.graceEndsMs)
        : nowMs;
      grant.sinceMs = nowMs;
    }
  }

  /** A process has recovered: what it found is given its grace. */
  serving(): void {
    const nowMs = this.#nowMs();
    for (const entry of this.#ledger.entries.values()) entry.activeMs = nowMs;
    for (const grant of this.#ledger.grants.values()) {
      grant.surelySinceMs = nowMs;
    }
  }

  /** A patient Get is told that somebody has the work, or nobody can have it. */
  noticed({ submission, noticed }: Asked, { stopping }: Notice): void {
    must(
      submission.kind === "get" && submission.patient === true,
      "only who is patient is told who has the work",
    );
    if (stopping) {
      const isStopping = this.drainingMs <= this.#nowMs();
      return must(isStopping, "only who stops gives no work");
    }
    const { name } = submission.entry;
    const { id, status } = this.#disk.rows.byName.get(name) ?? {};
    // The table does not know yet, or the answer was lost.
    const isUnknown = this.#ledger.entry(name).underway > 0 ||
      this.#hadFaults();
    const isPublished = status === "ready" && isUnknown;
    must(
      id !== undefined && (status === "loading" || isPublished),
      `${name} is ${status}, so nobody has its work`,
    );
    must(!noticed.has(id), `of ${id} one is told once`);
    noticed.add(id);
    this.#ledger.count("notice");
  }

  /** A server takes a request in. */
  asked(asked: Asked): void {
    const { submission } = asked;
    this.#open.add(asked);
    if (submission.kind === "evict") {
      this.#ledger.entry(submission.entry.name).evicts++;
    } else if (submission.kind === "drop") {
      const pin = this.#ledger.pins.get(submission.id);
      if (pin) pin.drops++;
    } else if (submission.kind === "abandon") {
      const grant = this.#ledger.grants.get(submission.id);
      if (grant) grant.abandoned = true;
    }
    this.#touch(submission);
  }

  /** Its caller has gone. */
  cancelled(asked: Asked): void {
    this.#open.delete(asked);
  }

  /** Nobody waits longer for a Get than the contract says, or for nobody. */
  waits(): void {
    const longestMs = MAX_REPLY_WAIT_MS + TIMER_SLACK_MS;
    for (const { submission, sinceMs } of this.#open) {
      if (submission.kind !== "get") continue;
      if (submission.patient) {
        this.#waitsForSomebody(submission, sinceMs);
        continue;
      }
      const waitedMs = this.#nowMs() - sinceMs;
      must(waitedMs <= longestMs, `a Get has waited for ${waitedMs} ms`);
    }
  }

  /** Whoever is patient waits for work that may still be published. */
  #waitsForSomebody({ entry: { name }, assign }: Get, sinceMs: number): void {
    const nowMs = this.#nowMs();
    const { underway, activeMs, holder } = this.#ledger.entry(name);
    if (underway > 0 || this.#isMemoryTaken()) return;
    // Until the drain ends, for the next process.
    if (this.drainingMs <= nowMs) return;
    const { leaseTimeoutMs, restartGraceMs, quotas, maxComputeMs = Infinity } =
      this.#promises;
    // For a moment it may wait for room.
    const isNew = nowMs - sinceMs <= MAX_REPLY_WAIT_MS + TIMER_SLACK_MS;
    if (isNew && assign && quotas.length > 0) return;
    const row = this.#disk.rows.byName.get(name);
    must(
      row?.status === "loading" || this.#hadFaults(),
      `${name} is ${row?.status}, yet somebody waits for its work`,
    );
    const restMs = Math.max(leaseTimeoutMs, restartGraceMs);
    must(
      nowMs <= Math.max(activeMs, sinceMs) + restMs + LEASE_SLACK_MS,
      `somebody waits for ${name}, but nobody works on it`,
    );
    // Where work is given out.
    if (!assign || quotas.length > 0 || this.#hadFaults()) return;
    if (!holder || row?.id !== holder.id) return;
    must(
      nowMs <= holder.surelySinceMs + maxComputeMs + LEASE_SLACK_MS,
      `somebody waits for ${holder.id}, which takes too long`,
    );
  }

  /** A server answers. */
  replied(asked: Asked, reply: Reply): void {
    const { submission } = asked;
    must(this.#open.delete(asked), `${submission.kind} is answered once`);
    this.#ledger.count(`${submission.kind} ${reply.kind}`);
    switch (submission.kind) {
      case "get":
        this.#get(submission, asked, reply);
        break;
      case "set":
      case "done":
      case "offer":
      case "abandon":
      case "heartbeat":
        this.#byId(submission, asked, reply);
        break;
      case "drop":
        this.#drop(submission.id, asked, reply);
        break;
      case "evict":
        this.#ledger.entry(submission.entry.name).evicts--;
    }
    this.#touch(submission);
  }

  #get(get: Get, asked: Asked, reply: Reply): void {
    const { name } = get.entry;
    const entry = this.#ledger.entry(name);
    switch (reply.kind) {
      case "error":
        return must(
          get.patient === true && reply.error.code === "stopping",
          `a Get is not answered with ${reply.error.code}`,
        );
      case "assigned":
        return this.#assigned(get, asked, reply);
      case "loading": {
        const { leaseTimeoutMs, restartGraceMs } = this.#promises;
        const restMs = Math.max(leaseTimeoutMs, restartGraceMs);
        const isActive = entry.underway > 0 ||
          // A Set that waits for room renews the lease when it is refused.
          asked.sinceMs <= entry.activeMs + restMs + LEASE_SLACK_MS;
        must(!get.patient, "who is patient is not told Loading");
        must(
          isActive || this.#isMemoryTaken(),
          `${name} is loading, but nobody works on it`,
        );
        if (get.assign) this.#keepsWork(name, asked);
        return;
      }
      case "value":
        must(get.api !== "local", "local clients get paths");
        must(
          get.api === "stream" ||
            reply.value.length <= this.#promises.maxValueBytes,
          `${name} fits into a message`,
        );
        return void this.#served(name, textOf(reply.value));
      case "handle":
        return this.#handle(get, asked, reply.id);
      case "unassigned":
        return this.#unassigned(get, asked, reply);
      default:
        must(false, `a Get is never answered with ${reply.kind}`);
    }
  }

  /** Who asks for work is sent away: whoever has it did not take too long. */
  #keepsWork(name: string, { sinceMs }: Asked): void {
    const { maxComputeMs = Infinity, quotas } = this.#promises;
    const { holder, underway, activeMs } = this.#ledger.entry(name);
    // There may be no room for more work, or none is given out any more.
    if (quotas.length > 0 || this.drainingMs <= this.#nowMs()) return;
    if (underway > 0 || activeMs >= sinceMs) return;
    const row = this.#disk.rows.byName.get(name);
    if (!holder || row?.status !== "loading" || row.id !== holder.id) return;
    must(
      holder.surelySinceMs + maxComputeMs > sinceMs,
      `${holder.id} keeps ${name}, though it takes too long`,
    );
  }

  #assigned(
    get: Get,
    { process }: Asked,
    { assignment: { id, staging } }: Reply & { kind: "assigned" },
  ): void {
    const { name } = get.entry;
    const nowMs = this.#nowMs();
    const row = this.#disk.rows.byName.get(name);
    const { holder } = this.#ledger.entry(name);
    must(get.assign, `${id} was not asked for`);
    must(this.drainingMs === Infinity, "who stops gives out no more work");
    must((staging !== undefined) === (get.api === "local"), `${id} has a path`);
    must(!this.#ledger.grants.has(id), `${id} is new`);
    must(
      row?.status === "loading" && row.id === id,
      `${id} is in the manifest before its client knows it`,
    );
    const isOver = holder && holder.goneMs < Infinity ||
      isLeaseOver(holder, nowMs) ||
      isOverdue(holder, nowMs, this.#promises);
    must(isOver, `${name} is assigned to ${id}, but ${holder?.id} is alive`);
    const leaseEndMs = nowMs + this.#promises.leaseTimeoutMs;
    const grant = { id, name, staging, process };
    this.#ledger.grant(grant, { nowMs, leaseEndMs });
  }

  /** These bytes are what the ready row's assignment published. */
  #served(name: string, text: string): Grant {
    const row = this.#disk.rows.byName.get(name);
    must(row?.status === "ready", `${name} is served, so it is ready`);
    const grant = this.#ledger.grants.get(row.id ?? "");
    must(
      grant !== undefined && grant.published === text,
      `${name} is served with what ${row.id} published, not "${text}"`,
    );
    return grant;
  }

  #handle(get: Get, { process }: Asked, id: Id): void {
    const { name } = get.entry;
    const nowMs = this.#nowMs();
    must(get.api !== "remote", "remote clients get bytes");
    must(!this.#ledger.pins.has(id), `${id} is new`);
    const row = this.#disk.rows.byName.get(name);
    const grant = this.#ledger.grants.get(row?.id ?? "");
    must(grant !== undefined, `${name} is handed out, so it is ready`);
    // What is spoilt between the look and the reply nobody can see.
    if (grant.damagedMs >= this.#ledger.entry(name).lookedMs) {
      const text = this.#checks.textOf(this.#disk.value(name));
      if (grant.damagedMs === Infinity) this.#served(name, text ?? "");
    } else must(false, `${name} is handed out, but it is damaged`);
    const expiresMs = nowMs + this.#promises.handleLeaseMs;
    this.#ledger.pins.set(id, {
      ...{ id, name, process, expiresMs },
      isPath: get.api === "local",
      of: grant.id,
      givenMs: nowMs,
      drops: 0,
    });
  }

  #unassigned(
    get: Get,
    { sinceMs }: Asked,
    { reason }: Reply & { kind: "unassigned" },
  ): void {
    const { name } = get.entry;
    const { leavingMs, leaving } = this.#ledger.entry(name);
    if (reason === undefined && get.assign) {
      const isLeaving = leaving > 0 || leavingMs >= sinceMs;
      must(isLeaving, `${name} is refused only while it is evicted`);
    } else if (reason === "failed") {
      must(this.#hadFaults(), `${name} is refused only after a failure`);
    } else if (reason === "no-room") {
      must(this.#promises.quotas.length > 0, "only limits leave no room");
    } else if (reason === "stopping") {
      must(this.drainingMs <= this.#nowMs(), "only who stops refuses");
    }
  }

  #byId(
    submission: Submission & {
      kind: "set" | "done" | "offer" | "abandon" | "heartbeat";
    },
    { sinceMs }: Asked,
    reply: Reply,
  ): void {
    const { id, kind } = submission;
    const grant = this.#ledger.grants.get(id);
    if (reply.kind === "error") {
      const { code } = reply.error;
      if (code !== "invalid-assignment-id" || !grant) return;
      const lives = grant.goneMs === Infinity && !this.#ledger.pins.has(id);
      return must(!lives, `${kind} ${id}: an id that lives is not invalid`);
    }
    const isPatient = kind === "offer" ||
      (kind === "done" && submission.patient === true);
    must(
      reply.kind === (isPatient ? "published" : "ok"),
      `${kind} is not answered with ${reply.kind}`,
    );
    const pin = this.#ledger.pins.get(id);
    if (pin && kind === "heartbeat") {
      const { handleLeaseMs } = this.#promises;
      pin.expiresMs = Math.max(pin.expiresMs, sinceMs + handleLeaseMs);
      return;
    }
    must(grant !== undefined, `${kind} ${id}: nobody was told this id`);
    must(grant.supersededMs >= sinceMs, `${kind} ${id}: it was superseded`);
    must(grant.goneMs >= sinceMs, `${kind} ${id}: its entry is gone`);
    if (kind === "heartbeat") {
      const { leaseTimeoutMs } = this.#promises;
      grant.leaseEndMs = Math.max(grant.leaseEndMs, sinceMs + leaseTimeoutMs);
      return;
    }
    if (kind === "abandon") return;
    grant.acknowledged = true;
    this.#checks.acknowledged(grant);
    const row = this.#disk.rows.byName.get(grant.name);
    const published = row?.status === "ready" || grant.goneMs < Infinity;
    const isEarly = kind === "done" && !isPatient;
    must(isEarly || published, `${kind} ${id} is durable before its OK`);
    if (reply.kind === "published" && row?.status === "ready") {
      const { sha256 } = reply.digest;
      must(row.digest?.sha256 === sha256, `${id} has published these bytes`);
    }
    if (!published) this.#ledger.count("done ok before it is ready");
  }

  #drop(id: Id, { sinceMs, process }: Asked, reply: Reply): void {
    const pin = this.#ledger.pins.get(id);
    const { handleLeaseMs } = this.#promises;
    if (reply.kind === "ok") {
      const early = sinceMs < this.startedMs + handleLeaseMs;
      return must(pin !== undefined || early, `nobody was told handle ${id}`);
    }
    if (!pin || pin.drops > 1) return;
    // It expired, or the process that gave it ended, so long ago that it is forgotten.
    const knownFromMs = pin.process === process
      ? pin.expiresMs
      : this.startedMs;
    const forgotten = knownFromMs + handleLeaseMs <= this.#nowMs();
    must(forgotten, `Drop ${id}: a genuine handle can be dropped`);
  }

  /** Whoever asks about an entry by its id keeps it busy. */
  #touch(submission: Submission): void {
    const grant = "id" in submission
      ? this.#ledger.grants.get(submission.id)
      : undefined;
    if (!grant) return;
    const nowMs = this.#nowMs();
    this.#ledger.entry(grant.name).activeMs = nowMs;
    // It may rest on the disk, where nobody knows since when it computes.
    if (grant.leaseEndMs <= nowMs) grant.surelySinceMs = nowMs;
  }
}
