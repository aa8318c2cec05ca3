/**
 * What a start warns of: others can reach what is served. Where nobody is asked
 * who they are, that is for the operator to know.
 *
 * @module
 */

import type { Config } from "../config.ts";
import { everywhereWarnings } from "../config/listeners.ts";
import { formatMode, socketsOf } from "../config/sockets.ts";

/** All users of the machine may connect to a socket. */
const ALL_CONNECT = 0o002;
/** Others than the owner may write. */
const OTHERS_WRITE = 0o022;

/**
 * The warnings, a line each.
 *
 * @param config What is served.
 * @param mode The root's permission bits; `null` where there are none.
 */
export function openDoors(
  { root, local, remote, clientCa, access, socketMode }: Pick<
    Config,
    "root" | "local" | "remote" | "clientCa" | "access" | "socketMode"
  >,
  mode: number | null,
): string[] {
  const isGuarded = clientCa !== undefined || access !== undefined;
  const warnings = isGuarded ? [] : everywhereWarnings([local, remote]);
  const isOpen = access === undefined && (socketMode & ALL_CONNECT) !== 0;
  for (const { path } of isOpen ? socketsOf({ local, remote }) : []) {
    warnings.push(
      `every user of this machine who reaches ${path} may read and ` +
        "write all values: where that is not wanted, give --access, or " +
        "--socket-group and no --socket-mode",
    );
  }
  if (mode !== null && (mode & OTHERS_WRITE) !== 0) {
    warnings.push(
      `other users of this machine may write to the root ${root} ` +
        `(mode ${
          formatMode(mode & 0o777)
        }), and so into values: chmod 700 ${root}`,
    );
  }
  return warnings;
}
