/**
 * Accepts connections on an address: the one file here that knows Deno.
 *
 * @module
 */

import { acceptAll } from "./accepting.ts";
import type { Connections } from "./connections.ts";
import type { ServedConnection } from "./served_connection.ts";
import type { RequestHandler } from "./stream_api.ts";

/** What a listener is made of. */
export interface Http2ListenerOptions {
  /** Where; port 0 picks one. */
  readonly hostname: string;
  readonly port: number;
  /**
   * A certificate and its key, as PEM: then it speaks TLS. Deno 2.9.6 keeps the
   * socket of a handshake that was closed until its client goes: where strangers
   * connect, a proxy should be in front.
   */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Takes the requests. */
  readonly handler: RequestHandler;
  /** The connections of all listeners. */
  readonly connections: Connections;
  /** Takes a line for the log. */
  readonly warn: (message: string, cause?: unknown) => void;
}

/** An address that answers. */
export class Http2Listener {
  readonly #options: Http2ListenerOptions;
  readonly #listener: Deno.Listener;
  readonly #served = new Map<ServedConnection, Promise<void>>();
  readonly #accepting: Promise<void>;
  #isClosing = false;

  /** Binds the address; throws what Deno throws if that cannot be. */
  constructor(options: Http2ListenerOptions) {
    this.#options = options;
    const { hostname, port, tls } = options;
    this.#listener = tls
      ? Deno.listenTls({ hostname, port, ...tls, alpnProtocols: ["h2"] })
      : Deno.listen({ hostname, port });
    this.#accepting = acceptAll({
      accept: () => this.#listener.accept(),
      take: (conn: Deno.Conn) => this.#take(conn),
      isAborted: (error) => error instanceof Deno.errors.ConnectionAborted,
      isClosing: () => this.#isClosing,
      warn: options.warn,
    });
  }

  /** The port, also where one was picked. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /**
   * Takes no more connections and says goodbye to those there are; after
   * `limitMs` they end.
   */
  async close(limitMs: number): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#listener.close();
    }
    for (const connection of this.#served.keys()) connection.goAway();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([Promise.all(this.#served.values()), late]);
    clearTimeout(timer);
    for (const connection of this.#served.keys()) connection.close();
    await Promise.all(this.#served.values());
    await this.#accepting;
  }

  #take(conn: Deno.Conn): void {
    const { connections, handler } = this.#options;
    if (!connections.makeRoom()) return conn.close();
    setNoDelay(conn);
    const { connection, ended } = connections.serve(
      conn,
      peerOf(conn),
      handler,
    );
    this.#served.set(connection, ended);
    void ended.then(() => this.#served.delete(connection));
  }
}

function peerOf(conn: Deno.Conn): string {
  const addr = conn.remoteAddr;
  if (!("hostname" in addr)) return "unix";
  const { hostname, port } = addr;
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/** Without it a small answer waits for the client's acknowledgement. */
function setNoDelay(conn: Deno.Conn): void {
  try {
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
  } catch {
    // It has been reset: its first read says so.
  }
}
