/**
 * The job slots of `make -j`: a pipe that it hands to what it runs, so that all
 * together run so many jobs. Deno leaves it to the command. Node closes what it
 * was given beside stdin, stdout and stderr, unless it is told to pass it on.
 *
 * @module
 */

import { readFileSync, readlinkSync } from "node:fs";
import process from "node:process";

/** How make, and cargo in its place, tell which two ends these are. */
const VARIABLES = ["CARGO_MAKEFLAGS", "MAKEFLAGS"] as const;
const PIPE = /--jobserver-(?:auth|fds)=(\d+),(\d+)/;

/** All below it is opened for the command, and make takes the lowest there are. */
const MAX_DESCRIPTOR = 63;
/** Of processes above this one: shells, and make itself. */
const MAX_GENERATIONS = 8;

/** What a child gets of the descriptors from 3 on, as `stdio` of a spawn. */
export function jobSlots(): ("ignore" | number)[] {
  if (process.versions["deno"] !== undefined) return [];
  const passed = VARIABLES.flatMap(endsOf).filter(isInherited);
  const count = Math.max(2, ...passed) - 2;
  return Array.from({ length: count }, (_, index) => {
    const descriptor = index + 3;
    return passed.includes(descriptor) ? descriptor : "ignore";
  });
}

function endsOf(variable: string): number[] {
  // Of several the last one counts, as it does for make.
  const told = (process.env[variable] ?? "").split(" ").findLast((word) =>
    PIPE.test(word)
  );
  return PIPE.exec(told ?? "")?.slice(1).map(Number) ?? [];
}

/**
 * A recipe without `+` is told of the pipe and not given it: then that number
 * is a file of Node's own. What we were given, whoever has started us has, too.
 */
function isInherited(descriptor: number): boolean {
  if (descriptor < 3 || descriptor > MAX_DESCRIPTOR) return false;
  try {
    const own = fileOf("self", descriptor);
    if (!own.startsWith("pipe:")) return false;
    let pid = String(process.ppid);
    for (let above = 0; above < MAX_GENERATIONS && pid !== "0"; above++) {
      if (fileOf(pid, descriptor) === own) return true;
      pid = parentOf(pid);
    }
  } catch {
    // There is no /proc, it is closed, or the process above is another user's.
  }
  return false;
}

function fileOf(pid: string, descriptor: number): string {
  return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
}

function parentOf(pid: string): string {
  // The name before it may hold anything.
  const [, rest = ""] = /.*\) \S+ (\d+)/s.exec(
    readFileSync(`/proc/${pid}/stat`, "utf8"),
  ) ?? [];
  return rest === "" ? "0" : rest;
}
