/**
 * A listening socket that whoever started the process has made, and keeps: when
 * the process ends, those who connect wait in it for the next one.
 *
 * `Deno.listen({ fd })` would listen on a port of its own instead.
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { TcpAddress } from "../config.ts";

/** What takes the connections of one. */
export interface Taker {
  /** Takes one, which is paused: nothing of it was read. */
  readonly take: (socket: Socket) => void;
  /** Takes a line for the log. */
  readonly warn: (message: string) => void;
  /** Of more than these the latest are closed; absent: any number. */
  readonly maxConnections?: number;
}

/** It listens; whoever connects waits until somebody takes them. */
export class TakenSocket {
  /** Where it is; a Unix domain socket does not say it. */
  readonly at: TcpAddress | "unix";
  readonly #server: Server;
  readonly #waiting: Socket[];

  private constructor(server: Server, waiting: Socket[]) {
    this.#server = server;
    this.#waiting = waiting;
    this.at = placeOf(server);
  }

  /**
   * Listens on a descriptor; rejects with what the system says if it is no socket
   * that streams.
   */
  static async take(descriptor: number): Promise<TakenSocket> {
    const waiting: Socket[] = [];
    const server = createServer(
      { pauseOnConnect: true },
      (socket) => waiting.push(socket),
    );
    server.listen({ fd: descriptor });
    await once(server, "listening");
    return new TakenSocket(server, waiting);
  }

  /** From here on somebody takes the connections; those that wait come first. */
  serve({ take, warn, maxConnections }: Taker): void {
    const server = this.#server;
    server.on("error", (error) => {
      warn(`cannot accept connections now, trying on: ${error.message}`);
    });
    if (maxConnections !== undefined) server.maxConnections = maxConnections;
    server.removeAllListeners("connection");
    server.on("connection", take);
    for (const socket of this.#waiting.splice(0)) take(socket);
  }

  /** Takes no more: they wait for the next process. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }
}

/** `node:net` listens on TCP and on Unix domain sockets, and only TCP has ports. */
function placeOf(server: Server): TcpAddress | "unix" {
  const at = server.address();
  if (at === null || typeof at === "string") return "unix";
  const { address: host, family, port } = at;
  // As addresses are compared: ::ffff:127.0.0.1 has another form, too.
  return { host: family === "IPv6" ? inOneForm(host) : host, port };
}

function inOneForm(host: string): string {
  const url = URL.parse(`http://[${host}]`);
  return url === null ? host : url.hostname.slice(1, -1);
}
