/**
 * What is left for a fair caller beside a greedy one, with limits and without.
 *
 * ```sh
 * deno run --allow-all bench/limits.ts [SECONDS]
 * ```
 *
 * @module
 */

import { ReportingChild } from "../tests/support/reporting_child.ts";
import { sha256Hex } from "../workers/digest.ts";
import { type CallTimes, pause } from "./fairness.ts";
import { startLarder } from "./server_process.ts";

/** What one caller has got: a call of it is a value. */
interface Seen extends CallTimes {
  readonly refused: number;
}

/** From the start of a caller until what it does is compiled. */
const WARM_UP_MS = 1_000;
const FAIR = { connections: 1, atOnce: 2, bytes: 16 * 1024 };
const GREEDY = { connections: 8, atOnce: 64, bytes: 256 * 1024 };
const LIMITS = 'limits = { calls = 4, upload-rate = "8MiB" }';

function rules(limits: string): string {
  return ["fair", "greedy"].map((name) =>
    `[[token]]\nname = "${name}"\nsha256 = "${sha256Hex(name)}"\n` +
    `write = ["*"]\n${name === "greedy" ? limits : ""}\n`
  ).join("\n");
}

function caller(
  address: string,
  token: string,
  { connections, atOnce, bytes }: typeof FAIR,
): Promise<ReportingChild<Seen>> {
  return ReportingChild.start(
    new URL("./fairness/caller.ts", import.meta.url),
    {
      name: `the ${token} caller`,
      permissions: ["--allow-all"],
      args: [address, token, ...[connections, atOnce, bytes].map(String)],
    },
  );
}

async function measure(
  folder: string,
  { limits, isGreedy, seconds }: {
    readonly limits: string;
    readonly isGreedy: boolean;
    readonly seconds: number;
  },
): Promise<readonly Seen[]> {
  const access = `${folder}/access.toml`;
  await Deno.writeTextFile(access, rules(limits));
  const root = await Deno.makeTempDir({ dir: folder });
  await using server = await startLarder(root, {
    flags: ["--access", access, "--drain-timeout", "0s"],
  });
  await using fair = await caller(server.remote, "fair", FAIR);
  await using greedy = isGreedy
    ? await caller(server.remote, "greedy", GREEDY)
    : undefined;
  const callers = greedy ? [fair, greedy] : [fair];
  await pause(WARM_UP_MS);
  for (const each of callers) await each.ask();
  await pause(seconds * 1_000);
  return await Promise.all(callers.map((each) => each.ask()));
}

const seconds = Number(Deno.args[0] ?? 5);
const folder = await Deno.makeTempDir({ prefix: "larder-limits-" });
try {
  const runs = [
    ["alone", "", false],
    ["beside a greedy caller", "", true],
    ["beside it, with limits", LIMITS, true],
  ] as const;
  console.log("| fair caller | values/s | p50 | p99 | greedy values/s |");
  for (const [title, limits, isGreedy] of runs) {
    const seen = await measure(folder, { limits, isGreedy, seconds });
    const [fair, greedy] = seen;
    const rate = (count = 0) => (count / seconds).toFixed(0);
    console.log(
      `| ${title} | ${rate(fair!.calls)} | ${fair!.p50Ms.toFixed(1)} ms | ` +
        `${fair!.p99Ms.toFixed(1)} ms | ${rate(greedy?.calls)}, ` +
        `${rate(greedy?.refused)} refused |`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
