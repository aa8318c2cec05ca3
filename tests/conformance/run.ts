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

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { TextLineStream } from "../support/lines.ts";
import { SERVER_ARGS, type Suite, SUITES } from "./suites.ts";
import { cacheFolder, installed } from "./tools.ts";

interface Sum {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs a suite, and prints one line about it. */
async function run(suite: Suite, cache: string, port: number): Promise<Sum> {
  const { name, tool, cases } = suite;
  const found = await installed(tool, cache);
  if ("missing" in found) {
    console.log(`skip ${name}: ${found.missing} (${cases} cases)`);
    return { passed: 0, failed: 0, skipped: cases };
  }
  const beganMs = performance.now();
  const { passed, failed, output } = await suite.run(found.program, port);
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

/** Starts the test server; its first line names its port. */
async function startServer(): Promise<
  { child: Deno.ChildProcess; port: number }
> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...SERVER_ARGS,
      fileURLToPath(new URL("./interop_server.ts", import.meta.url)),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    return { child, port: Number(/\d+$/.exec(line)?.[0]) };
  }
  throw new Error("Cannot go on: the test server did not start");
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
  const { child, port } = await startServer();
  const sum: Sum = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const suite of suites) {
      const { passed, failed, skipped } = await run(suite, cache, port);
      sum.passed += passed;
      sum.failed += failed;
      sum.skipped += skipped;
    }
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
  return sum.failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
