/**
 * What a start warns of: others can reach what is served. Where nobody is asked
 * who they are, that is for the operator to know.
 *
 * @module
 */

import { type Config, formatAddress, isUnix } from "../config.ts";
import { formatMode, socketsOf } from "../config/sockets.ts";

/** All addresses of a machine, as one listens on them. */
const EVERYWHERE = ["0.0.0.0", "::"];
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
  const warnings: string[] = [];
  const isGuarded = clientCa !== undefined || access !== undefined;
  for (const address of isGuarded ? [] : [local, remote]) {
    if (!address || isUnix(address)) continue;
    if (!EVERYWHERE.includes(address.host)) continue;
    warnings.push(
      `${formatAddress(address)} is every address of this machine: ` +
        "everybody who reaches it may read and write all values; where that " +
        "is not wanted, give --access or --client-ca, or name one address, " +
        "such as 127.0.0.1",
    );
  }
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
