/**
 * What must hold of those who wait: nobody does for too long, or for nobody.
 *
 * @module
 */

import type { Notice } from "../../src/engine/engine.ts";
import { MAX_REPLY_WAIT_MS } from "../../src/limits.ts";
import { must } from "./disk_checks.ts";
import {
  type Asked,
  type Facts,
  type Get,
  LEASE_SLACK_MS,
  TIMER_SLACK_MS,
} from "./facts.ts";
import { isBounded } from "./ledger.ts";

/** Watches those who were not answered yet. */
export class WaitChecks {
  readonly #facts: Facts;

  /** Looks at the disk and into the ledger. */
  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** A patient Get is told that somebody has the work, or nobody can have it. */
  noticed({ submission, noticed }: Asked, { stopping }: Notice): void {
    must(
      submission.kind === "get" && submission.patient === true,
      "only who is patient is told who has the work",
    );
    if (stopping) {
      const isStopping = this.#facts.ledger.drainingMs <= this.#facts.nowMs();
      return must(isStopping, "only who stops gives no work");
    }
    const { name } = submission.entry;
    const { id, status } = this.#facts.disk.rows.byName.get(name) ?? {};
    // The table does not know yet, or the answer was lost.
    const isUnknown = this.#facts.ledger.entry(name).underway > 0 ||
      this.#facts.hadFaults();
    const isPublished = status === "ready" && isUnknown;
    must(
      id !== undefined && (status === "loading" || isPublished),
      `${name} is ${status}, so nobody has its work`,
    );
    must(!noticed.has(id), `of ${id} one is told once`);
    noticed.add(id);
    this.#facts.ledger.count("notice");
  }

  /** Nobody waits longer for a Get than the contract says, or for nobody. */
  all(open: Iterable<Asked>): void {
    const longestMs = MAX_REPLY_WAIT_MS + TIMER_SLACK_MS;
    for (const { submission, sinceMs } of open) {
      if (submission.kind !== "get") continue;
      if (submission.patient) {
        this.#waitsForSomebody(submission, sinceMs);
        continue;
      }
      const waitedMs = this.#facts.nowMs() - sinceMs;
      must(waitedMs <= longestMs, `a Get has waited for ${waitedMs} ms`);
    }
  }

  /** Whoever is patient waits for work that may still be published. */
  #waitsForSomebody({ entry: { name }, assign }: Get, sinceMs: number): void {
    const nowMs = this.#facts.nowMs();
    const { underway, activeMs, holder } = this.#facts.ledger.entry(name);
    if (underway > 0 || this.#facts.isMemoryTaken()) return;
    // Until the drain ends, for the next process.
    if (this.#facts.ledger.drainingMs <= nowMs) return;
    const { leaseTimeoutMs, restartGraceMs, quotas, maxComputeMs = Infinity } =
      this.#facts.promises;
    // For a moment it may wait for room.
    const isNew = nowMs - sinceMs <= MAX_REPLY_WAIT_MS + TIMER_SLACK_MS;
    if (isNew && assign && quotas.length > 0) return;
    const row = this.#facts.disk.rows.byName.get(name);
    must(
      row?.status === "loading" || this.#facts.hadFaults(),
      `${name} is ${row?.status}, yet somebody waits for its work`,
    );
    const restMs = Math.max(leaseTimeoutMs, restartGraceMs);
    must(
      nowMs <= Math.max(activeMs, sinceMs) + restMs + LEASE_SLACK_MS,
      `somebody waits for ${name}, but nobody works on it`,
    );
    // Where work is given out.
    const isLimited = quotas.length > 0 || isBounded(this.#facts.promises);
    if (!assign || isLimited || this.#facts.hadFaults()) return;
    if (!holder || row?.id !== holder.id) return;
    must(
      nowMs <= holder.surelySinceMs + maxComputeMs + LEASE_SLACK_MS,
      `somebody waits for ${holder.id}, which takes too long`,
    );
  }
}
