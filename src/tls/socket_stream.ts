/**
 * A socket of `node:tls` as a stream of bytes, from before its handshake on; or
 * one of `node:net`, in plain text.
 *
 * @module
 */

import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type ByteStream, peerName } from "../http2/mod.ts";
import { namesOf } from "./names.ts";

/**
 * Reads and writes what is within TLS; the socket below it is the stream's. In
 * plain text it is the same socket.
 */
export class SocketStream implements ByteStream {
  readonly #raw: Socket;
  readonly #secure = Promise.withResolvers<Socket | undefined>();
  #socket: Socket | undefined;
  #names: readonly string[] | undefined;
  #rest: Uint8Array = new Uint8Array();
  #hasEnded = false;
  #isClosed = false;
  #wake = () => {};

  /** Takes over a socket, whose handshake may begin. */
  constructor(raw: Socket) {
    this.#raw = raw;
    raw.on("close", this.#ended);
  }

  /** What the client's certificate says who it is; none without one. */
  get names(): readonly string[] {
    if (this.#names !== undefined) return this.#names;
    const socket = this.#socket;
    if (!(socket instanceof TLSSocket)) return [];
    const { raw } = socket.getPeerCertificate() ?? {};
    return this.#names = raw ? namesOf(new Uint8Array(raw)) : [];
  }

  /** Whether it was ended from here. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The handshake is done; or there is none, and the socket is the same one. */
  opened(socket: Socket): void {
    this.#socket = socket;
    socket.on("readable", () => this.#wake());
    for (const end of ["end", "close", "error"]) socket.on(end, this.#ended);
    // Bytes may be lost between the two sockets of one that has closed by now.
    if (socket.destroyed) this.#ended();
    this.#secure.resolve(socket);
  }

  /** {@inheritDoc ByteStream.read} */
  async read(into: Uint8Array): Promise<number | null> {
    const socket = this.#socket ?? await this.#secure.promise;
    if (socket === undefined) return null;
    while (this.#rest.length === 0) {
      const chunk: Uint8Array | null = socket.read();
      if (chunk !== null) this.#rest = chunk;
      else if (this.#hasEnded) return null;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const count = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  /** {@inheritDoc ByteStream.write} */
  async write(bytes: Uint8Array): Promise<number> {
    const socket = this.#socket ?? await this.#secure.promise;
    return await new Promise((resolve, reject) => {
      if (socket === undefined || this.#hasEnded) {
        return reject(new Error("the connection has ended"));
      }
      socket.once("close", reject);
      socket.write(bytes, (error) => {
        socket.off("close", reject);
        if (error) reject(error);
        else resolve(bytes.length);
      });
    });
  }

  /** {@inheritDoc ByteStream.closeWrite} */
  closeWrite(): Promise<void> {
    // Who has not said what it is within TLS hears nothing there.
    if (this.#socket === undefined) this.#raw.destroy();
    return new Promise((resolve) => {
      if (this.#socket === undefined) resolve();
      else this.#socket.end(resolve);
    });
  }

  /** {@inheritDoc ByteStream.close} */
  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
    this.#raw.destroy();
    this.#ended();
  }

  readonly #ended = (): void => {
    this.#hasEnded = true;
    this.#secure.resolve(undefined);
    this.#wake();
  };
}

/** Who is at the other end of a socket; `undefined`: they have gone. */
export function peerOf(
  { remoteAddress, remotePort }: Socket,
): string | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return peerName(remoteAddress, remotePort);
}
