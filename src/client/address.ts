/**
 * Addresses of servers, as people write them.
 *
 * @module
 */

const MAX_PORT = 65_535;
/** A name or an IPv4 address, or an IPv6 address in brackets; then a port. */
const ADDRESS = /^(?:[\p{L}\p{N}_.-]+|\[[\da-f:.]+(?:%\w+)?\]):(\d+)$/iu;

/**
 * What is wrong with an address, and how to write it.
 *
 * @param text What was written.
 * @returns `undefined`: it is `host:port`.
 */
export function addressFault(text: string): string | undefined {
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
