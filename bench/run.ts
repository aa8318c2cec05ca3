/**
 * Measures the server beside its floor, in turn, and prints a table.
 *
 * ```sh
 * deno task bench [--quick] [--only NAME]...
 * ```
 *
 * `--quick` takes fewer and shorter runs: good for a look, not for a claim.
 * `--only` takes the name of a work (`hit_1_kib`, …), `start` or `fairness`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { buildGenerator } from "./cycle.ts";
import { HIT_1_KIB, HIT_1_MIB } from "./entries.ts";
import { type FairnessFigures, measureFairness } from "./fairness.ts";
import { missingH2load } from "./h2load.ts";
import {
  fairnessTable,
  startTable,
  type WorkRuns,
  workTable,
  writeJson,
} from "./report.ts";
import type { Sample } from "./sample.ts";
import { seed } from "./seed.ts";
import { startFloor, startLarder } from "./server_process.ts";
import { measureStarts, type StartFigures } from "./start.ts";
import { type Tools, type Work, WORKS } from "./works.ts";

const FULL = { rounds: 5, seconds: 3, entries: 1_000_000 };
const QUICK = { rounds: 3, seconds: 1, entries: 100_000 };
const START = "start";
const FAIRNESS = "fairness";

/** Which works run, and which do not and why. */
interface Plan {
  readonly works: readonly Work[];
  readonly skipped: readonly string[];
  readonly tools: Tools;
}

async function plan(
  chosen: readonly Work[],
  folder: string,
  seconds: number,
): Promise<Plan> {
  const needs = (tool: Work["needs"]) =>
    chosen.some((work) => work.needs === tool);
  const cycle = needs("go") ? await buildGenerator(folder) : "";
  const missing = {
    h2load: needs("h2load") ? await missingH2load() : undefined,
    go: typeof cycle === "string" ? cycle : undefined,
  };
  return {
    works: chosen.filter((work) => missing[work.needs] === undefined),
    skipped: chosen.filter((work) => missing[work.needs] !== undefined)
      .map((work) => `${work.name}: ${missing[work.needs]}`),
    tools: typeof cycle === "string" ? { seconds } : { cycle, seconds },
  };
}

async function measureWorks(
  { works, tools }: Plan,
  folder: string,
  rounds: number,
): Promise<WorkRuns[]> {
  if (works.length === 0) return [];
  await using larder = await startLarder(`${folder}/root`);
  Deno.mkdirSync(`${folder}/floor`);
  await using floor = await startFloor(`${folder}/floor`);
  await seed(larder.remote, HIT_1_KIB);
  await seed(larder.remote, HIT_1_MIB);
  const all: WorkRuns[] = [];
  for (const work of works) {
    const runs = { work, larder: [] as Sample[], floor: [] as Sample[] };
    // What a server runs for the first time is still being compiled.
    for (const server of [larder, floor]) {
      await work.run(server, { ...tools, seconds: 1 });
    }
    for (let round = 0; round < rounds; round++) {
      runs.larder.push(await work.run(larder, tools));
      runs.floor.push(await work.run(floor, tools));
      const speeds = [runs.larder, runs.floor].map((runs) =>
        runs[round]!.perSecond.toFixed(0)
      );
      console.error(
        `${work.name} ${round + 1}/${rounds}: larder ${speeds[0]}/s, floor ${
          speeds[1]
        }/s`,
      );
    }
    all.push(runs);
  }
  return all;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
    },
  });
  const names = [...WORKS.map((work) => work.name), START, FAIRNESS];
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot measure ${unknown}: choose from ${names.join(", ")}`,
    );
  }
  const isChosen = (name: string) =>
    values.only.length === 0 || values.only.includes(name);
  const { rounds, seconds, entries } = values.quick ? QUICK : FULL;
  const folder = Deno.makeTempDirSync({ prefix: "larder-bench-" });
  try {
    const planned = await plan(
      WORKS.filter((work) => isChosen(work.name)),
      folder,
      seconds,
    );
    const works = await measureWorks(planned, folder, rounds);
    const starts: StartFigures[] = isChosen(START)
      ? await measureStarts(folder, { entries, rounds })
      : [];
    const fairness: FairnessFigures[] = isChosen(FAIRNESS)
      ? await measureFairness(folder, { rounds, seconds })
      : [];
    if (works.length > 0) console.log(`\n${workTable(works)}`);
    if (starts.length > 0) console.log(`\n${startTable(starts)}`);
    if (fairness.length > 0) console.log(`\n${fairnessTable(fairness)}`);
    for (const skip of planned.skipped) console.log(`\nskip: ${skip}`);
    const { skipped } = planned;
    const file = writeJson(new URL("results/", import.meta.url), {
      works,
      starts,
      fairness,
      skipped,
    });
    console.log(
      `\nMedians of ${rounds} alternating runs of ${seconds} s. All runs: ${file}`,
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
