/**
 * Measures the server beside its floors, in turn, and prints a table.
 *
 * ```sh
 * deno task bench [--quick] [--only NAME]... [--runs N] [--seconds N]
 *   [--entries N] [--since COMMIT]
 * ```
 *
 * `--quick` takes fewer and shorter runs: good for a look, not for a claim.
 * `--entries` is how many the large roots have, of `crowded_…` and `start`.
 * `--since` is for `since_hit`, which measures a server of that commit beside.
 * `--only` takes the name of a work (`hit_1_kib`, …), `start` or `fairness`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { startCrowded } from "./crowded.ts";
import { HIT_1_KIB, HIT_1_MIB } from "./entries.ts";
import { type FairnessFigures, measureFairness } from "./fairness.ts";
import { startFull } from "./full.ts";
import { buildGoPrograms } from "./go_programs.ts";
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
import {
  type ServerKind,
  type ServerProcess,
  startEmpty,
  startFloor,
  startLarder,
  VARIANTS,
} from "./server_process.ts";
import { measureStarts, type StartFigures } from "./start.ts";
import { startEarlier, startGuarded } from "./variants.ts";
import { type Tool, type Tools, type Work, WORKS } from "./works.ts";

const FULL = { runs: 5, seconds: 3, entries: 1_000_000 };
const QUICK = { runs: 3, seconds: 1, entries: 100_000 };
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
  { seconds, since }: { readonly seconds: number; readonly since?: string },
): Promise<Plan> {
  const needs = (tool: Tool) =>
    chosen.some((work) => work.needs.includes(tool));
  const go = needs("go") ? await buildGoPrograms(folder) : "";
  const missing: Record<Tool, string | undefined> = {
    h2load: needs("h2load") ? await missingH2load() : undefined,
    go: typeof go === "string" ? go : undefined,
    since: since === undefined ? "give --since COMMIT" : undefined,
  };
  const why = ({ needs }: Work) =>
    needs.map((tool) => missing[tool]).find((text) => text !== undefined);
  return {
    works: chosen.filter((work) => why(work) === undefined),
    skipped: chosen.filter((work) => why(work) !== undefined)
      .map((work) => `${work.name}: ${why(work)}`),
    tools: typeof go === "string" ? { seconds } : { go, seconds },
  };
}

async function measureWorks(
  { works, tools }: Plan,
  folder: string,
  { runs, entries, since }: {
    readonly runs: number;
    readonly entries: number;
    readonly since?: string;
  },
): Promise<WorkRuns[]> {
  if (works.length === 0) return [];
  await using stack = new AsyncDisposableStack();
  const larder = stack.use(await startLarder(`${folder}/root`));
  const floor = stack.use(
    await startFloor(tools.go!.floor),
  );
  const empty = stack.use(await startEmpty());
  const others: Partial<Record<ServerKind, ServerProcess>> = { floor, empty };
  const needs = (kind: ServerKind) =>
    works.some(({ server, beside }) => server === kind || beside === kind);
  if (needs("full")) others.full = stack.use(await startFull(folder));
  for (const [name, flags] of Object.entries(VARIANTS)) {
    const kind = name as keyof typeof VARIANTS;
    if (!needs(kind)) continue;
    others[kind] = stack.use(
      await startLarder(`${folder}/${kind}`, { kind, flags }),
    );
  }
  if (needs("guarded")) {
    others.guarded = stack.use(await startGuarded(folder));
  }
  if (needs("crowded")) {
    others.crowded = stack.use(await startCrowded(folder, entries));
  }
  if (needs("earlier")) {
    others.earlier = stack.use(await startEarlier(folder, since!));
  }
  const { empty: _empty, full: _full, ...seeded } = others;
  for (const { remote } of [larder, ...Object.values(seeded)]) {
    await seed(remote, HIT_1_KIB);
    await seed(remote, HIT_1_MIB);
  }
  const all: WorkRuns[] = [];
  for (const work of works) {
    const server = work.server ? others[work.server]! : larder;
    const other = others[work.beside]!;
    const seen = { work, larder: [] as Sample[], other: [] as Sample[] };
    // What a server runs for the first time is still being compiled.
    for (const each of [server, other]) {
      await work.run(each, { ...tools, seconds: 1 });
    }
    for (let run = 0; run < runs; run++) {
      seen.larder.push(await work.run(server, tools));
      seen.other.push(await work.run(other, tools));
      console.error(`${work.name} ${run + 1}/${runs}: ${speeds(seen)}`);
    }
    all.push(seen);
  }
  return all;
}

/** Of the last run. */
function speeds({ work, larder, other }: WorkRuns): string {
  const of = (runs: readonly Sample[]) =>
    (runs.at(-1)!.perSecond * (work.scale ?? 1)).toFixed(0);
  return `${work.server ?? "larder"} ${of(larder)}/s, ${work.beside} ${
    of(other)
  }/s`;
}

/** A whole number of at least one. */
function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) {
    throw new TypeError(`Cannot measure: --${name} takes a number from 1 on`);
  }
  return Number(text);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      runs: { type: "string" },
      seconds: { type: "string" },
      entries: { type: "string" },
      since: { type: "string" },
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
  const usual = values.quick ? QUICK : FULL;
  const entries = count("entries", values.entries) ?? usual.entries;
  const runs = count("runs", values.runs) ?? usual.runs;
  const seconds = count("seconds", values.seconds) ?? usual.seconds;
  const since = values.since === undefined ? {} : { since: values.since };
  const folder = Deno.makeTempDirSync({ prefix: "larder-bench-" });
  try {
    const planned = await plan(
      WORKS.filter((work) => isChosen(work.name)),
      folder,
      { seconds, ...since },
    );
    const works = await measureWorks(planned, folder, {
      runs,
      entries,
      ...since,
    });
    const starts: StartFigures[] = isChosen(START)
      ? await measureStarts(folder, { entries, rounds: runs })
      : [];
    const fairness: FairnessFigures[] = isChosen(FAIRNESS)
      ? await measureFairness(folder, { rounds: runs, seconds })
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
      `\nMedians of ${runs} alternating runs of ${seconds} s. All runs: ${file}`,
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
