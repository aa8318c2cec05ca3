/**
 * Accepts connections on an address: the one file here that knows Deno.
 *
 * @module
 */

import { acceptAll } from "./accepting.ts";
import type { Connections } from "./connections.ts";
import { ListenerConnections, peerName } from "./listener_connections.ts";
import type { RequestHandler } from "./stream_api.ts";

/** What a listener is made of. */
export interface Http2ListenerOptions {
  /** Where; port 0 picks one. */
  readonly hostname: string;
  readonly port: number;
  /** Takes the requests. */
  readonly handler: RequestHandler;
  /** The connections of all listeners. */
  readonly connections: Connections;
  /** Takes a line for the log. */
  readonly warn: (message: string, cause?: unknown) => void;
}

/** An address that answers. */
export class Http2Listener {
  readonly #listener: Deno.TcpListener;
  readonly #served: ListenerConnections;
  readonly #accepting: Promise<void>;
  #isClosing = false;

  /** Binds the address; throws what Deno throws if that cannot be. */
  constructor(options: Http2ListenerOptions) {
    const { hostname, port, connections, handler } = options;
    this.#served = new ListenerConnections(connections, handler);
    this.#listener = Deno.listen({ hostname, port });
    this.#accepting = acceptAll({
      accept: () => this.#listener.accept(),
      take: (conn: Deno.TcpConn) => this.#take(conn),
      isAborted: (error) => error instanceof Deno.errors.ConnectionAborted,
      isClosing: () => this.#isClosing,
      warn: options.warn,
    });
  }

  /** The port, also where one was picked. */
  get port(): number {
    return this.#listener.addr.port;
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
    await this.#served.close(limitMs);
    await this.#accepting;
  }

  #take(conn: Deno.TcpConn): void {
    if (!this.#served.makeRoom()) return conn.close();
    setNoDelay(conn);
    const { hostname, port } = conn.remoteAddr;
    this.#served.serve(conn, peerName(hostname, port));
  }
}

/** Without it a small answer waits for the client's acknowledgement. */
function setNoDelay(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
  } catch {
    // It has been reset: its first read says so.
  }
}
