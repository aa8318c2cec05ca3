/**
 * Takes over the sockets that a configuration names, and looks at what they say
 * of themselves: the rules of listeners follow from their addresses.
 *
 * @module
 */

import { type Config, formatAddress, inheritedOf } from "../config.ts";
import type { ListenerKind } from "../config/inherited.ts";
import { checkListeners, everywhereWarnings } from "../config/listeners.ts";
import { checkTlsOnSockets } from "../config/sockets.ts";
import { messageOf, StartError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { TakenSocket } from "./taken_socket.ts";

/** The sockets that were handed on. */
export interface TakenOver<C extends Config> extends Disposable {
  /** The configuration, which says now where they are. */
  readonly config: C;
  /** Those of the listeners that have one. */
  readonly sockets: { readonly [kind in ListenerKind]?: TakenSocket };
}

/**
 * Takes them over; nobody who connects is answered yet.
 *
 * @param config What is to be served.
 * @param descriptors Descriptors by their names.
 * @param log Takes what an operator may not have meant.
 * @throws {StartError} One is no socket, or may not be served as it is wanted.
 */
export async function takeOver<C extends Config>(
  config: C,
  descriptors: ReadonlyMap<string, number>,
  log: Log,
): Promise<TakenOver<C>> {
  const sockets: { [kind in ListenerKind]?: TakenSocket } = {};
  const known: { -readonly [kind in ListenerKind]?: Config[kind] } = {};
  using stack = new DisposableStack();
  for (const [kind, address] of inheritedOf(config)) {
    const flag = `--${kind} ${formatAddress(address)}`;
    const socket = await taken(descriptors.get(address.descriptor), flag);
    stack.defer(() => socket.close());
    sockets[kind] = socket;
    const { at } = socket;
    known[kind] = { ...address, at };
    if (at === "unix") log(`${flag} ${UNIX_WORDS}`, { level: "info" });
  }
  const whole = { ...config, ...known };
  checkListeners(whole);
  checkTlsOnSockets(whole);
  const isGuarded = whole.clientCa !== undefined || whole.access !== undefined;
  const { local, remote } = known;
  for (const line of isGuarded ? [] : everywhereWarnings([local, remote])) {
    log(line);
  }
  const held = stack.move();
  return { config: whole, sockets, [Symbol.dispose]: () => held.dispose() };
}

const UNIX_WORDS =
  "is a Unix domain socket: who may connect to it is said by " +
  "SocketMode= of its unit, and by its folder";

async function taken(
  descriptor: number | undefined,
  flag: string,
): Promise<TakenSocket> {
  if (descriptor === undefined) {
    throw new StartError(2, `${flag}: no socket of that name was handed on`);
  }
  try {
    return await TakenSocket.take(descriptor);
  } catch (error) {
    throw new StartError(
      2,
      `${flag}: descriptor ${descriptor} is no socket to listen on (${
        messageOf(error)
      }): it has to be made by ListenStream=, without Accept=yes`,
      { cause: error },
    );
  }
}
