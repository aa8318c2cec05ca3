/**
 * A TCP proxy in front of a server that is a bad network.
 *
 * @module
 */

import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { type Faults, FaultyPipe } from "./faulty_pipe.ts";

/** What goes wrong with a connection, each way. */
export interface ConnectionFaults {
  /** With what the server says. */
  readonly toClient?: Faults;
  /** With what the client says. */
  readonly toServer?: Faults;
}

/** A connection through the proxy. */
interface Relay {
  readonly sockets: readonly Socket[];
  readonly toClient: FaultyPipe;
  readonly toServer: FaultyPipe;
}

/** Passes bytes on, not always as it should. */
export class FaultProxy implements AsyncDisposable {
  /** How many connections were made. */
  connections = 0;
  readonly #listener: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #faults: ConnectionFaults | readonly ConnectionFaults[];
  readonly #relays = new Set<Relay>();
  #receivedBefore = 0;
  #isDown = false;
  #isStill = false;
  #bytesPerSecond: number | undefined;

  private constructor(
    target: string,
    faults: ConnectionFaults | readonly ConnectionFaults[],
  ) {
    const at = target.lastIndexOf(":");
    this.#target = {
      host: target.slice(0, at),
      port: Number(target.slice(at + 1)),
    };
    this.#faults = faults;
    const options = { allowHalfOpen: true };
    this.#listener = createServer(options, (client) => this.#relay(client));
  }

  /**
   * Starts a proxy.
   *
   * @param target `host:port` of the server.
   * @param faults Of every connection; or of each, one after the other: then
   * there are no more connections than these.
   */
  static async start(
    target: string,
    faults: ConnectionFaults | readonly ConnectionFaults[] = {},
  ): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, faults);
    proxy.#listener.listen(0, "127.0.0.1");
    await once(proxy.#listener, "listening");
    return proxy;
  }

  /** Where it listens. */
  get address(): string {
    return `127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Bytes that have come from the server and were passed on. */
  get received(): number {
    let bytes = this.#receivedBefore;
    for (const { toClient } of this.#relays) bytes += toClient.passed;
    return bytes;
  }

  /** Closes what is open, or resets it. */
  cut(how: "destroy" | "resetAndDestroy" = "destroy"): void {
    for (const { sockets } of this.#relays) {
      for (const socket of sockets) socket[how]();
    }
  }

  /** What is open is ended towards the client, and not the other way. */
  halfClose(): void {
    for (const { sockets: [client] } of this.#relays) client?.end();
  }

  /** No more than so many bytes a second come through each connection. */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
    for (const { toClient, toServer } of this.#relays) {
      for (const pipe of [toClient, toServer]) pipe.throttle(bytesPerSecond);
    }
  }

  /** What is open is reset, and so is whatever comes, until it is up again. */
  down(): void {
    this.#isDown = true;
    this.cut("resetAndDestroy");
  }

  /** Connections can be made again. */
  up(): void {
    this.#isDown = false;
  }

  /** What is open says nothing any more in one direction. */
  freeze(direction: "toClient" | "toServer"): void {
    for (const relay of this.#relays) relay[direction].freeze();
  }

  /** What is open says nothing any more, and neither does whatever comes. */
  still(): void {
    this.#isStill = true;
    this.freeze("toClient");
    this.freeze("toServer");
  }

  /** What was frozen goes on. */
  thaw(): void {
    this.#isStill = false;
    for (const { toClient, toServer } of this.#relays) {
      toClient.thaw();
      toServer.thaw();
    }
  }

  #relay(client: Socket): void {
    if (this.#isDown) return void client.resetAndDestroy();
    const { toClient, toServer } = this.#next() ?? {};
    if (!toClient || !toServer) return void client.destroy();
    const server = connect({ ...this.#target, allowHalfOpen: true });
    const sockets = [client, server];
    for (const socket of sockets) {
      // What becomes of a socket, its pipes find out.
      socket.on("error", () => {});
      socket.setNoDelay();
    }
    const relay = {
      sockets,
      toClient: new FaultyPipe(server, client, toClient),
      toServer: new FaultyPipe(client, server, toServer),
    };
    this.#relays.add(relay);
    if (this.#isStill) this.still();
    if (this.#bytesPerSecond) this.throttle(this.#bytesPerSecond);
    const closed = sockets.map((socket) =>
      new Promise((resolve) => socket.once("close", resolve))
    );
    void Promise.all(closed).then(() => {
      this.#relays.delete(relay);
      this.#receivedBefore += relay.toClient.passed;
    });
    void relay.toClient.run();
    void relay.toServer.run();
  }

  #next(): Required<ConnectionFaults> | undefined {
    const at = this.connections++;
    const faults = Array.isArray(this.#faults)
      ? this.#faults[at]
      : this.#faults;
    return faults && { toClient: {}, toServer: {}, ...faults };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#listener, "close");
    this.#listener.close();
    this.thaw();
    this.cut();
    await closed;
  }
}
