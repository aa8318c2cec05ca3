/**
 * What listeners speak: TLS, or plain text where nobody is between.
 *
 * @module
 */

import { StartError } from "../errors.ts";
import { formatAddress, isLoopback, isUnix } from "./address.ts";
import type { Config } from "./shape.ts";

/** The settings of what listeners speak. */
export type TlsConfig = Pick<
  Config,
  "local" | "remote" | "tlsCert" | "tlsKey" | "clientCa" | "tlsOn" | "insecure"
>;

/** Whether a listener speaks TLS; a Unix domain socket never does. */
export function speaksTls(
  config: Pick<Config, "local" | "remote" | "tlsCert" | "tlsOn">,
  kind: "local" | "remote",
): boolean {
  const { tlsCert, tlsOn, [kind]: address } = config;
  // Nobody is between, and clients of gRPC speak plain text there.
  if (address !== undefined && isUnix(address)) return false;
  return tlsCert !== undefined && (tlsOn === "all" || tlsOn === kind);
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
    const address = config[kind];
    if (tlsOn === kind && address === undefined) {
      throw new StartError(2, `--tls-on ${kind}, but --${kind} is off`);
    }
    if (!address || isLoopback(address) || speaksTls(config, kind)) continue;
    if (config.insecure) continue;
    throw new StartError(
      2,
      `--${kind} ${
        formatAddress(address)
      } can be reached from other machines, ` +
        "in plain text: give --tls-cert and --tls-key, or --insecure where " +
        "nobody on the way can read or change it, or an address of this " +
        "machine alone, such as 127.0.0.1",
    );
  }
}
