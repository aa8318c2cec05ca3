/**
 * Steps that depend on each other: the load generator in `cycle/`, in Go.
 *
 * @module
 */

import type { Sample } from "./sample.ts";

const source = new URL("./cycle/", import.meta.url);

/** What a cycle is to do. */
export interface Cycle {
  /** See `cycle/flows.go`. */
  readonly work: "miss" | "local" | "connect";
  /** Where. */
  readonly address: string;
  /** Cycles under way at once. */
  readonly callers: number;
  /** Connections that the callers share; `connect` opens its own. */
  readonly connections?: number;
  /** Of the entries. */
  readonly namespace?: string;
  /** Of the one entry that `connect` reads. */
  readonly key?: string;
  /** That are measured; the warm-up comes on top. */
  readonly seconds: number;
}

/** Runs a cycle over and over. */
export type Generator = (cycle: Cycle) => Promise<Sample>;

/** Builds the generator into a folder; a text says why that is impossible. */
export async function buildGenerator(
  folder: string,
): Promise<Generator | string> {
  const program = `${folder}/cycle`;
  try {
    const { success } = await new Deno.Command("go", {
      args: ["build", "-o", program, "."],
      cwd: source,
      stderr: "inherit",
    }).output();
    if (!success) return "go cannot build bench/cycle";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "go is missing";
    throw error;
  }
  return (cycle) => run(program, cycle);
}

interface Result extends Omit<Sample, "perSecond"> {
  readonly done: number;
  readonly seconds: number;
  readonly errors: number;
  readonly firstError?: string;
}

async function run(program: string, cycle: Cycle): Promise<Sample> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [
      ...["-target", cycle.address, "-work", cycle.work],
      ...[
        "-callers",
        `${cycle.callers}`,
        "-connections",
        `${cycle.connections ?? 1}`,
      ],
      ...["-namespace", cycle.namespace ?? "cycle", "-key", cycle.key ?? ""],
      ...["-duration", `${cycle.seconds}s`],
    ],
  }).output();
  if (!success) {
    throw new Error(`cycle failed: ${new TextDecoder().decode(stderr)}`);
  }
  const result: Result = JSON.parse(new TextDecoder().decode(stdout));
  if (result.errors > 0 || result.done === 0) {
    throw new Error(
      `${cycle.work}: ${result.errors} of ${result.done} failed: ${result.firstError}`,
    );
  }
  return {
    perSecond: result.done / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
  };
}
