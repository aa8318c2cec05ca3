/**
 * What to do where no Unix domain socket can be made.
 *
 * @module
 */

import { dirname } from "node:path";
import { messageOf, StartError, systemReason } from "../errors.ts";
import { SocketTaken } from "./socket_file.ts";
import { OpenUmask } from "./unix_listener.ts";

const ANOTHER = "choose another path with -l or -r";
/** What is at the path already. */
const TAKEN: { readonly [by in SocketTaken["by"]]: string } = {
  server: `another server answers there: stop it, or ${ANOTHER}`,
  file: `what is there is no socket, and is left as it is: remove it, or ` +
    ANOTHER,
  unknown: "whether another server answers there cannot be told: remove the " +
    `socket if none does, or ${ANOTHER}`,
};

/** The error of a start, in words that say what to do. */
export function cannotListenAt(
  socket: { readonly path: string; readonly group?: number },
  error: unknown,
): StartError {
  return new StartError(
    isOfGroup(error) ? 2 : 1,
    `cannot listen on unix:${socket.path}: ${remedy(error, socket)}`,
    { cause: error },
  );
}

/** Whether it is the group of the socket's file that cannot be set. */
function isOfGroup(error: unknown): boolean {
  return /\bchown\b/.test(messageOf(error));
}

function remedy(
  error: unknown,
  { path, group }: { readonly path: string; readonly group?: number },
): string {
  if (error instanceof SocketTaken) return TAKEN[error.by];
  if (error instanceof OpenUmask) {
    return "the umask would let others connect before --socket-mode holds: " +
      "start the server with umask 022";
  }
  const folder = dirname(path);
  const { code } = error as { code?: string };
  if (code === "ENOENT" || code === "ENOTDIR") {
    return `there is no folder ${folder}: make it, or ${ANOTHER}`;
  }
  if (isOfGroup(error)) {
    return `it cannot be given to the group ${group} (${
      systemReason(error)
    }): ` +
      "--socket-group names one that this user is in";
  }
  const why = code ?? systemReason(error);
  return code === "EACCES" || code === "EPERM"
    ? `this user may not write to the folder ${folder} (${why}): allow it, or ` +
      ANOTHER
    : `${why}: ${ANOTHER}`;
}
