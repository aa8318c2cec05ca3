/**
 * Breaks the table, the engine and the stores in one place after the other, and
 * looks who notices: the tests of the room, the simulation, or nobody.
 *
 * ```sh
 * deno task mutants                   # all of them, some forty minutes
 * deno task mutants --only handle     # those with that in their name
 * deno task mutants --record          # what is caught from here on
 * ```
 *
 * Exits with 1 when something is caught no more that `caught.json` says is.
 *
 * @module
 */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Mutant, MUTANTS } from "./mutants.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const RECORD = new URL("caught.json", import.meta.url);
/** What the suites below need of the repository. */
const COPIED = ["src", "workers", "tests", "proto", "deno.json", "deno.lock"];
/** A suite that takes longer hangs, and so has noticed; the longest takes 20 s. */
const SUITE_TIMEOUT_MS = 180_000;
/** Seeds of the simulation, the same each time. */
const RUNS = 600;

type Suite = "tests" | "simulation";
/** Who notices each mutant. */
type Caught = Record<string, readonly Suite[]>;

/** The tests of the rooms that a file belongs to. */
const TESTS: readonly (readonly [folder: string, ...tests: string[]])[] = [
  ["src/table/", "src/table", "src/engine", "tests/eviction/room_test.ts"],
  ["src/engine/", "src/engine", "tests/eviction/room_test.ts"],
  ["workers/blob", "src/blobs"],
  ["src/blobs/", "src/blobs"],
  ["workers/manifest", "src/manifest"],
];

function command(suite: Suite, { file }: Mutant): string[] {
  if (suite === "simulation") {
    const seeds = ["--seed", "1", "--runs", `${RUNS}`];
    return ["run", "--no-check", "--allow-read", "tests/sim/sim.ts", ...seeds];
  }
  const [, ...tests] = TESTS.find(([folder]) => file.startsWith(folder)) ?? [];
  if (tests.length === 0) throw new Error(`${file}: in no room with tests`);
  return ["test", "--quiet", "--no-check", "--allow-all", ...tests];
}

/** Whether a suite fails over a mutant, or does not end. */
async function notices(
  folder: string,
  suite: Suite,
  mutant: Mutant,
): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: command(suite, mutant),
    cwd: folder,
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(SUITE_TIMEOUT_MS),
  }).output();
  return !success;
}

/** Who notices that a file says something else; it is put back afterwards. */
async function caughtBy(folder: string, mutant: Mutant): Promise<Suite[]> {
  const path = `${folder}/${mutant.file}`;
  const whole = Deno.readTextFileSync(path);
  const parts = whole.split(mutant.from);
  if (parts.length !== 2) {
    const times = parts.length - 1;
    throw new Error(
      `${mutant.name}: ${mutant.file} has its text ${times} times`,
    );
  }
  Deno.writeTextFileSync(path, parts.join(mutant.to));
  const caught: Suite[] = [];
  for (const suite of ["tests", "simulation"] as const) {
    if (await notices(folder, suite, mutant)) caught.push(suite);
  }
  Deno.writeTextFileSync(path, whole);
  return caught;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: { only: { type: "string" }, record: { type: "boolean" } },
  });
  const { only = "", record = false } = values;
  const before: Caught = JSON.parse(Deno.readTextFileSync(RECORD));
  const now: Caught = {};
  const worse: string[] = [];
  const folder = mkdtempSync(`${tmpdir()}/larder-mutants-`);
  try {
    for (const name of COPIED) {
      cpSync(REPOSITORY + name, `${folder}/${name}`, { recursive: true });
    }
    for (const mutant of MUTANTS.filter(({ name }) => name.includes(only))) {
      const caught = now[mutant.name] = await caughtBy(folder, mutant);
      console.log(`${mutant.name}: ${caught.join(", ") || "NOBODY NOTICES"}`);
      const missed = before[mutant.name]?.some((by) => !caught.includes(by));
      if (missed) worse.push(mutant.name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (record) {
    const all = JSON.stringify({ ...before, ...now }, null, 2);
    Deno.writeTextFileSync(RECORD, `${all}\n`);
  } else if (worse.length > 0) {
    console.error(`caught less than before: ${worse.join("; ")}`);
    Deno.exit(1);
  }
}

await main();
