/**
 * HTTP/2 in plain text on a socket that was handed on.
 *
 * @module
 */

import type { Socket } from "node:net";
import { ListenerConnections } from "../http2/mod.ts";
import type { Http2ListenerOptions } from "../http2/mod.ts";
import { peerOf, SocketStream } from "../tls/socket_stream.ts";
import type { TakenSocket } from "./taken_socket.ts";

/** How whoever comes by a Unix domain socket is called. */
const UNIX_PEER = "unix";

/** What a listener is made of. */
export interface InheritedListenerOptions
  extends Omit<Http2ListenerOptions, "hostname" | "port"> {
  /** What it stands on. */
  readonly taken: TakenSocket;
}

/** A socket that answers. */
export class InheritedListener {
  readonly #taken: TakenSocket;
  readonly #served: ListenerConnections;

  /** Answers from here on. */
  constructor(
    { taken, connections, handler, warn }: InheritedListenerOptions,
  ) {
    this.#taken = taken;
    this.#served = new ListenerConnections(connections, handler);
    taken.serve({ take: (socket) => this.#take(socket), warn });
  }

  /**
   * Takes no more connections and says goodbye to those there are; after
   * `limitMs` they end.
   */
  async close(limitMs: number): Promise<void> {
    this.#taken.close();
    await this.#served.close(limitMs);
  }

  #take(socket: Socket): void {
    socket.on("error", () => {});
    const isUnix = this.#taken.at === "unix";
    const peer = isUnix ? UNIX_PEER : peerOf(socket);
    if (peer === undefined || !this.#served.makeRoom()) {
      return void socket.destroy();
    }
    if (!isUnix) socket.setNoDelay(true);
    const stream = new SocketStream(socket);
    stream.opened(socket);
    socket.resume();
    this.#served.serve(stream, peer);
  }
}
