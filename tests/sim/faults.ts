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
  /** A blob worker dies over one. */
  readonly workerDeath: number;
  /** A batch of the manifest fails, before or after its commit. */
  readonly manifest: number;
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

const NONE: FaultRates = {
  io: 0,
  workerDeath: 0,
  manifest: 0,
  overloaded: 0,
  lost: 0,
};

/** Throws for faults, until it is told to stop. */
export class Faults {
  /** Faults so far. */
  injected = 0;
  /** Of these, operations of the manifest; queues may be any store's. */
  ofManifest = 0;
  readonly #chance: Chance;
  #rates: FaultRates;

  /** A run's figures are thrown for as well. */
  constructor(chance: Chance) {
    this.#chance = chance;
    const some = (most: number) =>
      chance.happens(0.5) ? 0 : most * (1 + chance.below(10)) / 10;
    this.#rates = {
      // An operation makes some ten calls.
      io: some(0.03),
      workerDeath: some(0.015),
      manifest: some(0.2),
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

  /** For the next call of the file system. */
  call(): CallFault {
    if (this.#hits("io")) return this.#chance.pick(["failed", "full"] as const);
    return this.#hits("workerDeath") ? "death" : "none";
  }

  /** For the next batch of the manifest. */
  batch(): BatchFault {
    if (!this.#hits("manifest")) return "none";
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
    if (hit && (kind === "manifest" || kind === "overloaded")) {
      this.ofManifest++;
    }
    return hit;
  }
}
