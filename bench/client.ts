/**
 * The client library beside grpc-js alone, in one process, on Deno and on Node.
 *
 * ```sh
 * deno run -A bench/client.ts [--only WORK]... [--on deno|node] [--runs N] [--seconds N]
 * ```
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installedPackage } from "../tests/client/installed_package.ts";
import { HIT_1_KIB } from "./entries.ts";
import { median } from "./sample.ts";
import { seed } from "./seed.ts";
import { startLarder } from "./server_process.ts";

const CALLER = fileURLToPath(new URL("client/caller.mjs", import.meta.url));
const MODULE = new URL("../src/client/mod.ts", import.meta.url).href;

/** What is measured, beside what, and what it must reach. */
const WORKS: Readonly<Record<string, string>> = {
  client_hit: "a lone caller's hit beside a Get: p50 at most 1.3",
  client_hits: "64 hits at once beside 64 Gets: speed at least 0.8",
  client_miss: "a lone caller's miss beside a Get: p50 at most 2.5",
  client_bare_miss: "the same beside a Get and a Set",
};

/** One run of one side. */
interface Run {
  readonly work: string;
  readonly side: "library" | "bare";
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number;
}

/** How the caller is run; `undefined`, with a word on it, where it cannot be. */
async function commandOn(
  runtime: string,
  folder: string,
): Promise<readonly string[] | undefined> {
  if (runtime === "deno") {
    return [Deno.execPath(), "run", "--quiet", "--allow-all", CALLER, MODULE];
  }
  const project = await installedPackage(folder);
  if (project.skip !== undefined) {
    console.log(`skip on Node: ${project.skip}`);
    return undefined;
  }
  const caller = `${project.folder}/caller.mjs`;
  await Deno.copyFile(CALLER, caller);
  return ["node", caller, "@larder/larder"];
}

async function runsOf(
  [program, ...args]: readonly string[],
): Promise<readonly Run[]> {
  const command = new Deno.Command(program!, { args, stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`Cannot measure: ${program} has failed`);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** Ratios of neighbouring runs, and the figures themselves. */
function told(runs: readonly Run[]): string {
  const of = (side: Run["side"]) => runs.filter((run) => run.side === side);
  const [ours, theirs] = [of("library"), of("bare")];
  const ratio = (name: "perSecond" | "p50Ms" | "p99Ms" | "cpuUs") =>
    median(ours.map((run, at) => run[name] / theirs[at]![name])).toFixed(2);
  const both = (name: "perSecond" | "p50Ms" | "cpuUs", digits: number) =>
    [ours, theirs].map((side) =>
      median(side.map((run) => run[name])).toFixed(digits)
    ).join(" beside ");
  return [
    `p50 ${ratio("p50Ms")} (${both("p50Ms", 2)} ms)`,
    `p99 ${ratio("p99Ms")}`,
    `speed ${ratio("perSecond")} (${both("perSecond", 0)}/s)`,
    `processor ${ratio("cpuUs")} (${both("cpuUs", 0)} us)`,
  ].join(", ");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true, default: Object.keys(WORKS) },
      on: { type: "string", multiple: true, default: ["deno", "node"] },
      runs: { type: "string", default: "5" },
      seconds: { type: "string", default: "1" },
    },
  });
  const folder = await Deno.makeTempDir({ prefix: "larder-bench-" });
  try {
    await using server = await startLarder(`${folder}/root`);
    await seed(server.remote, HIT_1_KIB);
    for (const runtime of values.on) {
      const command = await commandOn(runtime, folder);
      if (!command) continue;
      for (const work of values.only) {
        const words = [server.remote, values.runs, values.seconds, work];
        const runs = await runsOf([...command, ...words]);
        console.log(`${runtime}: ${WORKS[work]}\n  ${told(runs)}`);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
