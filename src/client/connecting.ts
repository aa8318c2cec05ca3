/**
 * Connections that are being made: grpc-js forgets them when it is closed, and
 * each would keep the process alive for minutes where nobody answers.
 *
 * @module
 */

import type { ChannelOptions } from "@grpc/grpc-js";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import {
  clearTimeout as clearNodeTimeout,
  setTimeout as nodeTimeout,
} from "node:timers";
import type { Connector } from "./grpc_parts.ts";
import { throughProxy } from "./http_connect.ts";

/**
 * Node lives until a packet that asks for a connection is answered, whatever it
 * is told. One that takes longer is made for who waits, and not for others.
 */
const UNAWAITED_MS = 1_000;

/** The connections that one channel makes. */
export class Connecting {
  /** Each, and whether it has taken long to be accepted. */
  readonly #sockets = new Map<Socket, boolean>();
  readonly #onVain: () => void;
  #isAwaited = false;
  #isClosed = false;

  /** `onVain` is told that one takes long, and nobody waits for it. */
  constructor(onVain: () => void) {
    this.#onVain = onVain;
  }

  /** Makes what this connector would make. */
  take(connector: Connector): void {
    const connect = connector.connect.bind(connector);
    let socket: Socket | undefined;
    connector.tcpConnect = (address, options) => {
      socket = this.#begin(address);
      return this.#open(socket, options);
    };
    connector.connect = async (...args) => {
      try {
        return await connect(...args);
      } finally {
        if (socket) this.#sockets.delete(socket);
      }
    };
  }

  /** Whether somebody waits for one. */
  set isAwaited(isAwaited: boolean) {
    this.#isAwaited = isAwaited;
    this.#endVain();
  }

  /** Ends all that are not made yet. */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #begin(address: NetConnectOpts): Socket {
    const socket = connect(address);
    // Whoever waits keeps the process alive by himself.
    socket.unref();
    this.#sockets.set(socket, false);
    if (this.#isClosed) socket.destroy();
    return socket;
  }

  async #open(socket: Socket, options: ChannelOptions): Promise<Socket> {
    const late = nodeTimeout(() => {
      this.#sockets.set(socket, true);
      this.#endVain();
    }, UNAWAITED_MS).unref();
    try {
      await accepted(socket);
    } finally {
      clearNodeTimeout(late);
    }
    this.#sockets.set(socket, false);
    await throughProxy(socket, options);
    return socket;
  }

  #endVain(): void {
    if (this.#isAwaited || this.#isClosed) return;
    for (const isLate of this.#sockets.values()) {
      if (isLate) return this.#onVain();
    }
  }
}

/** Resolves when somebody has accepted the connection. */
function accepted(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
  });
}
