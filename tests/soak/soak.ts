/**
 * Visits a server with polite and rude connections, and looks whether it stays
 * as it was.
 *
 * ```sh
 * deno task soak [--connections N] [--out FILE]
 * ```
 *
 * Writes `FILE.csv` and `FILE.svg`; by default named for the time, beside the
 * bench's results. Exits with 1 when it was not flat.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { svgOf } from "./plot.ts";
import { soak, type SoakResult } from "./soak_run.ts";
import { judge, type SoakSample, WARM_UP_SHARE } from "./verdict.ts";

const CONNECTIONS = 200_000;
/** Seconds between two lines of progress. */
const PROGRESS_SECONDS = 10;
const RESULTS = new URL("../../bench/results/", import.meta.url);
const COLUMNS: readonly (keyof SoakSample)[] = [
  "seconds",
  "connections",
  "treeMib",
  "peakMib",
  "descriptors",
  "p50Ms",
  "p99Ms",
  "maxMs",
  "serverPid",
];

function csvOf(samples: readonly SoakSample[]): string {
  const rows = samples.map((sample) =>
    COLUMNS.map((column) => Number(sample[column].toFixed(3))).join(",")
  );
  return [COLUMNS.join(","), ...rows].join("\n") + "\n";
}

function plotOf({ samples, tally }: SoakResult): string {
  const curve = (name: string, key: keyof SoakSample) => ({
    name,
    values: samples.map((sample) => sample[key]),
  });
  const times = samples.map(({ seconds }) => seconds);
  return svgOf({
    title: `${count(tally.connections)} connections, ` +
      `${count(tally.rude)} of them rude`,
    times,
    warmUpSeconds: times[Math.floor(times.length * WARM_UP_SHARE)] ?? 0,
    panels: [
      {
        title: "memory of the process tree, MiB",
        curves: [curve("at the end", "treeMib"), curve("peak", "peakMib")],
      },
      {
        title: "descriptors of the server",
        curves: [curve("open", "descriptors")],
      },
      {
        title: "latency of a polite watcher, ms",
        curves: [curve("p50", "p50Ms"), curve("p99", "p99Ms")],
      },
    ],
  });
}

/** A line for each tenth of the run. */
function tableOf({ samples }: SoakResult): string {
  const rows = Array.from({ length: 10 }, (_, i) => {
    const part = samples.slice(
      Math.floor(i * samples.length / 10),
      Math.floor((i + 1) * samples.length / 10),
    );
    const last = part.at(-1);
    if (!last) return "";
    const worst = (key: keyof SoakSample) =>
      Math.max(...part.map((sample) => sample[key]));
    return [
      last.seconds.toFixed(0),
      count(last.connections),
      last.treeMib.toFixed(0),
      worst("peakMib").toFixed(0),
      String(last.descriptors),
      last.p50Ms.toFixed(1),
      worst("p99Ms").toFixed(0),
      worst("maxMs").toFixed(0),
    ].map((cell) => cell.padStart(11)).join(" ");
  });
  const heads = "seconds connections MiB peak-MiB descriptors p50-ms " +
    "worst-p99 worst-call";
  const head = heads.split(" ").map((cell) => cell.padStart(11)).join(" ");
  return [head, ...rows.filter((row) => row !== "")].join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      connections: { type: "string", default: String(CONNECTIONS) },
      out: { type: "string" },
    },
  });
  const connections = Number(values.connections);
  if (!Number.isSafeInteger(connections) || connections < 1) {
    throw new TypeError(
      `Cannot soak with ${values.connections} connections: want a number`,
    );
  }
  // An impatient user's root and server are to go as well.
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  let nextLine = 0;
  const result = await soak({
    connections,
    signal: stop.signal,
    onSample(sample) {
      if (sample.seconds < nextLine) return;
      nextLine = sample.seconds + PROGRESS_SECONDS;
      console.error(
        `${sample.seconds.toFixed(0)} s: ${count(sample.connections)} ` +
          `connections, ${sample.treeMib.toFixed(0)} MiB, ` +
          `${sample.descriptors} descriptors, p99 ${
            sample.p99Ms.toFixed(0)
          } ms`,
      );
    },
  });
  const time = new Date().toISOString().replace(/[:.]/g, "-");
  const base = values.out?.replace(/\.(csv|svg)$/, "") ??
    fileURLToPath(new URL(`soak-${time}`, RESULTS));
  if (!values.out) Deno.mkdirSync(RESULTS, { recursive: true });
  Deno.writeTextFileSync(`${base}.csv`, csvOf(result.samples));
  Deno.writeTextFileSync(`${base}.svg`, plotOf(result));
  console.log(`\n${tableOf(result)}\n`);
  for (const [kind, visits] of result.visits) {
    console.log(`${count(visits).padStart(11)} ${kind}`);
  }
  const { tally } = result;
  console.log(
    `\n${count(tally.connections)} connections, ${count(tally.rude)} rude; ` +
      `${count(tally.loading)} answers were Loading`,
  );
  const findings = judge(result);
  for (const { rule, seen, holds } of findings) {
    console.log(`${holds ? "holds" : "FAILS"}: ${rule}: ${seen}`);
  }
  console.log(`\n${base}.csv and .svg`);
  if (!findings.every(({ holds }) => holds)) Deno.exitCode = 1;
  // Visitors of a soak that was stopped would go on.
  Deno.exit();
}

if (import.meta.main) await main();
