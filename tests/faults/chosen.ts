/**
 * Which places of many are tried.
 *
 * @module
 */

import { randomFrom } from "../rude/scale.ts";

/** So many of each list, whichever the seed says. */
export interface Choice {
  readonly limit: number;
  readonly seed: number;
}

/** Chooses from one list after the other. */
export function chooser(
  { limit, seed }: Choice,
): <Place>(places: readonly Place[]) => Place[] {
  const random = randomFrom(seed);
  return (places) => {
    const ranked = places.map((place) => ({ place, rank: random() }));
    ranked.sort((a, b) => a.rank - b.rank);
    return ranked.slice(0, limit).map(({ place }) => place);
  };
}
