/**
 * What listeners speak: TLS, or plain text where nobody is between.
 *
 * @module
 */

import { StartError } from "../errors.ts";
import {
  type Address,
  formatAddress,
  isInherited,
  isLoopback,
  isUnixAnyhow,
} from "./address.ts";
import type { ListenerKind } from "./inherited.ts";
import type { Config } from "./shape.ts";

/** The settings of what listeners speak. */
export type TlsConfig = Pick<
  Config,
  | ListenerKind
  | "tlsCert"
  | "tlsKey"
  | "clientCa"
  | "tlsOn"
  | "insecure"
  | "httpHosts"
  | "httpPage"
>;

/**
 * Whether a listener speaks TLS. Metrics and the page do where others reach them:
 * what watches from the same machine is told no authority. A Unix domain socket
 * never does: nobody is between.
 */
export function speaksTls(
  config: Pick<Config, ListenerKind | "tlsCert" | "tlsOn">,
  kind: ListenerKind,
): boolean {
  const { tlsCert, tlsOn, [kind]: address } = config;
  if (tlsCert === undefined) return false;
  if (kind === "http") return address !== undefined && !isLoopback(address);
  if (address !== undefined && isUnixAnyhow(address)) return false;
  return tlsOn === "all" || tlsOn === kind;
}

/**
 * Where others reach a listener in plain text, if they do. Of a socket that is
 * still to be taken over nobody knows: it is looked at again when it was.
 */
function plainAddress(
  config: TlsConfig,
  kind: ListenerKind,
): string | undefined {
  const address = config[kind];
  if (!address || isToCome(address) || isLoopback(address)) return undefined;
  return speaksTls(config, kind) ? undefined : addressWords(address);
}

function isToCome(address: Address): boolean {
  return isInherited(address) && address.at === undefined;
}

/** An inherited one with what it says of itself. */
function addressWords(address: Address): string {
  const text = formatAddress(address);
  if (!isInherited(address) || typeof address.at !== "object") return text;
  return `${text} (${formatAddress(address.at)})`;
}

/**
 * Looks whether the settings fit each other.
 *
 * @throws {StartError} They do not; the message says what to do.
 */
export function checkListeners(config: TlsConfig): void {
  const { tlsCert, tlsKey, clientCa, tlsOn } = config;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const [has, lacks] = tlsCert === undefined
      ? ["--tls-key", "--tls-cert"]
      : ["--tls-cert", "--tls-key"];
    throw new StartError(2, `${has} needs ${lacks}: give both`);
  }
  if (tlsCert === undefined && (clientCa !== undefined || tlsOn !== "all")) {
    const flag = clientCa === undefined ? "--tls-on" : "--client-ca";
    throw new StartError(2, `${flag} needs --tls-cert and --tls-key`);
  }
  for (const kind of ["local", "remote"] as const) {
    if (tlsOn === kind && config[kind] === undefined) {
      throw new StartError(2, `--tls-on ${kind}, but --${kind} is off`);
    }
    const address = plainAddress(config, kind);
    if (address === undefined || config.insecure) continue;
    const remedy = tlsCert === undefined
      ? "give --tls-cert and --tls-key"
      : `leave --tls-on ${tlsOn} out, so that it speaks TLS`;
    throw new StartError(
      2,
      `--${kind} ${address} can be reached from other machines, ` +
        `in plain text: ${remedy}, or --insecure where ` +
        "nobody on the way can read or change it, or an address of this " +
        "machine alone, such as 127.0.0.1",
    );
  }
  if (config.http !== undefined) return;
  if (config.httpHosts.length > 0 || !config.httpPage) {
    const flag = config.httpPage ? "--http-host" : "--http-page";
    throw new StartError(2, `${flag} needs --http, which says where it is`);
  }
}

/**
 * What an operator may not have meant: who reaches a listener, and can do more
 * there than they should, or less than their token says.
 */
export function listenerWarnings(
  config: TlsConfig & Pick<Config, "access">,
): string[] {
  const { http, access } = config;
  const warnings: string[] = [];
  if (http && !isLoopback(http) && access === undefined && config.httpPage) {
    warnings.push(
      `--http ${addressWords(http)} can be reached from other machines, and ` +
        "asks nobody who they are: its page shows keys and who has the work; " +
        "give --access, or an address of this machine alone, or --http-page " +
        "off, which leaves metrics and probes",
    );
  }
  for (const kind of ["remote", "http"] as const) {
    const address = plainAddress(config, kind);
    if (access === undefined || address === undefined) continue;
    warnings.push(
      `--${kind} ${address} speaks plain text, where no token ` +
        `is taken from other machines: they may what [anyone.${kind}] of ` +
        `${access} says, and else nothing; give --tls-cert and --tls-key`,
    );
  }
  return warnings;
}

/** All addresses of a machine, as one listens on them. */
const EVERYWHERE = ["0.0.0.0", "::"];

/**
 * What is to be known of listeners where nobody is asked who they are.
 *
 * @param addresses Where they are.
 */
export function everywhereWarnings(
  addresses: readonly (Address | undefined)[],
): string[] {
  return addresses.flatMap((address) => {
    const at = address && isInherited(address) ? address.at : address;
    if (!address || typeof at !== "object" || !("host" in at)) return [];
    if (!EVERYWHERE.includes(at.host)) return [];
    return [
      `${addressWords(address)} is every address of this machine: ` +
      "everybody who reaches it may read and write all values; where that " +
      "is not wanted, give --access or --client-ca, or name one address, " +
      "such as 127.0.0.1",
    ];
  });
}
