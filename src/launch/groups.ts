/**
 * Groups of this machine: the confined server knows numbers only.
 *
 * @module
 */

import type { Config } from "../config.ts";
import { StartError, systemReason } from "../errors.ts";

const GROUPS = "/etc/group";

/** The setting that names a group, as an error calls it. */
type Flag = "--socket-group" | "--shared-groups";

/**
 * Replaces the names of groups by their numbers.
 *
 * @param config What is to be served.
 * @param path Where groups are listed.
 * @throws {StartError} There is no such group.
 */
export async function withGroupNumbers(
  config: Config,
  path: string = GROUPS,
): Promise<Config> {
  const { socketGroup, sharedGroups } = config;
  const numbered: { pattern: string; group: string }[] = [];
  for (const { pattern, group } of sharedGroups) {
    const number = await numberOf(group, { flag: "--shared-groups", path });
    numbered.push({ pattern, group: number });
  }
  return {
    ...config,
    sharedGroups: numbered,
    ...socketGroup !== undefined && {
      socketGroup: await numberOf(socketGroup, {
        flag: "--socket-group",
        path,
      }),
    },
  };
}

async function numberOf(
  name: string,
  { flag, path }: { readonly flag: Flag; readonly path: string },
): Promise<string> {
  if (/^\d+$/.test(name)) return name;
  const line = (await read(path, flag)).split("\n")
    .find((each) => each.startsWith(`${name}:`));
  const number = line?.split(":")[2] ?? "";
  if (/^\d+$/.test(number)) return number;
  throw new StartError(
    2,
    `${flag} ${name}: ${path} has no such group; of one that comes from ` +
      "elsewhere, give the number",
  );
}

async function read(path: string, flag: Flag): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new StartError(
      1,
      `${flag}: cannot read ${path} (${systemReason(error)}): give the ` +
        "number of the group",
      { cause: error },
    );
  }
}
