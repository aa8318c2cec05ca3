/**
 * Addresses of servers, as people write them.
 *
 * @module
 */

import { resolve } from "node:path";
import { messageOf } from "../errors.ts";
import { isUnixAddress, socketPath, socketPathFault } from "../unix_address.ts";

const MAX_PORT = 65_535;
/** A name or an IPv4 address, or an IPv6 address in brackets; then a port. */
const ADDRESS = /^(?:[\p{L}\p{N}_.-]+|\[[\da-f:.]+(?:%\w+)?\]):(\d+)$/iu;

/**
 * What is wrong with an address, and how to write it.
 *
 * @param text What was written.
 * @returns `undefined`: it is `host:port`, or `unix:PATH`.
 */
export function addressFault(text: string): string | undefined {
  if (isUnixAddress(text)) return socketFault(text);
  if (/^\.{0,2}\//.test(text)) {
    return `a Unix domain socket is unix:PATH; write unix:${text}`;
  }
  const [, scheme, plain = ""] = /^(\w+:\/\/)?([^/]*)/.exec(text) ?? [];
  if (scheme !== undefined) {
    return `an address is host:port, without ${scheme}; write ${plain}`;
  }
  if (/^[^\s/]+:\d+\/+$/.test(text)) {
    return `an address is host:port; write ${plain}`;
  }
  const port = ADDRESS.exec(text)?.[1];
  if (port !== undefined) {
    return Number(port) <= MAX_PORT
      ? undefined
      : `its port is above ${MAX_PORT}`;
  }
  const isHost = /^[\w.-]+:?$/.test(text) && !/^\d+$/.test(text);
  return `not host:port, such as ${
    isHost ? text.replace(/:$/, "") : "cache.internal"
  }:28056`;
}

/**
 * An address that means the same wherever this process goes.
 *
 * @param address One without a fault.
 * @param folder Where relative paths of sockets begin; by default where it is.
 */
export function fixedAddress(address: string, folder: string = ""): string {
  return isUnixAddress(address)
    ? `unix:${resolve(folder, socketPath(address))}`
    : address;
}

/** The host of an address, without brackets; of a socket all of it. */
export function hostOf(address: string): string {
  return isUnixAddress(address)
    ? address
    : address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** An address as `node:net` takes it. */
export function placeOf(
  address: string,
): { readonly path: string } | {
  readonly host: string;
  readonly port: number;
} {
  if (isUnixAddress(address)) return { path: socketPath(address) };
  const [, port = ""] = /:(\d+)$/.exec(address) ?? [];
  return { host: hostOf(address), port: Number(port) };
}

function socketFault(text: string): string | undefined {
  try {
    return socketPathFault(resolve(socketPath(text)));
  } catch (error) {
    return messageOf(error);
  }
}
