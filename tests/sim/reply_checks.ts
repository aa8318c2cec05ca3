/**
 * What must hold of every reply, at the moment in which it is given.
 *
 * @module
 */

import type { Notice, Submission } from "../../src/engine/engine.ts";
import type { Reply } from "../../src/table/types.ts";
import type { Brought } from "./brought.ts";
import { must } from "./disk_checks.ts";
import { type Asked, type Facts, livePins } from "./facts.ts";
import { GetChecks } from "./get_checks.ts";
import { IdChecks } from "./id_checks.ts";
import { isLeaseOver } from "./ledger.ts";
import { WaitChecks } from "./wait_checks.ts";

/** Watches what is asked and answered. */
export class ReplyChecks {
  readonly #facts: Facts;
  readonly #gets: GetChecks;
  readonly #ids: IdChecks;
  readonly #waits: WaitChecks;
  readonly #open = new Set<Asked>();

  /** Looks at the disk and into the ledger. */
  constructor(facts: Facts) {
    this.#facts = facts;
    this.#gets = new GetChecks(facts);
    this.#ids = new IdChecks(facts);
    this.#waits = new WaitChecks(facts);
  }

  /** A process has ended: what it had not answered is over. */
  ended(): void {
    this.#open.clear();
    for (const { brought } of this.#facts.ledger.grants.values()) {
      brought.ended();
    }
  }

  /** Work is about to be given out: somebody has to want it. */
  assigning(name: string): void {
    const isWanted = [...this.#open].some(({ submission }) =>
      submission.kind === "get" && submission.assign &&
      submission.entry.name === name
    );
    must(isWanted, `${name} is given out, though nobody asks for work`);
  }

  /** A server takes a request in. */
  asked(asked: Asked): void {
    const { submission } = asked;
    this.#open.add(asked);
    if (submission.kind === "evict") {
      this.#facts.ledger.entry(submission.entry.name).evicts++;
    } else if (submission.kind === "drop") {
      const pin = this.#facts.ledger.pins.get(submission.id);
      if (pin) pin.drops++;
    } else if (submission.kind === "abandon") {
      const grant = this.#facts.ledger.grants.get(submission.id);
      if (grant) grant.abandoned = true;
    } else if (isBringing(submission)) {
      const grant = this.#facts.ledger.grants.get(submission.id);
      const nowMs = this.#facts.nowMs();
      if (grant && isLeaseOver(grant, nowMs)) grant.revivedMs = nowMs;
    }
    this.#broughtBy(asked)?.asked(asked, asked.brings);
    this.#touch(submission);
  }

  /** The value that is offered has come whole: from now on it may be published. */
  received({ submission }: Asked): void {
    this.#touch(submission);
  }

  /** The value that is offered has not come whole: nobody publishes it. */
  notReceived(asked: Asked): void {
    this.#open.delete(asked);
    this.#broughtBy(asked)?.withdrawn(asked);
  }

  /** Its caller has gone; what it asked for may come about all the same. */
  cancelled(asked: Asked): void {
    this.#open.delete(asked);
    this.#broughtBy(asked)?.cancelled(asked);
    // Its entry may have been found meanwhile.
    this.#touch(asked.submission);
  }

  /** A patient Get is told that somebody has the work, or nobody can have it. */
  noticed(asked: Asked, notice: Notice): void {
    this.#waits.noticed(asked, notice);
  }

  /** Nobody waits longer than the contract says, or for nobody. */
  waits(): void {
    this.#waits.all(this.#open);
  }

  /** A server answers. */
  replied(asked: Asked, reply: Reply): void {
    const { submission } = asked;
    must(this.#open.delete(asked), `${submission.kind} is answered once`);
    this.#facts.ledger.count(`${submission.kind} ${reply.kind}`);
    switch (submission.kind) {
      case "get":
        this.#gets.replied(submission, asked, reply);
        break;
      case "set":
      case "done":
      case "offer":
      case "abandon":
      case "heartbeat":
        this.#ids.replied(submission, asked, reply);
        break;
      case "drop":
        this.#ids.dropped(submission.id, asked, reply);
        break;
      case "evict":
        this.#facts.ledger.entry(submission.entry.name).evicts--;
        this.#evict(submission, asked, reply);
    }
    this.#touch(submission);
  }

  #evict(
    { entry: { name }, sha256, over }: Submission & { kind: "evict" },
    { sinceMs }: Asked,
    reply: Reply,
  ): void {
    const { readySinceMs, underway, activeMs } = this.#facts.ledger.entry(name);
    const row = this.#facts.disk.rows.byName.get(name);
    switch (reply.kind) {
      case "ok":
        return must(
          row?.status !== "ready",
          `${name} is evicted, so it is gone`,
        );
      case "absent": {
        const isConditional = sha256 !== undefined || over === true;
        return must(
          isConditional || readySinceMs >= sinceMs,
          `${name} is not absent, but ready`,
        );
      }
      case "error":
        break;
      default:
        must(false, `evict is not answered with ${reply.kind}`);
    }
    const { code } = reply.error;
    if (code === "stopping") {
      must(
        this.#facts.ledger.drainingMs <= this.#facts.nowMs(),
        "only who stops evicts nothing",
      );
    } else if (code === "in-use") {
      const isUsed = underway > 0 || activeMs >= sinceMs ||
        row?.status === "loading" || this.#facts.isMemoryTaken() ||
        // It may be published for all but the table.
        this.#facts.hadManifestFaults() ||
        livePins(this.#facts).some((pin) => pin.name === name);
      must(isUsed, `${name} is in use, but by nobody`);
    } else {
      must(this.#facts.hadFaults(), `evict is not answered with ${code}`);
    }
  }

  /** What the assignment has been brought that a request is for. */
  #broughtBy({ submission }: Asked): Brought | undefined {
    return isBringing(submission)
      ? this.#facts.ledger.grants.get(submission.id)?.brought
      : undefined;
  }

  /** Whoever asks about an entry by its id keeps it busy. */
  #touch(submission: Submission): void {
    const grant = "id" in submission
      ? this.#facts.ledger.grants.get(submission.id)
      : undefined;
    if (!grant) return;
    const nowMs = this.#facts.nowMs();
    this.#facts.ledger.entry(grant.name).activeMs = nowMs;
    // It may rest on the disk, where nobody knows since when it computes; also
    // where a store has failed when it was given to another.
    if (grant.leaseEndMs <= nowMs || this.#facts.hadFaults()) {
      grant.surelySinceMs = nowMs;
    }
  }
}

/** Requests that bring a value, or say that a file is one. */
function isBringing(
  submission: Submission,
): submission is Submission & { kind: "set" | "done" | "offer" } {
  return ["set", "done", "offer"].includes(submission.kind);
}
