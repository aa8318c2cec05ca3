/**
 * A stream of HTTP/2 without a connection: it records what is queued, and gives
 * the request in any pieces.
 *
 * @module
 */

import { HpackDecoder } from "../../http2/hpack/mod.ts";
import type {
  Connection,
  RequestHead,
  ServerStream,
  StreamEvents,
} from "../../http2/stream_api.ts";
import { join } from "../../http2/testing/octets.ts";
import { INITIAL_WINDOW_BYTES } from "../limits.ts";

/** Something that was queued. */
export type Queued =
  | { readonly kind: "headers"; readonly fields: [string, string][] }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

/** Reads a header block. */
export function decodeBlock(block: Uint8Array): [string, string][] {
  const fields: [string, string][] = [];
  const bounds = { maxListBytes: 65_536, maxDecodedBytes: 65_536 };
  new HpackDecoder(bounds).decode(block, {
    header: (name, value) => void fields.push([name, value]),
  });
  return fields;
}

/** The server's end of a stream, as a test wants it. */
export class FakeStream implements ServerStream {
  readonly id = 1;
  readonly connection: Connection;
  /** In order. */
  readonly queued: Queued[] = [];
  /** The codes of RST_STREAM. */
  readonly resets: number[] = [];
  /** The steps in which the window was opened. */
  readonly allowed: number[] = [];
  /** How often the stream's methods were called. */
  calls = 0;
  /** What the client may still send. */
  windowBytes = INITIAL_WINDOW_BYTES;
  #events: StreamEvents | undefined;
  #taken: (() => void)[] = [];
  #isLocallyEnded = false;
  #isGone = false;
  #delivered: boolean | undefined;

  /** A stream of a connection of its own, unless one is given. */
  constructor(connection: Connection = { peer: "192.0.2.1:4711" }) {
    this.connection = connection;
  }

  /** Whether our side has ended, or everything has. */
  get isOver(): boolean {
    return this.#isLocallyEnded || this.#isGone;
  }

  /** What `closed` was told; `undefined`: it was not called. */
  get delivered(): boolean | undefined {
    return this.#delivered;
  }

  /** Hands the request to a handler. */
  open(
    handler: (stream: ServerStream, head: RequestHead) => StreamEvents,
    head: RequestHead,
  ): this {
    this.#events = handler(this, head);
    // What was reset while its handler looked at it is told to nobody.
    if (this.#isGone) this.#delivered = false;
    return this;
  }

  /** Gives a piece of the body, from memory that is overwritten afterwards. */
  data(parts: readonly Uint8Array[], taken?: () => void): void {
    this.calls++;
    if (this.isOver) return;
    this.queued.push({ kind: "data", bytes: join(...parts) });
    if (taken) this.#taken.push(taken);
  }

  /** The client sends a piece of its body. */
  receive(bytes: Uint8Array): void {
    if (bytes.length > this.windowBytes) {
      throw new Error(
        `the client sends ${bytes.length} bytes into a window of ${this.windowBytes}`,
      );
    }
    this.windowBytes -= bytes.length;
    if (this.isOver) return;
    // Not at the start of its buffer, and gone when this returns.
    const memory = new Uint8Array(bytes.length + 3);
    memory.set(bytes, 3);
    this.#events!.data(memory.subarray(3));
    memory.fill(0xa5);
  }

  /** The client ends its side. */
  receiveEnd(): void {
    if (!this.isOver) this.#events!.end();
  }

  /** The client resets the stream, or its connection is lost. */
  lose(): void {
    this.#close(false);
  }

  /** Gives all that is queued to write. */
  flush(): void {
    if (this.#isGone) return;
    for (const taken of this.#taken.splice(0)) taken();
    if (this.#isLocallyEnded) this.#close(true);
  }

  respond(
    headers: Uint8Array,
    body: readonly Uint8Array[],
    trailers: Uint8Array,
  ): void {
    this.headers(headers);
    this.data(body);
    this.trailers(trailers);
    this.calls -= 2;
  }

  headers(block: Uint8Array, endStream = false): void {
    this.calls++;
    if (this.isOver) return;
    this.queued.push({ kind: "headers", fields: decodeBlock(block) });
    if (endStream) this.#end();
  }

  trailers(block: Uint8Array): void {
    this.headers(block, true);
  }

  endData(): void {
    this.calls++;
    if (!this.isOver) this.#end();
  }

  reset(code: number): void {
    if (this.#isGone) return;
    this.resets.push(code);
    this.#close(false);
  }

  allow(bytes: number): void {
    if (this.isOver) return;
    if (!Number.isInteger(bytes) || bytes <= 0) {
      throw new Error(`a window cannot be opened by ${bytes}`);
    }
    this.allowed.push(bytes);
    this.windowBytes += bytes;
  }

  /** The fields of the header blocks, in order. */
  get blocks(): Record<string, string>[] {
    return this.queued.flatMap((one) =>
      one.kind === "headers" ? [Object.fromEntries(one.fields)] : []
    );
  }

  /** The messages that were queued, without their prefixes. */
  get messages(): Uint8Array[] {
    const bytes = join(
      ...this.queued.flatMap((one) => one.kind === "data" ? [one.bytes] : []),
    );
    const messages: Uint8Array[] = [];
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length;) {
      const end = at + 5 + view.getUint32(at + 1);
      messages.push(bytes.slice(at + 5, end));
      at = end;
    }
    return messages;
  }

  /** The status of the call, when there is one. */
  get status(): { code: number; message: string } | undefined {
    const last = this.blocks.at(-1);
    if (last === undefined || !("grpc-status" in last)) return undefined;
    return {
      code: Number(last["grpc-status"]),
      message: decodeURIComponent(last["grpc-message"] ?? ""),
    };
  }

  #end(): void {
    this.queued.push({ kind: "end" });
    this.#isLocallyEnded = true;
  }

  #close(delivered: boolean): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#taken = [];
    if (this.#events === undefined) return;
    this.#delivered = delivered;
    this.#events.closed(delivered);
  }
}
