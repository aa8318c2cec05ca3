/**
 * What fails, and for how long: a run deals cards, so that nothing which matters
 * is left out by chance.
 *
 * @module
 */

import type { Chance } from "../sim/chance.ts";
import type { FaultKind } from "./history.ts";

/** A fault; `ms`: how long it lasts, where that is ours to say. */
export interface Card {
  readonly what: FaultKind;
  readonly ms: number;
}

/**
 * Of a worker and its network: some that nobody should notice, some longer than
 * a lease, and two longer than patience with all that it may take.
 */
export const WORKER_CARDS: readonly Card[] = [
  { what: "cut", ms: 0 },
  { what: "reset", ms: 0 },
  { what: "half-closed", ms: 0 },
  { what: "throttled", ms: 3_000 },
  { what: "connection deaf", ms: 900 },
  { what: "connection silent", ms: 3_000 },
  { what: "refused", ms: 400 },
  { what: "refused", ms: 1_500 },
  { what: "refused", ms: 5_000 },
  { what: "refused", ms: 12_000 },
  { what: "silent", ms: 400 },
  { what: "silent", ms: 1_500 },
  { what: "silent", ms: 5_000 },
  { what: "silent", ms: 12_000 },
  { what: "worker stopped", ms: 5_000 },
  { what: "worker killed", ms: 0 },
];

/** Of the server. */
export const SERVER_CARDS: readonly Card[] = [
  { what: "server killed", ms: 0 },
  { what: "server stopped", ms: 900 },
  { what: "server stopped", ms: 5_000 },
];

/** All cards, in an order of chance, and again. */
export function* dealt(
  cards: readonly Card[],
  chance: Chance,
): Generator<Card, never, undefined> {
  for (;;) {
    const left = [...cards];
    while (left.length > 0) yield left.splice(chance.below(left.length), 1)[0]!;
  }
}
