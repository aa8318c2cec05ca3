/**
 * The sockets that systemd hands on: which descriptor has which name, as the
 * environment says it (`sd_listen_fds(3)`).
 *
 * @module
 */

import { formatAddress, inheritedOf } from "../config.ts";
import type { Config } from "../config.ts";
import type { ListenerKind } from "../config/inherited.ts";
import { StartError } from "../errors.ts";

/** What is read of the environment, and nothing else is. */
export const DESCRIPTOR_VARIABLES = [
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
] as const;

/** The first descriptor that is handed on: those below are stdin and the like. */
const FIRST_DESCRIPTOR = 3;
/** How a socket is called to which nobody gave a name. */
const NAMELESS = "unknown";

/** What is asked of the process. */
export interface DescriptorSource {
  /** Its number. */
  readonly pid: number;
  /** A variable of its environment. */
  readonly variable: (
    name: typeof DESCRIPTOR_VARIABLES[number],
  ) => string | undefined;
}

/**
 * Finds the descriptors of the sockets that a configuration names.
 *
 * @param config What is to be served.
 * @param source What the process was started with.
 * @returns Descriptors by their names; empty where none is wanted.
 * @throws {StartError} One is missing; the message says what to do.
 */
export function descriptorsFor(
  config: Pick<Config, ListenerKind>,
  source: DescriptorSource,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [kind, address] of inheritedOf(config)) {
    const { descriptor } = address;
    const refuse = (why: string) =>
      new StartError(2, `--${kind} ${formatAddress(address)}: ${why}`);
    const names = namesOf(source, refuse);
    const at = names.indexOf(descriptor);
    if (at < 0) {
      throw refuse(
        `no socket of that name was handed on, but ${
          names.join(", ")
        }: it is ` +
          "FileDescriptorName= in the unit of the socket",
      );
    }
    if (names.lastIndexOf(descriptor) !== at) {
      throw refuse(
        "several sockets of that name were handed on: give each ListenStream= " +
          "a unit of its own, with a FileDescriptorName= of its own",
      );
    }
    found.set(descriptor, FIRST_DESCRIPTOR + at);
  }
  return found;
}

function namesOf(
  { pid, variable }: DescriptorSource,
  refuse: (why: string) => StartError,
): string[] {
  const meant = variable("LISTEN_PID");
  const written = variable("LISTEN_FDS");
  if (meant === undefined || written === undefined) {
    throw refuse(
      "no socket was handed on (LISTEN_PID and LISTEN_FDS are not set): name " +
        "the unit of the socket with Sockets= in that of the server",
    );
  }
  if (meant !== `${pid}`) {
    throw refuse(
      `the sockets are for process ${meant} (LISTEN_PID), and this is ${pid}: ` +
        "whatever starts the server has to become it, with exec",
    );
  }
  const count = /^\d{1,5}$/.test(written) ? Number(written) : 0;
  if (count === 0) {
    throw refuse(`no socket was handed on (LISTEN_FDS is ${written})`);
  }
  const names = variable("LISTEN_FDNAMES")?.split(":") ?? [];
  return Array.from({ length: count }, (_, at) => names[at] || NAMELESS);
}
