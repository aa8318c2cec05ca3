/**
 * Unix domain sockets, as they are written where an address is: `unix:PATH`, or
 * `unix:///PATH` of an absolute path, as all clients of gRPC take them.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import { MAX_SOCKET_PATH_BYTES } from "./limits.ts";

const HOW = "write unix:PATH, such as unix:/run/larder.sock";
/** Clients read an address as a URI: what these stand for there is not the same for all. */
const SPECIAL = /[%?#]/;
// deno-lint-ignore no-control-regex
const CONTROL = /[\0-\x1f\x7f]/;

/** Whether an address is meant to be a socket's. */
export function isUnixAddress(text: string): boolean {
  return /^unix(-abstract)?:/.test(text);
}

/**
 * The path of a socket, as it was written.
 *
 * @param address What begins with `unix:`.
 * @throws {RangeError} It is no address of a socket; the message says why.
 */
export function socketPath(address: string): string {
  if (!address.startsWith("unix:")) {
    throw new RangeError(`a socket without a path is not taken: ${HOW}`);
  }
  const written = address.slice("unix:".length);
  const path = written.startsWith("//") ? written.slice(2) : written;
  if (path === "" || path.endsWith("/")) {
    throw new RangeError(`the socket's path is missing: ${HOW}`);
  }
  if (path !== written && !isAbsolute(path)) {
    throw new RangeError(
      `after unix:// the path has to be absolute; write unix:${path}`,
    );
  }
  // Deno's permission flags split at commas, and so does the C core of gRPC.
  if (path.includes(",") || SPECIAL.test(path) || CONTROL.test(path)) {
    throw new RangeError(
      "a socket's path holds no comma, no % ? or #, and no control character, " +
        "since not all clients could name it",
    );
  }
  return path;
}

/**
 * Why no socket can be at a path, however it is written.
 *
 * @param path Absolute.
 * @returns `undefined`: it can.
 */
export function socketPathFault(path: string): string | undefined {
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= MAX_SOCKET_PATH_BYTES) return undefined;
  return `the path ${path} has ${bytes} bytes, and a socket's has at most ` +
    `${MAX_SOCKET_PATH_BYTES}: choose a shorter one, such as /run/larder.sock`;
}
