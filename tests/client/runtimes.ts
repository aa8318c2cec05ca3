/**
 * The client library on each runtime that it is for.
 *
 * @module
 */

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { atOnce, TOGETHER } from "../support/side_by_side.ts";
import { installedPackage } from "./installed_package.ts";
import { keepHosts } from "./hosted.ts";
import type { NpmProject } from "./npm_package.ts";
import { denoCommand } from "./support.ts";

const LARDER = new URL("../../src/main.ts", import.meta.url);
const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;

/** The command that runs a program with words after the module. */
export type Command = (...words: string[]) => string[];

/** What a scenario is run with. */
export interface Way {
  /** How to run the program on this runtime. */
  readonly command: Command;
  /** Waits until all others have started their servers, which takes its time. */
  readonly allReady: () => Promise<void>;
}

/**
 * Registers a test that runs on Deno, and meanwhile on Node with the npm package.
 */
export function testOnEach(
  name: string,
  program: URL,
  run: (command: Command) => Promise<void>,
): void {
  testAllOnEach(name, program, [""], (_, { command }) => run(command));
}

/** A test of some scenarios. */
interface OnEach {
  readonly name: string;
  readonly run: (test: Deno.TestContext) => Promise<void>;
}

/** Those of a file: steps of one test, so that they share their processes. */
const tests: OnEach[] = [];

/**
 * Registers a test of several scenarios, all at once on both runtimes: such that
 * wait more than they work.
 */
export function testAllOnEach<Scenario extends string>(
  name: string,
  program: URL,
  scenarios: readonly Scenario[],
  run: (scenario: Scenario, way: Way) => Promise<void>,
): void {
  if (tests.length === 0) Deno.test("on Deno and on Node", runTests);
  tests.push({
    name,
    run: (test) => runAllOnEach(test, program, scenarios, run),
  });
}

async function runTests(test: Deno.TestContext): Promise<void> {
  await using _ = keepHosts();
  for (const { name, run: fn } of tests) {
    await test.step({ name, fn, ...TOGETHER });
  }
}

/** The same, in a test that has more in common. */
export async function runAllOnEach<Scenario extends string>(
  test: Deno.TestContext,
  program: URL,
  scenarios: readonly Scenario[],
  run: (scenario: Scenario, way: Way) => Promise<void>,
): Promise<void> {
  const commands = await commandsOf(program);
  const all = commands.size * scenarios.length;
  const ready = Promise.withResolvers<void>();
  const arrived = new Set<string>();
  const steps = new Map<string, () => Promise<void>>();
  for (const [runtime, command] of commands) {
    for (const scenario of scenarios) {
      const name = `${scenario} on ${runtime}`.trim();
      const allReady = () => {
        if (arrived.add(name).size === all) ready.resolve();
        return ready.promise;
      };
      steps.set(name, async () => {
        try {
          await run(scenario, { command, allReady });
        } finally {
          void allReady();
        }
      });
    }
  }
  await atOnce(test, steps);
}

/** Registers a test of the command line, on Deno and meanwhile on Node. */
export function testLarderOnEach(
  name: string,
  run: (larder: readonly string[]) => Promise<void>,
): void {
  Deno.test(name, async (test) => {
    const steps = new Map([["on Deno", () => run(denoCommand(LARDER))]]);
    const project = await projectOnNode();
    const larder = `${project}/node_modules/.bin/larder`;
    if (project) steps.set("on Node", () => run([larder]));
    await atOnce(test, steps);
  });
}

/** How to run a program on each runtime that there is. */
async function commandsOf(program: URL): Promise<Map<string, Command>> {
  const commands = new Map<string, Command>();
  commands.set("Deno", (...words) => denoCommand(program, MODULE, ...words));
  const project = await projectOnNode();
  if (!project) return commands;
  const file = `${project}/${basename(fileURLToPath(program))}`;
  await Deno.copyFile(program, file);
  const node = ["node", file, "@larder/larder"];
  return commands.set("Node", (...words) => [...node, ...words]);
}

/** The project with the package; `undefined`, with a word on it: there is none. */
async function projectOnNode(): Promise<string | undefined> {
  // Before anything else runs, as making the package keeps this process busy.
  const { skip, folder } = await (installed ??= install());
  if (skip !== undefined) console.log(`skipped on Node: ${skip}`);
  return folder;
}

/** With the package: once for all tests of a file. */
let installed: Promise<NpmProject> | undefined;

async function install(): Promise<NpmProject> {
  const folder = await Deno.makeTempDir({ prefix: "larder-" });
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(folder, { recursive: true });
  });
  return await installedPackage(folder);
}
