/**
 * Which faults explain that a call had to do without the cache.
 *
 * @module
 */

import type { Bounds, Fault } from "./history.ts";

/** A client whose connection broke tries again after up to so long. */
const UNNOTICED_MS = 2_500;
/** A heartbeat that hangs keeps the next one waiting for up to so long. */
const UNHEARD_MS = 1_500;
/** A client looks at its connection in turns of a tenth of a second. */
const TURNS_MS = 500;
/** The last sign of life may be half a second old when a fault begins. */
const SIGN_MS = 700;
/** A server that was away is asked again after 5 s, by a call that may hang. */
const AWAY_MS = 8_000;

/** Something that went wrong for a worker. */
export interface Trouble {
  readonly worker: number;
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
}

/** Faults that follow each other so closely that they are one. */
interface Group {
  readonly beganMs: number;
  readonly endMs: number;
  /** Without the time in which the server stood still: that ends no lease. */
  readonly leaseMs: number;
}

/** Looks troubles up among the faults. */
export class Explanations {
  readonly #faults: readonly Fault[];
  readonly #bounds: Bounds;

  /** All faults that there were. */
  constructor(faults: readonly Fault[], bounds: Bounds) {
    this.#faults = faults.toSorted((a, b) => a.beganMs - b.beganMs);
    this.#bounds = bounds;
  }

  /** Whether a worker had any fault in a time, or shortly before. */
  isNear(worker: number, beganMs: number, endMs: number): boolean {
    return this.#of(worker).some((fault) =>
      fault.beganMs < endMs && fault.endMs > beganMs - UNNOTICED_MS
    );
  }

  /** Those of the troubles that no fault explains. */
  *unexplained(troubles: readonly Trouble[]): Generator<Trouble> {
    const awayMs = new Map<number, number>();
    for (const trouble of troubles.toSorted((a, b) => a.atMs - b.atMs)) {
      const { worker, atMs, code } = trouble;
      const isStillAway = code === "unavailable" &&
        atMs - (awayMs.get(worker) ?? -Infinity) < AWAY_MS;
      const isExplained = isStillAway || this.#explains(trouble);
      if (code === "unavailable" && isExplained) awayMs.set(worker, atMs);
      if (!isExplained) yield trouble;
    }
  }

  #explains({ worker, atMs, code, message }: Trouble): boolean {
    const { patienceMs, leaseMs, intervalMs } = this.#bounds;
    const long = (beforeMs: number) => (group: Group) =>
      group.endMs - group.beganMs >= patienceMs - SIGN_MS &&
      group.beganMs < atMs && group.endMs > atMs - beforeMs;
    switch (code) {
      case "lost":
        // Nothing less ends a lease, and nothing that the server knows of.
        return this.#groups(worker, UNHEARD_MS).some((group) =>
          group.leaseMs >= leaseMs - intervalMs - TURNS_MS &&
          group.beganMs < atMs && group.endMs > atMs - leaseMs - AWAY_MS
        );
      case "unavailable":
        return this.#groups(worker, UNNOTICED_MS)
          .some(long(AWAY_MS + patienceMs));
      case "full":
        return this.#groups(worker, UNNOTICED_MS).some(long(patienceMs));
      case "failed":
        // A stream can be sent once: any cut ends its publish.
        return /broke while a stream was published/.test(message) &&
          this.isNear(worker, atMs - patienceMs, atMs);
      default:
        return false;
    }
  }

  #of(worker: number): readonly Fault[] {
    return this.#faults.filter((fault) =>
      fault.worker === undefined || fault.worker === worker
    );
  }

  #groups(worker: number, gapMs: number): readonly Group[] {
    const groups: Group[] = [];
    for (const { what, beganMs, endMs } of this.#of(worker)) {
      const last = groups.at(-1);
      const joins = last && beganMs - last.endMs <= gapMs;
      const leaseMs = what === "server stopped" ? 0 : endMs - beganMs;
      if (!joins) {
        groups.push({ beganMs, endMs, leaseMs });
        continue;
      }
      groups[groups.length - 1] = {
        beganMs: last.beganMs,
        endMs: Math.max(last.endMs, endMs),
        leaseMs: last.leaseMs + leaseMs + Math.max(0, beganMs - last.endMs),
      };
    }
    return groups;
  }
}
