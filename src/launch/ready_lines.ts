/**
 * What a server prints once it answers: written for people and scripts, and
 * read back by the launcher.
 *
 * @module
 */

import {
  type Config,
  formatAddress,
  isInherited,
  isUnix,
  type TcpAddress,
} from "../config.ts";
import type { ServedAddresses } from "./running_server.ts";

const READY = "larder: ready";
const ADDRESS_LINE = /^larder: (LocalCache|RemoteCache|HTTP) on (.+)$/;
/** A line that is longer is none of ours. */
const MAX_LINE_LENGTH = 4_096;

/**
 * Writes the lines.
 *
 * @param root The folder that is served.
 * @param addresses Where it answers.
 * @returns The lines, each with its newline.
 */
export function readyLines(root: string, addresses: ServedAddresses): string {
  const { localAddress, remoteAddress, httpAddress } = addresses;
  return [
    ...localAddress ? [`larder: LocalCache on ${localAddress}`] : [],
    ...remoteAddress ? [`larder: RemoteCache on ${remoteAddress}`] : [],
    ...httpAddress ? [`larder: HTTP on ${httpAddress}`] : [],
    `larder: root ${root}`,
    READY,
  ].map((line) => `${line}\n`).join("");
}

/** Reads the lines back from a stream of text, piece by piece. */
export class ReadyLineReader {
  #rest = "";
  #addresses: { -readonly [name in keyof ServedAddresses]: string } = {};

  /** Takes a piece; answers once, when the last line has come. */
  push(text: string): ServedAddresses | undefined {
    const lines = (this.#rest + text).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH);
    for (const line of lines) {
      if (line === READY) return this.#addresses;
      const [, service, address] = ADDRESS_LINE.exec(line) ?? [];
      if (service === "LocalCache") this.#addresses.localAddress = address!;
      if (service === "RemoteCache") this.#addresses.remoteAddress = address!;
      if (service === "HTTP") this.#addresses.httpAddress = address!;
    }
    return undefined;
  }
}

/**
 * Replaces port 0 by the port that was picked, so that a server which is started
 * again comes back where its clients look for it.
 *
 * @param config What was asked for.
 * @param addresses What the server said; it is not trusted with more than the
 * choice of a port that was left open.
 * @returns The configuration with every port named.
 */
export function withPickedPorts(
  config: Config,
  addresses: ServedAddresses,
): Config {
  return {
    ...config,
    local: pick(config.local, addresses.localAddress),
    remote: pick(config.remote, addresses.remoteAddress),
    http: pick(config.http, addresses.httpAddress),
  };
}

function pick<A extends Config["local"]>(
  wanted: A,
  said: string | undefined,
): A | TcpAddress {
  if (wanted === undefined || isUnix(wanted) || isInherited(wanted)) {
    return wanted;
  }
  if (wanted.port !== 0 || said === undefined) return wanted;
  const port = Number(said.slice(said.lastIndexOf(":") + 1));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return wanted;
  const picked = { host: wanted.host, port };
  return formatAddress(picked) === said ? picked : wanted;
}
