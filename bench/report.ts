/**
 * The bench's table and its JSON.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { FAIRNESS_GOAL, type FairnessFigures } from "./fairness.ts";
import { failedOf, median, medians, type Sample } from "./sample.ts";
import { START_GOAL, type StartFigures } from "./start.ts";
import type { Goal, Work } from "./works.ts";

/** What was measured of one work, run by run, in turn. */
export interface WorkRuns {
  /** Which. */
  readonly work: Work;
  /** Of the server. */
  readonly larder: readonly Sample[];
  /** Of the other; the run with the same index came right after. */
  readonly other: readonly Sample[];
}

/** The server's figures by the other's. */
export interface Ratios {
  readonly speed: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the processor time, where that was measured. */
  readonly cpu?: number;
}

/** The median ratios of neighbouring runs: drift of the machine falls out. */
export function ratiosOf({ larder, other }: WorkRuns): Ratios {
  const of = (figure: "perSecond" | "p50Ms" | "p99Ms" | "cpuUs") =>
    median(
      larder.map((sample, i) =>
        (sample[figure] ?? NaN) / (other[i]![figure] ?? NaN)
      ),
    );
  return {
    ...{ speed: of("perSecond"), p50: of("p50Ms"), p99: of("p99Ms") },
    ...larder.some(({ cpuUs }) => cpuUs !== undefined) && { cpu: of("cpuUs") },
  };
}

/** The table of the works. */
export function workTable(all: readonly WorkRuns[]): string {
  return table([
    [
      "work",
      "larder/s",
      "p50 ms",
      "p99 ms",
      "beside",
      "its/s",
      "p50 ms",
      "p99 ms",
      "speed",
      "p50",
      "p99",
      "goal",
    ],
    ...all.map((runs) => {
      const { work } = runs;
      const ratios = ratiosOf(runs);
      return [
        work.title,
        ...figures(medians(runs.larder), work),
        work.beside,
        ...figures(medians(runs.other), work),
        ...[ratios.speed, ratios.p50, ratios.p99].map((ratio) =>
          ratio.toFixed(2)
        ),
        verdict(work.goal, ratios, {
          larder: failedOf(runs.larder),
          other: failedOf(runs.other),
        }),
      ];
    }),
  ]);
}

/** The table of the starts. */
export function startTable(starts: readonly StartFigures[]): string {
  const { startMs, serverPeakMib, treePeakMib } = START_GOAL;
  return table([
    [
      "start",
      "ms",
      "server peak MiB",
      "tree peak MiB",
      "tree now MiB (shared once)",
    ],
    ...starts.map((start) => [
      start.title,
      start.startMs.toFixed(0),
      start.serverPeakMib.toFixed(0),
      start.treePeakMib.toFixed(0),
      start.treeNowMib.toFixed(0),
    ]),
    ["goal", `${startMs}`, `${serverPeakMib}`, `${treePeakMib}`, ""],
  ]);
}

/** The table of small calls beside large ones. */
export function fairnessTable(all: readonly FairnessFigures[]): string {
  const { p99Ms: goalMs } = FAIRNESS_GOAL;
  return table([
    [
      "small calls, 4 s at least",
      "hit p50 ms",
      "p99 ms",
      "max ms",
      "heartbeat p50 ms",
      "p99 ms",
      "max ms",
      "moved MiB/s",
      "Loading",
      "goal",
    ],
    ...all.map(({ title, hit, heartbeat, movedMibPerSecond, loading }) => {
      const met = hit.p99Ms < goalMs && heartbeat.p99Ms < goalMs;
      return [
        title,
        ...[hit, heartbeat].flatMap(({ p50Ms, p99Ms, maxMs }) =>
          [p50Ms, p99Ms, maxMs].map((value) => value.toFixed(1))
        ),
        movedMibPerSecond.toFixed(0),
        loading.toFixed(0),
        `p99 < ${goalMs} ms: ${met ? "met" : "missed"}`,
      ];
    }),
  ]);
}

/** Writes everything into a file named for the time; returns its path. */
export function writeJson(
  folder: URL,
  results: {
    works: readonly WorkRuns[];
    starts: readonly StartFigures[];
    fairness: readonly FairnessFigures[];
    skipped: unknown;
  },
): string {
  Deno.mkdirSync(folder, { recursive: true });
  const time = new Date().toISOString();
  const file = new URL(`${time.replace(/[:.]/g, "-")}.json`, folder);
  const content = {
    time,
    deno: Deno.version.deno,
    cpus: navigator.hardwareConcurrency,
    works: results.works.map((runs) => ({
      name: runs.work.name,
      title: runs.work.title,
      goal: runs.work.goal,
      beside: runs.work.beside,
      ratios: ratiosOf(runs),
      larder: { median: medians(runs.larder), runs: runs.larder },
      other: { median: medians(runs.other), runs: runs.other },
    })),
    starts: results.starts,
    startGoal: START_GOAL,
    fairness: results.fairness,
    fairnessGoal: FAIRNESS_GOAL,
    skipped: results.skipped,
  };
  Deno.writeTextFileSync(file, JSON.stringify(content, undefined, 2) + "\n");
  return fileURLToPath(file);
}

function figures(
  { perSecond, p50Ms, p99Ms }: Sample,
  { scale = 1 }: Work,
): string[] {
  return [
    (perSecond * scale).toFixed(0),
    p50Ms.toFixed(p50Ms < 1 ? 3 : 1),
    p99Ms.toFixed(1),
  ];
}

/** Each of the goals, and whether it is met. */
export function verdict(
  goal: Goal,
  ratios: Ratios,
  failed: { readonly larder: number; readonly other: number } = {
    larder: 0,
    other: 0,
  },
): string {
  const said: string[] = [];
  const say = (text: string, met: boolean) =>
    said.push(`${text}: ${met ? "met" : "missed"}`);
  if (goal.speed !== undefined) {
    say(`speed >= ${goal.speed}`, ratios.speed >= goal.speed);
  }
  if (goal.slowdown !== undefined) {
    say(`speed >= 1 / ${goal.slowdown}`, ratios.speed * goal.slowdown >= 1);
  }
  if (goal.p50 !== undefined) {
    say(`p50 <= 1 / ${goal.p50}`, ratios.p50 * goal.p50 <= 1);
  }
  if (goal.p99 !== undefined) {
    say(`p99 <= ${goal.p99}`, ratios.p99 <= goal.p99);
  }
  if (goal.cpu !== undefined) {
    const { cpu = NaN } = ratios;
    say(`cpu ${cpu.toFixed(3)} <= ${goal.cpu}`, cpu <= goal.cpu);
  }
  if (goal.failed !== undefined) {
    const { larder, other } = failed;
    say(`${larder} failed, beside ${other}`, larder <= goal.failed);
  }
  return said.join(", ");
}

/** Markdown with aligned columns; the first is text, the last is as it comes. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) =>
    Math.max(...rows.map((row) => row[i]!.length))
  );
  const lines = rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
    );
    return `| ${cells.join(" | ")} |`;
  });
  const rule = `| ${
    widths.map((width, i) =>
      "-".repeat(i === 0 ? width : width - 1) + (i === 0 ? "" : ":")
    )
      .join(" | ")
  } |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}
