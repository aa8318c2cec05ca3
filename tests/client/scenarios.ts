/**
 * The scenarios of a program that calls through a network which gets bad.
 *
 * @module
 */

import assert from "node:assert/strict";
import { hosted } from "./hosted.ts";
import { lateness } from "./lateness.ts";
import { Child } from "./support.ts";

/** The program: the module, a scenario, and its words. */
export const PROGRAM = new URL("./programs/calls.mjs", import.meta.url);
/** The scenarios of which each strikes a call at another place. */
export const PHASES = ["ask", "wait", "publish", "read"] as const;
/** The namespace of its keys. */
export const NS = "tests.calls";
/** Beyond what a call takes: machines of tests are busy. */
export const BUSY_MS = 1_000;

/** What a scenario came to. */
export interface Result {
  readonly ms: number;
  /** The same since the network was asked to become bad, which takes a moment. */
  readonly sinceAskedMs: number;
  /**
   * By how much timers were late meanwhile, there and here, where server and
   * network are: nothing that a client can help.
   */
  readonly lateMs: number;
  readonly source?: string;
  readonly size?: number;
  readonly outages: readonly string[];
  readonly [other: string]: unknown;
}

/**
 * Runs a scenario beside others; `whenSaid` is called when the network has to get
 * bad, or good again.
 */
export async function run(
  command: readonly string[],
  whenSaid: (line: string) => unknown = () => {},
): Promise<Result> {
  let result: Result | undefined;
  using late = lateness();
  for await (const line of hosted(command)) {
    if (line.startsWith("{")) {
      const said: Result = JSON.parse(line);
      result = { ...said, lateMs: said.lateMs + late.ms };
    } else {
      late.begin();
      await whenSaid(line);
    }
  }
  if (result) return result;
  throw new Error("it has ended without a result");
}

/** Runs a scenario that lets nothing else run, or ends its process. */
export async function runAlone(
  command: readonly string[],
  whenSaid: (line: string) => unknown = () => {},
): Promise<Result> {
  await using child = new Child(command);
  for (let line; (line = await child.line()) !== undefined;) {
    if (!line.startsWith("{")) {
      await whenSaid(line);
      continue;
    }
    // It closes its caches.
    assert.equal((await child.end()).code, 0);
    return JSON.parse(line);
  }
  const { code } = await child.end();
  throw new Error(`it has ended without a result, with code ${code}`);
}
