/**
 * What must hold of every reply to a Get, at the moment in which it is given.
 *
 * @module
 */

import type { Id, Reply } from "../../src/table/types.ts";
import { isSpoilt, must } from "./disk_checks.ts";
import { type Asked, type Facts, type Get, LEASE_SLACK_MS } from "./facts.ts";
import {
  type Grant,
  isBounded,
  isLeaseOver,
  isOverdue,
  textOf,
} from "./ledger.ts";

/** Watches what Gets are answered with. */
export class GetChecks {
  readonly #facts: Facts;

  /** Looks at the disk and into the ledger. */
  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** A Get is answered. */
  replied(get: Get, asked: Asked, reply: Reply): void {
    const { name } = get.entry;
    const entry = this.#facts.ledger.entry(name);
    switch (reply.kind) {
      case "error":
        return must(
          get.patient === true && reply.error.code === "stopping",
          `a Get is not answered with ${reply.error.code}`,
        );
      case "assigned":
        return this.#assigned(get, asked, reply);
      case "loading": {
        const { leaseTimeoutMs, restartGraceMs } = this.#facts.promises;
        const restMs = Math.max(leaseTimeoutMs, restartGraceMs);
        const isActive = entry.underway > 0 ||
          asked.sinceMs <= entry.activeMs + restMs + LEASE_SLACK_MS ||
          // What waits for room renews the lease when it is refused: by a timer, be
          // its caller there or not.
          this.#facts.promises.quotas.length > 0 &&
            entry.holder?.brought.isOpen;
        must(!get.patient, "who is patient is not told Loading");
        must(
          isActive || this.#facts.isMemoryTaken(),
          `${name} is loading, but nobody works on it`,
        );
        if (get.assign) this.#keepsWork(name, asked);
        return;
      }
      case "value":
        must(get.api !== "local", "local clients get paths");
        must(
          get.api === "stream" ||
            reply.value.length <= this.#facts.promises.maxValueBytes,
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
    const { maxComputeMs = Infinity, quotas } = this.#facts.promises;
    const { holder, underway, activeMs } = this.#facts.ledger.entry(name);
    // There may be no room for more work, or none is given out any more.
    if (quotas.length > 0 || isBounded(this.#facts.promises)) return;
    if (this.#facts.ledger.drainingMs <= this.#facts.nowMs()) return;
    if (underway > 0 || activeMs >= sinceMs) return;
    const row = this.#facts.disk.rows.byName.get(name);
    if (!holder || row?.status !== "loading" || row.id !== holder.id) return;
    must(
      holder.surelySinceMs + maxComputeMs > sinceMs,
      `${holder.id} keeps ${name}, though it takes too long`,
    );
  }

  #assigned(
    get: Get,
    { process, sinceMs }: Asked,
    { assignment: { id, staging } }: Reply & { kind: "assigned" },
  ): void {
    const { name } = get.entry;
    const nowMs = this.#facts.nowMs();
    const row = this.#facts.disk.rows.byName.get(name);
    const { holder } = this.#facts.ledger.entry(name);
    must(get.assign, `${id} was not asked for`);
    must(
      this.#facts.ledger.drainingMs === Infinity,
      "who stops gives out no more work",
    );
    must((staging !== undefined) === (get.api === "local"), `${id} has a path`);
    must(!this.#facts.ledger.grants.has(id), `${id} is new`);
    must(
      row?.status === "loading" && row.id === id,
      `${id} is in the manifest before its client knows it`,
    );
    const isOver = holder && holder.goneMs < Infinity ||
      isLeaseOver(holder, nowMs) ||
      isOverdue(holder, nowMs, this.#facts.promises);
    must(isOver, `${name} is assigned to ${id}, but ${holder?.id} is alive`);
    const { maxAssignments } = this.#facts.promises;
    const alive = [...this.#facts.ledger.grants.values()].filter((grant) =>
      grant.process === process && grant.goneMs === Infinity &&
      grant.published === undefined && !isLeaseOver(grant, nowMs) &&
      // Whoever comes back after the end of a lease is not refused.
      grant.revivedMs < sinceMs
    );
    must(alive.length < maxAssignments, "assignments are bounded");
    const leaseEndMs = nowMs + this.#facts.promises.leaseTimeoutMs;
    const grant = { id, name, staging, process };
    this.#facts.ledger.grant(grant, { nowMs, leaseEndMs });
  }

  /** These bytes are what the ready row's assignment published. */
  #served(name: string, text: string): Grant {
    const row = this.#facts.disk.rows.byName.get(name);
    must(row?.status === "ready", `${name} is served, so it is ready`);
    const grant = this.#facts.ledger.grants.get(row.id ?? "");
    must(
      grant !== undefined && grant.published === text,
      `${name} is served with what ${row.id} published, not "${text}"`,
    );
    return grant;
  }

  #handle(get: Get, { process }: Asked, id: Id): void {
    const { name } = get.entry;
    const nowMs = this.#facts.nowMs();
    must(get.api !== "remote", "remote clients get bytes");
    must(!this.#facts.ledger.pins.has(id), `${id} is new`);
    const row = this.#facts.disk.rows.byName.get(name);
    const grant = this.#facts.ledger.grants.get(row?.id ?? "");
    must(grant !== undefined, `${name} is handed out, so it is ready`);
    const text = this.#facts.checks.textOf(this.#facts.disk.value(name));
    const { lookedMs, touch } = this.#facts.ledger.entry(name);
    if (grant.damagedMs === Infinity) this.#served(name, text ?? "");
    // What is spoilt between the look and the reply nobody can see, nor what was
    // spoilt twice, so that it is as before.
    const isUnseen = grant.damagedMs >= lookedMs || text === grant.published;
    must(isUnseen, `${name} is handed out, but it is damaged`);
    const { handleLeaseMs } = this.#facts.promises;
    const expiresMs = nowMs + handleLeaseMs;
    const neededMs = nowMs - handleLeaseMs / 2;
    this.#facts.ledger.pins.set(id, {
      ...{ id, name, process, expiresMs },
      isPath: get.api === "local",
      of: grant.id,
      givenMs: nowMs,
      isWrittenLate: touch.calledMs < neededMs && touch.endedMs >= neededMs,
      drops: 0,
    });
    const live = [...this.#facts.ledger.pins.values()].filter((pin) =>
      pin.process === process && pin.drops === 0 && pin.expiresMs > nowMs
    );
    must(live.length <= this.#facts.promises.maxHandles, "handles are bounded");
  }

  #unassigned(
    get: Get,
    { sinceMs }: Asked,
    { reason }: Reply & { kind: "unassigned" },
  ): void {
    const { name } = get.entry;
    const { leavingMs, leaving, readySinceMs, holder } = this.#facts.ledger
      .entry(
        name,
      );
    if (reason === undefined) {
      const isLeaving = leaving > 0 || leavingMs >= sinceMs;
      if (get.assign) {
        must(isLeaving, `${name} is refused only while it is evicted`);
      }
      must(
        isLeaving || readySinceMs >= sinceMs,
        `${name} is ready, and is given to whoever asks`,
      );
      const row = this.#facts.disk.rows.byName.get(name);
      const isHeld = row?.status === "loading" && row.id === holder?.id &&
        !isLeaseOver(holder, this.#facts.nowMs()) && !isLeaving &&
        !isOverdue(holder, this.#facts.nowMs(), this.#facts.promises);
      must(!isHeld, `${name} is loading, though nobody is told so`);
    } else if (reason === "too-large") {
      must(get.api === "remote", "only a message may be too small");
    } else if (reason === "full") {
      const { quotas } = this.#facts.promises;
      // What room there was not when it asked may have been made meanwhile.
      const isLimited = isBounded(this.#facts.promises) || quotas.length > 0;
      must(isLimited, "only what has a limit is ever full");
    } else if (reason === "failed") {
      // An accepted file that its client has changed since cannot be kept, either.
      must(
        this.#facts.hadFaults() || isSpoilt(holder),
        `${name} is refused only after a failure`,
      );
    } else if (reason === "no-room") {
      must(this.#facts.promises.quotas.length > 0, "only limits leave no room");
    } else if (reason === "stopping") {
      must(
        this.#facts.ledger.drainingMs <= this.#facts.nowMs(),
        "only who stops refuses",
      );
    }
  }
}
