/**
 * By which names a server may be called.
 *
 * A web page can have its own name resolve to an address in your network, and
 * then read from it what a browser takes for its own site (DNS rebinding). It
 * cannot do that with a name that is not its own.
 *
 * @module
 */

/** IPv4, or anything in brackets: a name has neither. */
const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/**
 * Whether a request of this Host is answered.
 *
 * @param host The header, with or without a port.
 * @param names Those that are allowed beside IP addresses and localhost.
 */
export function isAllowedHost(
  host: string,
  names: readonly string[],
): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  return name === "localhost" || IP_LITERAL.test(name) || names.includes(name);
}
