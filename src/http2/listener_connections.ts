/**
 * The connections of one listener, whatever it stands on.
 *
 * @module
 */

import type { ByteStream } from "./byte_stream.ts";
import type { Connections } from "./connections.ts";
import type { ServedConnection } from "./served_connection.ts";
import type { RequestHandler } from "./stream_api.ts";

/** Serves what a listener has accepted, and ends it with the listener. */
export class ListenerConnections {
  readonly #connections: Connections;
  readonly #handler: RequestHandler;
  readonly #served = new Map<ServedConnection, Promise<void>>();

  /**
   * @param connections Those of all listeners.
   * @param handler Takes the requests.
   */
  constructor(connections: Connections, handler: RequestHandler) {
    this.#connections = connections;
    this.#handler = handler;
  }

  /** Makes place for one more; whether it may come. */
  makeRoom(): boolean {
    return this.#connections.makeRoom();
  }

  /** Serves one for which there is room. */
  serve(stream: ByteStream, peer: string): void {
    const { connection, ended } = this.#connections.serve(
      stream,
      peer,
      this.#handler,
    );
    this.#served.set(connection, ended);
    void ended.then(() => this.#served.delete(connection));
  }

  /** Says goodbye to all of them; after `limitMs` they end. */
  async close(limitMs: number): Promise<void> {
    for (const connection of this.#served.keys()) connection.goAway();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([Promise.all(this.#served.values()), late]);
    clearTimeout(timer);
    for (const connection of this.#served.keys()) connection.close();
    await Promise.all(this.#served.values());
  }
}

/** `ip:port`, IPv6 in brackets. */
export function peerName(hostname: string, port: number): string {
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}
