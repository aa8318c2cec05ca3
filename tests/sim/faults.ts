/**
 * How often what goes wrong: a run has figures of its own, because faults that
 * always come together hide each other.
 *
 * @module
 */

import type { Chance } from "./chance.ts";

/** Probabilities of one run. */
export interface FaultRates {
  /** A call of the file system fails. */
  readonly io: number;
  /** One fails that has to do with a value that is being published. */
  readonly publish: number;
  /** A file of one cannot be removed. */
  readonly remove: number;
  /** A blob worker dies over one. */
  readonly workerDeath: number;
  /** A batch of the manifest fails, before or after its commit. */
  readonly manifest: number;
  /** The same, of one that publishes a value. */
  readonly record: number;
  /** A full queue refuses an operation. */
  readonly overloaded: number;
  /** A request or a reply is lost. */
  readonly lost: number;
}

/** What goes wrong with a call of the file system. */
export type CallFault = "none" | "failed" | "full" | "death";
/** What goes wrong with a batch of the manifest. */
export type BatchFault =
  | "none"
  /** Rolled back. */
  | "failed"
  | "full"
  /** The worker died after the commit: it took effect, and nobody was told. */
  | "unanswered";

/** After these the manifest may know too little; queues may be any store's. */
const OF_MANIFEST: readonly (keyof FaultRates)[] = [
  "manifest",
  "record",
  "overloaded",
];
const FAILURES: readonly CallFault[] = ["failed", "full"];
const NONE: FaultRates = {
  io: 0,
  publish: 0,
  remove: 0,
  workerDeath: 0,
  manifest: 0,
  record: 0,
  overloaded: 0,
  lost: 0,
};

const REFUSING: FaultRates = {
  ...NONE,
  publish: 0.02,
  remove: 0.3,
  record: 0.4,
};

/** Throws for faults, until it is told to stop. */
export class Faults {
  /** Faults so far. */
  injected = 0;
  /** Of these, operations of the manifest; queues may be any store's. */
  ofManifest = 0;
  readonly #chance: Chance;
  #rates: FaultRates;

  /**
   * A run's figures are thrown for as well. `refuses`: publishing fails time and
   * again, and nothing else, so that clients try anew.
   */
  constructor(chance: Chance, refuses: boolean) {
    this.#chance = chance;
    const some = (most: number) =>
      chance.happens(0.5) ? 0 : most * (1 + chance.below(10)) / 10;
    this.#rates = refuses ? REFUSING : {
      // An operation makes some ten calls.
      io: some(0.03),
      publish: some(0.05),
      remove: some(0.1),
      workerDeath: some(0.015),
      manifest: some(0.2),
      record: some(0.4),
      overloaded: some(0.05),
      lost: some(0.15),
    };
  }

  /** Whether all goes well from now on. */
  get stopped(): boolean {
    return this.#rates === NONE;
  }

  /** From now on all goes well. */
  stop(): void {
    this.#rates = NONE;
  }

  /** For the next call of the file system; `of`: what it has to do with. */
  call(of: "publish" | "remove" | undefined): CallFault {
    if (
      of && this.#hits("publish") || of === "remove" && this.#hits("remove")
    ) {
      return this.#chance.pick([...FAILURES, "death", "death"]);
    }
    if (this.#hits("io")) return this.#chance.pick(FAILURES);
    return this.#hits("workerDeath") ? "death" : "none";
  }

  /** For the next batch of the manifest. */
  batch({ publishes }: { readonly publishes: boolean }): BatchFault {
    const failed = this.#hits("manifest") || publishes && this.#hits("record");
    if (!failed) return "none";
    return this.#chance.pick(["failed", "full", "unanswered"] as const);
  }

  /** Whether a queue has no room. */
  overloaded(): boolean {
    return this.#hits("overloaded");
  }

  /** Whether a message is lost. */
  lost(): boolean {
    return this.#hits("lost");
  }

  #hits(kind: keyof FaultRates): boolean {
    const hit = this.#chance.happens(this.#rates[kind]);
    if (hit) this.injected++;
    if (hit && OF_MANIFEST.includes(kind)) this.ofManifest++;
    return hit;
  }
}
