/**
 * Accepts connections on a Unix domain socket.
 *
 * @module
 */

import {
  acceptAll,
  type Http2ListenerOptions,
  ListenerConnections,
} from "../http2/mod.ts";
import {
  isAt,
  type NamedSocket,
  removeStale,
  socketAt,
} from "./socket_file.ts";

/** How whoever comes by a socket is called: the system does not tell us who it is. */
const PEER = "unix";
/** Whoever may write to a socket may connect to it. */
const OTHERS_WRITE = 0o022;
const GROUP = 0o070;

/** What a listener is made of. */
export interface UnixListenerOptions
  extends Omit<Http2ListenerOptions, "hostname" | "port"> {
  /** Where; absolute. */
  readonly path: string;
  /** The permission bits: who may connect. */
  readonly mode: number;
  /** The number of its group; the user's own where absent. */
  readonly group?: number;
}

/** A socket that answers. */
export class UnixListener {
  /** Where it is. */
  readonly path: string;
  readonly #listener: Deno.UnixListener;
  readonly #socket: NamedSocket | undefined;
  readonly #served: ListenerConnections;
  readonly #accepting: Promise<void>;
  #isClosing = false;

  private constructor(
    { path, connections, handler, warn }: UnixListenerOptions,
    listener: Deno.UnixListener,
  ) {
    this.path = path;
    this.#listener = listener;
    this.#socket = socketAt(path);
    this.#served = new ListenerConnections(connections, handler);
    this.#accepting = acceptAll({
      accept: () => this.#listener.accept(),
      take: (conn: Deno.UnixConn) => this.#take(conn),
      isAborted: (error) => error instanceof Deno.errors.ConnectionAborted,
      isClosing: () => this.#isClosing,
      warn,
    });
  }

  /**
   * Makes the socket. One that was left by a server which was killed is replaced.
   *
   * @throws {SocketTaken} Something else is at the path.
   * @throws {OpenUmask} It would be open to others for a moment.
   * @throws What Deno throws if it cannot be.
   */
  static async listen(options: UnixListenerOptions): Promise<UnixListener> {
    const { path } = options;
    let listener: Deno.UnixListener;
    try {
      listener = Deno.listen({ transport: "unix", path });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      await removeStale(path);
      listener = Deno.listen({ transport: "unix", path });
    }
    try {
      restrict(options);
      return new UnixListener(options, listener);
    } catch (error) {
      // Which removes the socket.
      listener.close();
      throw error;
    }
  }

  /**
   * Removes the socket and takes no more connections, and says goodbye to those
   * there are; after `limitMs` they end.
   */
  async close(limitMs: number): Promise<void> {
    if (this.#isClosing) return await this.#served.close(limitMs);
    this.#isClosing = true;
    const isGone = socketAt(this.path) === undefined;
    const isOurs = isAt(this.path, this.#socket);
    // Closing removes what is at the path, whatever that is by now. When it is
    // not ours, nobody can reach our socket any more: it ends with the process.
    if (isGone || isOurs) this.#listener.close();
    else this.#listener.unref();
    await this.#served.close(limitMs);
    if (isGone || isOurs) await this.#accepting;
  }

  #take(conn: Deno.UnixConn): void {
    if (!this.#served.makeRoom()) return conn.close();
    this.#served.serve(conn, PEER);
  }
}

/** The umask lets others connect before the permission bits are set. */
export class OpenUmask extends Error {}

/** At once, in the turn in which it was made. */
function restrict({ path, mode, group }: UnixListenerOptions): void {
  const made = Deno.lstatSync(path).mode ?? 0;
  const wanted = group === undefined ? mode : mode & ~GROUP;
  if (made & OTHERS_WRITE & ~wanted) throw new OpenUmask();
  if (group !== undefined) Deno.chownSync(path, null, group);
  Deno.chmodSync(path, mode);
}
