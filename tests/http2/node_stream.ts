/**
 * A socket of Node as a stream of bytes: what stands on `node:tls`, which asks for
 * client certificates, is served like any other connection.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { ByteStream } from "../../src/http2/byte_stream.ts";

/** Reads and writes a socket that nobody else listens to. */
export class NodeStream implements ByteStream {
  readonly #socket: Socket;
  #rest: Uint8Array = new Uint8Array();
  #hasEnded = false;
  #wake = () => {};

  /** Takes the socket over. */
  constructor(socket: Socket) {
    this.#socket = socket;
    const changed = () => this.#wake();
    const ended = () => {
      this.#hasEnded = true;
      this.#wake();
    };
    socket.on("readable", changed);
    for (const end of ["end", "close", "error"]) socket.on(end, ended);
  }

  /** {@inheritDoc ByteStream.read} */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      const chunk: Uint8Array | null = this.#socket.read();
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
  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (error) reject(error);
        else resolve(bytes.length);
      });
    });
  }

  /** {@inheritDoc ByteStream.closeWrite} */
  closeWrite(): Promise<void> {
    return new Promise((resolve) => void this.#socket.end(resolve));
  }

  /** {@inheritDoc ByteStream.close} */
  close(): void {
    this.#socket.destroy();
  }
}
