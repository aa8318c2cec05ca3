/**
 * Sockets that whoever starts the server has made, and hands on to it.
 *
 * @module
 */

import { StartError } from "../errors.ts";
import {
  formatAddress,
  type InheritedAddress,
  isInherited,
} from "./address.ts";
import type { Config } from "./shape.ts";

/** What may listen on one. */
export type ListenerKind = "local" | "remote" | "http";

/**
 * The listeners whose sockets somebody else has made.
 *
 * @param config Where listeners are.
 * @returns What each is for, and its address.
 */
export function inheritedOf(
  config: Pick<Config, ListenerKind>,
): [ListenerKind, InheritedAddress][] {
  const found: [ListenerKind, InheritedAddress][] = [];
  for (const kind of ["local", "remote", "http"] as const) {
    const address = config[kind];
    if (address && isInherited(address)) found.push([kind, address]);
  }
  return found;
}

/**
 * Looks whether one is wanted for two listeners.
 *
 * @throws {StartError} It is.
 */
export function refuseSharedSockets(config: Pick<Config, ListenerKind>): void {
  const all = inheritedOf(config).map(([, address]) => formatAddress(address));
  const twice = all.find((name, at) => all.indexOf(name) < at);
  if (twice === undefined) return;
  throw new StartError(
    2,
    `${twice} is given twice: a socket is for one of --local, --remote and ` +
      "--http; give each its own",
  );
}

/**
 * Refuses them where a launcher stands between: the server that it starts would
 * not have them.
 *
 * @throws {StartError} There are some.
 */
export function refuseInherited(config: Pick<Config, ListenerKind>): void {
  for (const [kind, address] of inheritedOf(config)) {
    throw new StartError(
      2,
      `--${kind} ${formatAddress(address)} is a socket that is handed on to ` +
        "the confined server alone, and no launcher stands between: start " +
        "what --print-command prints, as docs/DEPLOY.md says",
    );
  }
}
