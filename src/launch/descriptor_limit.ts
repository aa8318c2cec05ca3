/**
 * Keeps the number of connections below the number of file descriptors. When
 * those run out nobody can connect and no worker can open a file, and a confined
 * process may not look the limit up.
 *
 * @module
 */

import type { Config } from "../config.ts";
import { DISMISSAL_SHARE } from "../config/settings.ts";

/**
 * Descriptors that are not connections: the files, pipes and databases of the
 * server and of as many workers as there may be.
 */
const RESERVED_DESCRIPTORS = 300;
/** Connections that are asked to make place stay until they have heard of it. */
const PER_CONNECTION = 1 + DISMISSAL_SHARE;
/** Fewer would serve nobody. */
const MIN_CONNECTIONS = 16;

/**
 * Asks for the limit of this process, which its children inherit. It is the
 * hard one: Deno raises its soft limit to it.
 *
 * @returns The limit; `undefined` when there is none, or nobody says.
 */
export async function descriptorLimit(): Promise<number | undefined> {
  try {
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", "ulimit -Hn"],
      stdin: "null",
      stderr: "null",
    }).output();
    const limit = Number(new TextDecoder().decode(stdout));
    return Number.isInteger(limit) && limit > 0 ? limit : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Lowers the number of connections where it does not fit.
 *
 * @param config What was asked for.
 * @param options The limit, and what takes a line for the operator.
 * @returns The configuration that fits.
 */
export function withinDescriptors(
  config: Config,
  { limit, log }: {
    readonly limit: number | undefined;
    readonly log: (line: string) => void;
  },
): Config {
  if (limit === undefined) return config;
  const fitting = Math.max(
    MIN_CONNECTIONS,
    Math.floor((limit - RESERVED_DESCRIPTORS) / PER_CONNECTION),
  );
  if (config.maxConnections <= fitting) return config;
  log(
    `at most ${fitting} connections: a process may open ${limit} files here; ` +
      "for more, raise ulimit -Hn",
  );
  return { ...config, maxConnections: fitting };
}
