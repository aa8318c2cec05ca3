/**
 * Addresses to listen on, and how they are written.
 *
 * @module
 */

import { isIPv4, isIPv6 } from "node:net";
import { isUnixAddress, socketPath } from "../unix_address.ts";

/** An address of TCP to listen on; port 0 lets the system pick one. */
export interface TcpAddress {
  /** An IPv4 or IPv6 address, never a name, without brackets. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** A Unix domain socket to listen on. */
export interface UnixAddress {
  /** Its path, absolute once the whole command line was read. */
  readonly path: string;
}

/** A socket that whoever starts the server has made, and keeps over its restarts. */
export interface InheritedAddress {
  /** What its parent calls it: `FileDescriptorName=` of a unit of systemd. */
  readonly descriptor: string;
  /**
   * Where it is, which it says itself once it was taken over. Nobody says the path
   * of one that is a Unix domain socket.
   */
  readonly at?: TcpAddress | "unix";
}

/** Where to listen. */
export type Address = TcpAddress | UnixAddress | InheritedAddress;

/** Whether an address is a Unix domain socket that the server makes. */
export function isUnix(address: Address): address is UnixAddress {
  return "path" in address;
}

/** Whether an address is a socket that the server is handed. */
export function isInherited(address: Address): address is InheritedAddress {
  return "descriptor" in address;
}

/** Whether an address is known to be a Unix domain socket, whoever has made it. */
export function isUnixAnyhow(address: Address): boolean {
  return isUnix(address) || (isInherited(address) && address.at === "unix");
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
export function parseAddress(text: string): TcpAddress {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  if (!match) {
    const [, scheme] = /^(\w+:\/\/)/.exec(text) ?? [];
    if (scheme !== undefined) {
      throw new RangeError(`an address is ip:port, without ${scheme}: ${HOW}`);
    }
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
 * Whether only this machine reaches an address. As long as an inherited one is
 * not known, others are taken to reach it.
 *
 * @param address The address.
 */
export function isLoopback(address: Address): boolean {
  if (isUnix(address)) return true;
  if (isInherited(address)) {
    const { at } = address;
    return at === "unix" || (at !== undefined && isLoopback(at));
  }
  const { host } = address;
  return host === "::1" || host.startsWith("127.") ||
    // As the parser of URLs writes ::ffff:127.0.0.1.
    /^::ffff:7f[\da-f]{2}:[\da-f]{1,4}$/.test(host);
}

const INHERITED = "fd:";
/** As systemd takes them; a blank would only be a slip. */
const DESCRIPTOR_NAME = /^[!-9;-~]{1,255}$/;

/**
 * Reads `fd:NAME`.
 *
 * @param text What was written.
 * @returns The address; `undefined`: it is another kind of address.
 * @throws {RangeError} When the name is none.
 */
export function parseInherited(text: string): InheritedAddress | undefined {
  if (!text.startsWith(INHERITED)) return undefined;
  const descriptor = text.slice(INHERITED.length);
  if (DESCRIPTOR_NAME.test(descriptor)) return { descriptor };
  throw new RangeError(
    "write fd:NAME, with FileDescriptorName= of the unit of the socket",
  );
}

/**
 * Reads `ip:port`, `unix:PATH`, or `fd:NAME`.
 *
 * @param text What was written.
 * @returns The address.
 * @throws {RangeError} When it is none; the message says how to write one.
 */
export function parseListener(text: string): Address {
  if (isUnixAddress(text)) return { path: socketPath(text) };
  const inherited = parseInherited(text);
  if (inherited !== undefined) return inherited;
  if (/^\.{0,2}\//.test(text)) {
    throw new RangeError(`not an address; a socket at a path is unix:${text}`);
  }
  return parseAddress(text);
}

/**
 * Writes an address the way {@linkcode parseListener} reads it.
 *
 * @param address The address.
 * @returns `ip:port`, IPv6 in brackets; or `unix:PATH`, or `fd:NAME`.
 */
export function formatAddress(address: Address): string {
  if (isUnix(address)) return `unix:${address.path}`;
  if (isInherited(address)) return `${INHERITED}${address.descriptor}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/**
 * Where clients find an address.
 *
 * @param address The address.
 * @returns That which an inherited one said of itself; else as it is written.
 */
export function whereIs(address: Address): string {
  return isInherited(address) && typeof address.at === "object"
    ? formatAddress(address.at)
    : formatAddress(address);
}
