/**
 * What the last run of the same outs on this machine was made of, to say what
 * differs from it. Of what may be secret there are only hashes.
 *
 * @module
 */

import process from "node:process";
import { sha256Hex } from "../../../workers/digest.ts";
import { toHex } from "../format.ts";
import type { Plan } from "./plan.ts";
import type { Source } from "./report.ts";
import { readState, saveState, type StateName } from "./state_folder.ts";

/** Of more files, it is not told which one differs. */
const MAX_LINES = 200_000;

/** One input. */
export interface LastInput {
  readonly name: string;
  readonly digest: string;
  /** Its files, if they are not too many. */
  readonly lines: Readonly<Record<string, string>> | undefined;
}

/** What a key was made of. */
export interface Made {
  readonly namespace: string;
  readonly key: string;
  readonly command: string;
  readonly keys: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  readonly inputs: readonly LastInput[];
}

/** A run. */
export interface LastRun extends Made {
  readonly atMs: number;
  readonly source: Source;
  /** Why it was not kept. */
  readonly reason: string | undefined;
}

/** What a plan's key is made of. */
export function madeOf({ entry, words, found }: Plan): Made {
  let count = 0;
  return {
    namespace: entry.namespace,
    key: toHex(entry.key),
    command: hashOf(words.command),
    keys: words.keys.map(hashOf),
    env: Object.fromEntries(
      words.env.map(([name, value]) => [name, hashOf(value)]),
    ),
    stdin: words.stdin,
    inputs: found.map(({ name, listing }) => {
      const { lines, digest } = listing;
      count += lines.size;
      const all = count > MAX_LINES ? undefined : Object.fromEntries(lines);
      return { name, digest, lines: all };
    }),
  };
}

/** What {@linkcode Made.keys} has of a key. */
export function hashOf(value: unknown): string {
  return sha256Hex(JSON.stringify(value));
}

/** Remembers a run. Never fails. */
export async function rememberRun(
  plan: Plan,
  { source, reason }: {
    readonly source: Source;
    readonly reason?: string | undefined;
  },
): Promise<void> {
  const run: LastRun = { ...madeOf(plan), atMs: Date.now(), source, reason };
  let name: StateName;
  try {
    name = nameOf(plan);
  } catch {
    // The command has removed the working folder.
    return;
  }
  await saveState(name, [JSON.stringify(run)]);
}

/** The last run of the same outs; `undefined`: none is remembered. */
export async function lastRunOf(plan: Plan): Promise<LastRun | undefined> {
  try {
    const run = JSON.parse(await readState(nameOf(plan)));
    return typeof run.atMs === "number" ? run : undefined;
  } catch {
    return undefined;
  }
}

/** Where nothing is written, the program is what there is. */
function nameOf({ outs, words }: Plan): StateName {
  const what = outs.length > 0 ? outs : [words.command[0], "none"];
  return ["runs", hashOf([process.cwd(), what])];
}
