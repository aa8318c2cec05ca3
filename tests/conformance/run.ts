/**
 * Runs the conformance suites of others against our HTTP/2 and gRPC:
 *
 * ```sh
 * deno task conformance [--only SUITE]...
 * ```
 *
 * Without Go, or when a suite cannot be fetched, it is skipped.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { startServer } from "./servers.ts";
import type { Outcome, Suite } from "./suite.ts";
import { SUITES } from "./suites.ts";
import { cacheFolder, installed } from "./tools.ts";

interface Sum {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs a suite, and prints one line about it. */
async function run(suite: Suite, cache: string): Promise<Sum> {
  const { name, tool, cases } = suite;
  const found = await installed(tool, cache);
  if ("missing" in found) {
    console.log(`skip ${name}: ${found.missing} (${cases} cases)`);
    return { passed: 0, failed: 0, skipped: cases };
  }
  const beganMs = performance.now();
  const { passed, failed, output } = await judge(suite, found.program);
  // A suite that tries less than it used to proves less.
  const lost = Math.max(0, cases - passed - failed);
  const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
  // Indented: a suite's own sum is not to be taken for ours.
  if (failed + lost > 0) console.log(output.replace(/^/gm, "  "));
  if (lost > 0) console.log(`${name}: ${lost} of ${cases} cases did not run`);
  console.log(
    `${
      failed + lost > 0 ? "FAIL" : "ok  "
    } ${name}: ${passed} passed (${seconds} s)`,
  );
  return { passed, failed: failed + lost, skipped: 0 };
}

async function judge(suite: Suite, program: string): Promise<Outcome> {
  if (suite.server === undefined) return await suite.run(program, 0, "");
  await using server = await startServer(suite.server);
  return await suite.run(program, server.port, server.socket);
}

async function main(): Promise<number> {
  const { values: { only } } = parseArgs({
    args: Deno.args,
    options: { only: { type: "string", multiple: true, default: [] } },
  });
  const unknown = only.find((name) =>
    !SUITES.some((suite) => suite.name === name)
  );
  if (unknown !== undefined) {
    const names = SUITES.map(({ name }) => name).join(", ");
    throw new TypeError(`There is no suite ${unknown}: choose from ${names}`);
  }
  const suites = SUITES.filter(({ name }) =>
    only.length === 0 || only.includes(name)
  );
  const cache = cacheFolder();
  const sum: Sum = { passed: 0, failed: 0, skipped: 0 };
  for (const suite of suites) {
    const { passed, failed, skipped } = await run(suite, cache);
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
  return sum.failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
