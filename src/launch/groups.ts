/**
 * Groups of this machine: the confined server knows numbers only.
 *
 * @module
 */

import type { Config } from "../config.ts";
import { StartError, systemReason } from "../errors.ts";

const GROUPS = "/etc/group";

/**
 * Replaces the name of a group by its number.
 *
 * @param config What is to be served.
 * @param path Where groups are listed.
 * @throws {StartError} There is no such group.
 */
export async function withGroupNumber(
  config: Config,
  path: string = GROUPS,
): Promise<Config> {
  const { socketGroup: name } = config;
  if (name === undefined || /^\d+$/.test(name)) return config;
  const line = (await read(path)).split("\n")
    .find((each) => each.startsWith(`${name}:`));
  const number = line?.split(":")[2] ?? "";
  if (/^\d+$/.test(number)) return { ...config, socketGroup: number };
  throw new StartError(
    1,
    `--socket-group ${name}: ${path} has no such group; of one that comes from ` +
      "elsewhere, give the number",
  );
}

async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new StartError(
      1,
      `--socket-group: cannot read ${path} (${
        systemReason(error)
      }): give the ` +
        "number of the group",
      { cause: error },
    );
  }
}
