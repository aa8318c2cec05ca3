/**
 * `deno task sim --seed S --runs N`: runs the seeds S, S + 1, … and stops at
 * the first that fails.
 *
 * @module
 */

import { option, SEED } from "../rude/scale.ts";
import { runSeed } from "./run.ts";

/** Runs seeds; returns how often what happened. Throws what fails. */
export async function runSeeds(
  first: number,
  runs: number,
  shownEvents?: number,
): Promise<Record<string, number>> {
  const tally: Record<string, number> = {};
  for (let seed = first; seed < first + runs; seed++) {
    const result = await runSeed(seed, shownEvents);
    if (result.failure !== undefined) throw new Error(result.failure);
    for (const [what, count] of Object.entries(result.tally)) {
      tally[what] = (tally[what] ?? 0) + count;
    }
  }
  return tally;
}

if (import.meta.main) {
  const runs = option("runs") ?? 10_000;
  console.log(`simulation: --seed ${SEED} --runs ${runs}`);
  try {
    const tally = await runSeeds(SEED, runs, option("events"));
    for (const [what, count] of Object.entries(tally).sort()) {
      console.log(`${String(count).padStart(9)} ${what}`);
    }
    console.log(`${runs} runs, nothing lost`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
