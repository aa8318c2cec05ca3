/**
 * Addresses to listen on, and how they are written.
 *
 * @module
 */

import { isIPv4, isIPv6 } from "node:net";

/** An address to listen on; port 0 lets the system pick one. */
export interface Address {
  /** An IPv4 or IPv6 address, never a name, without brackets. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

const HOW = "write ip:port, such as 127.0.0.1:28055 or [::1]:0";

/**
 * Reads `ip:port`. Of the names only `localhost` is known, because Deno grants
 * the right to listen by address and a name would be looked up twice.
 *
 * @param text What was written.
 * @returns The address.
 * @throws {RangeError} When it is no address; the message says how to write one.
 */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  if (!match) {
    throw new RangeError(
      isIPv6(text)
        ? `an IPv6 address goes in brackets: ${HOW}`
        : `not an address: ${HOW}`,
    );
  }
  const port = Number(match[3]);
  if (port > 65_535) throw new RangeError("the port is above 65535");
  const [, bracketed, plain = ""] = match;
  if (bracketed !== undefined) {
    // A zone (fe80::1%eth0) cannot be granted by Deno's permission flags.
    if (!isIPv6(bracketed) || bracketed.includes("%")) {
      throw new RangeError(`[${bracketed}] is not an IPv6 address: ${HOW}`);
    }
    return {
      host: new URL(`http://[${bracketed}]`).hostname.slice(1, -1),
      port,
    };
  }
  if (plain === "localhost") return { host: "127.0.0.1", port };
  if (isIPv4(plain)) return { host: plain, port };
  throw new RangeError(
    plain === ""
      ? `the address before the port is missing: ${HOW}`
      : `${plain} is a name, and only addresses are served: ${HOW}`,
  );
}

/**
 * Whether only this machine reaches an address.
 *
 * @param address The address.
 */
export function isLoopback({ host }: Address): boolean {
  return host === "::1" || host.startsWith("127.") ||
    // As the parser of URLs writes ::ffff:127.0.0.1.
    /^::ffff:7f[\da-f]{2}:[\da-f]{1,4}$/.test(host);
}

/**
 * Writes an address the way {@linkcode parseAddress} reads it.
 *
 * @param address The address.
 * @returns `ip:port`, IPv6 in brackets.
 */
export function formatAddress(address: Address): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}
