/**
 * Serving other users of the machine: whose files they may read.
 *
 * @module
 */

import { StartError } from "../errors.ts";
import { parseGroup } from "./sockets.ts";
import type { Config } from "./shape.ts";

/** Whose group may read the values of some namespaces. */
export interface SharedGroup {
  /** `*` for all, `a.*` for everything below `a`, or one namespace. */
  readonly pattern: string;
  /** Its name or number; the confined server is told the number. */
  readonly group: string;
}

const PATTERN = /^(\*|([A-Za-z_]\w*\.)*([A-Za-z_]\w*|\*))$/;

/**
 * Reads `sim.*=simulators, synth.place=1207`.
 *
 * @param text Pairs of a pattern and a group, separated by commas; may be empty.
 * @returns The groups, in the order written.
 * @throws {RangeError} It is not written like that.
 */
export function parseSharedGroups(text: string): readonly SharedGroup[] {
  const groups = new Map<string, SharedGroup>();
  for (const pair of text.split(",").map((each) => each.trim())) {
    if (pair === "") continue;
    const [pattern = "", group, ...rest] = pair.split("=")
      .map((each) => each.trim());
    if (group === undefined || rest.length > 0 || !PATTERN.test(pattern)) {
      throw new RangeError(
        "write namespace=group or namespace.*=group, separated by commas; " +
          "*=group is for all others",
      );
    }
    if (groups.has(pattern)) throw new RangeError(`${pattern} is there twice`);
    groups.set(pattern, { pattern, group: parseGroup(group) });
  }
  return [...groups.values()];
}

/** Writes groups so that {@linkcode parseSharedGroups} reads them back. */
export function formatSharedGroups(groups: readonly SharedGroup[]): string {
  return groups.map(({ pattern, group }) => `${pattern}=${group}`).join(",");
}

/** Whether every namespace has a group, so that no value is everybody's. */
export function areAllGrouped(groups: readonly SharedGroup[]): boolean {
  return groups.some(({ pattern }) => pattern === "*");
}

/**
 * Looks whether the settings fit each other.
 *
 * @throws {StartError} They do not; the message says what to do.
 */
export function checkShared(
  { shared, sharedGroups, local }: Pick<
    Config,
    "shared" | "sharedGroups" | "local"
  >,
): void {
  if (!shared && sharedGroups.length > 0) {
    throw new StartError(
      2,
      "--shared-groups needs --shared, which serves other users of this machine",
    );
  }
  if (!shared || local) return;
  throw new StartError(
    2,
    "--shared is for users of this machine who are given paths, and --local " +
      "is off: leave it out, or give --local an address",
  );
}
