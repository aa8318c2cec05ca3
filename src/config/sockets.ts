/**
 * What is asked of Unix domain sockets: who may connect, and where they lie.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import { StartError } from "../errors.ts";
import { socketPathFault } from "../unix_address.ts";
import {
  formatAddress,
  isUnix,
  isUnixAnyhow,
  type UnixAddress,
} from "./address.ts";
import type { Config, GivenConfig } from "./shape.ts";

/** The owner of a socket connects in any case. */
const OWNER = 0o600;
const GROUP = 0o060;

/** Only the owner, and the group where one is named. */
export function defaultSocketMode({ socketGroup }: GivenConfig): number {
  return socketGroup === undefined ? OWNER : OWNER | GROUP;
}

/**
 * Reads permission bits.
 *
 * @param text What was written: three digits, or four with a leading zero.
 * @throws {RangeError} They are none, or shut the owner out.
 */
export function parseSocketMode(text: string): number {
  const mode = /^0?[0-7]{3}$/.test(text) ? parseInt(text, 8) : 0;
  if ((mode & OWNER) === OWNER) return mode;
  throw new RangeError(
    "write permission bits that let the owner connect, as chmod takes them, " +
      'such as 0600, 0660 or 0666; in a file of settings as a text: "0660"',
  );
}

/** Writes permission bits. */
export function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/**
 * Reads the name or the number of a group.
 *
 * @throws {RangeError} It is neither.
 */
export function parseGroup(text: string): string {
  if (/^[^\s:,]+$/.test(text)) return text;
  throw new RangeError("write the name of a group, or its number");
}

/** The sockets that are served. */
export function socketsOf(
  { local, remote }: Pick<GivenConfig, "local" | "remote">,
): readonly UnixAddress[] {
  return [local, remote].filter((address) =>
    address !== undefined && isUnix(address)
  );
}

/**
 * Looks whether settings are given that nothing would come of.
 *
 * @param given What was given.
 * @param config The whole.
 * @throws {StartError} So it is.
 */
export function checkSocketSettings(given: GivenConfig, config: Config): void {
  const sockets = socketsOf(config);
  if (sockets.length === 0) {
    for (const [key, flag] of SOCKET_FLAGS) {
      if (given[key] === undefined) continue;
      throw new StartError(
        2,
        `${flag} is of Unix domain sockets, and none is served: write ` +
          "--local unix:PATH or --remote unix:PATH",
      );
    }
  }
  checkTlsOnSockets(config);
}

/**
 * Looks whether a certificate is given that no listener of calls would use.
 *
 * @throws {StartError} So it is.
 */
export function checkTlsOnSockets(
  config: Pick<Config, "local" | "remote" | "tlsCert" | "tlsOn">,
): void {
  const { local, remote, tlsCert, tlsOn } = config;
  if (tlsCert === undefined) return;
  const areAllSockets = [local, remote].every((address) =>
    address === undefined || isUnixAnyhow(address)
  );
  for (const kind of ["local", "remote"] as const) {
    const address = config[kind];
    if (address === undefined || !isUnixAnyhow(address)) continue;
    if (!areAllSockets && tlsOn !== kind) continue;
    throw new StartError(
      2,
      `--${kind} ${formatAddress(address)} is a Unix domain socket, which ` +
        "speaks no TLS: leave --tls-cert out, or listen on ip:port",
    );
  }
}

const SOCKET_FLAGS = [
  ["socketMode", "--socket-mode"],
  ["socketGroup", "--socket-group"],
] as const;

/**
 * Looks whether sockets can be where they are wanted.
 *
 * @param config With absolute paths.
 * @throws {StartError} They cannot; the message says what to do.
 */
export function checkSocketPaths(
  config: Pick<Config, "root" | "local" | "remote">,
): void {
  const paths = socketsOf(config).map(({ path }) => path);
  for (const path of paths) {
    const fault = socketPathFault(path);
    if (fault !== undefined) throw new StartError(2, fault);
    const { root } = config;
    if (isAbsolute(root) && `${path}/`.startsWith(`${root}/`)) {
      throw new StartError(
        2,
        `the socket ${path} lies in the root ${root}, where all names are ` +
          "those of values: choose a path beside it",
      );
    }
  }
  if (paths.length === 2 && paths[0] === paths[1]) {
    throw new StartError(
      2,
      "--local and --remote are the same socket: give each its own path",
    );
  }
}
