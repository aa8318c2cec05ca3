/**
 * What must hold of every reply to whoever has an id, of an assignment or of a
 * handle.
 *
 * @module
 */

import type { Submission } from "../../src/engine/engine.ts";
import { MAX_REPLY_WAIT_MS } from "../../src/limits.ts";
import type { Id, Reply } from "../../src/table/types.ts";
import { must } from "./disk_checks.ts";
import { type Asked, type Facts, livePins } from "./facts.ts";
import { isLeaseOver } from "./ledger.ts";

/** Watches what holders are answered with. */
export class IdChecks {
  readonly #facts: Facts;

  /** Looks at the disk and into the ledger. */
  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** Whoever has an id does something with it. */
  replied(
    submission: Submission & {
      kind: "set" | "done" | "offer" | "abandon" | "heartbeat";
    },
    asked: Asked,
    reply: Reply,
  ): void {
    const { sinceMs, process } = asked;
    const { id, kind } = submission;
    const grant = this.#facts.ledger.grants.get(id);
    if (reply.kind === "error") {
      grant?.brought.refused(asked);
      const { code } = reply.error;
      if (code !== "invalid-assignment-id" || !grant) return;
      const lives = grant.goneMs === Infinity &&
        !this.#facts.ledger.pins.has(id);
      return must(!lives, `${kind} ${id}: an id that lives is not invalid`);
    }
    const isPatient = kind === "offer" ||
      (kind === "done" && submission.patient === true);
    must(
      reply.kind === (isPatient ? "published" : "ok"),
      `${kind} is not answered with ${reply.kind}`,
    );
    const pin = this.#facts.ledger.pins.get(id);
    if (pin && kind === "heartbeat") {
      const { handleLeaseMs } = this.#facts.promises;
      must(
        livePins(this.#facts).includes(pin) && pin.process === process,
        `handle ${id} is renewed, but it has ended`,
      );
      pin.expiresMs = Math.max(pin.expiresMs, sinceMs + handleLeaseMs);
      return;
    }
    must(grant !== undefined, `${kind} ${id}: nobody was told this id`);
    must(grant.supersededMs >= sinceMs, `${kind} ${id}: it was superseded`);
    must(grant.goneMs >= sinceMs, `${kind} ${id}: its entry is gone`);
    if (kind === "heartbeat") {
      const { leaseTimeoutMs } = this.#facts.promises;
      const nowMs = this.#facts.nowMs();
      if (isLeaseOver(grant, nowMs)) grant.revivedMs = nowMs;
      grant.leaseEndMs = Math.max(grant.leaseEndMs, sinceMs + leaseTimeoutMs);
      return;
    }
    if (kind === "abandon") return;
    const row = this.#facts.disk.rows.byName.get(grant.name);
    const published = row?.status === "ready" || grant.goneMs < Infinity;
    if (!published) grant.brought.accepted();
    grant.acknowledged = true;
    this.#facts.checks.acknowledged(grant);
    const isDue = this.#facts.nowMs() - sinceMs >= MAX_REPLY_WAIT_MS;
    const isEarly = kind === "done" && !isPatient && isDue;
    must(isEarly || published, `${kind} ${id} is durable before its OK`);
    if (reply.kind === "published" && row?.status === "ready") {
      const { sha256 } = reply.digest;
      must(row.digest?.sha256 === sha256, `${id} has published these bytes`);
    }
    if (!published) this.#facts.ledger.count("done ok before it is ready");
  }

  /** A handle is dropped. */
  dropped(id: Id, { sinceMs, process }: Asked, reply: Reply): void {
    const pin = this.#facts.ledger.pins.get(id);
    const { handleLeaseMs } = this.#facts.promises;
    if (reply.kind === "ok") {
      const early = sinceMs < this.#facts.ledger.startedMs + handleLeaseMs;
      return must(pin !== undefined || early, `nobody was told handle ${id}`);
    }
    if (!pin || pin.drops > 1) return;
    // It expired, or the process that gave it ended, so long ago that it is forgotten.
    const knownFromMs = pin.process === process
      ? pin.expiresMs
      : this.#facts.ledger.startedMs;
    const forgotten = knownFromMs + handleLeaseMs <= this.#facts.nowMs();
    must(forgotten, `Drop ${id}: a genuine handle can be dropped`);
  }
}
