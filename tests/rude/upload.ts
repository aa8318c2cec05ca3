/**
 * Uploads that keep to the server's windows, as far as one wants them to go.
 *
 * @module
 */

import { Flag } from "../../src/http2/frames.ts";
import { data, headers } from "../../src/http2/testing/frame_bytes.ts";
import { RawClient } from "../support/raw_client.ts";
import { callFields, message, SET, setRequest } from "./messages.ts";

/** A server that grants no window for so long makes us wait, as it may. */
const HELD_BACK_MS = 1_000;
const PIECE_BYTES = 256 * 1024;

/** How an upload is done. */
export interface UploadOptions {
  /** The assignment; an unknown one is refused at the end. */
  readonly id: bigint;
  /** How large the value is said to be. */
  readonly valueBytes: number;
  /** How many of the request's bytes are sent; default: all. */
  readonly sentBytes?: number;
}

/** A connection that uploads one value on stream 1. */
export class Upload implements Disposable {
  readonly client: RawClient;
  readonly #request: Uint8Array;
  readonly #sentBytes: number;
  /** How much has been sent. */
  bytes = 0;

  private constructor(client: RawClient, options: UploadOptions) {
    this.client = client;
    const value = new Uint8Array(options.valueBytes);
    this.#request = message(setRequest(options.id, value));
    this.#sentBytes = options.sentBytes ?? this.#request.length;
  }

  /** Connects and sends HEADERS. */
  static async begin(port: number, options: UploadOptions): Promise<Upload> {
    const upload = new Upload(await RawClient.open(port), options);
    await upload.client.send(headers(1, callFields(SET)));
    return upload;
  }

  /** Sends until all is sent, the server has gone, or grants no window. */
  async run(): Promise<"sent" | "held back" | "closed"> {
    const heldBack = Promise.withResolvers<"held back">();
    let timer = 0;
    try {
      while (this.bytes < this.#sentBytes) {
        if (this.client.received.hasEnded(1)) return "closed";
        const room = this.client.received.windowOf(1);
        if (room > 0) {
          if (!await this.#send(room)) return "closed";
          continue;
        }
        clearTimeout(timer);
        timer = Number(setTimeout(
          () => heldBack.resolve("held back"),
          HELD_BACK_MS,
        ));
        const came = await Promise.race([
          this.client.read().catch(() => false),
          heldBack.promise,
        ]);
        if (came === "held back") return came;
        if (!came) return "closed";
      }
      return "sent";
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(room: number): Promise<boolean> {
    const left = this.#sentBytes - this.bytes;
    const size = Math.min(room, left, PIECE_BYTES);
    const piece = this.#request.subarray(this.bytes, this.bytes + size);
    this.bytes += size;
    const end = this.bytes === this.#request.length ? Flag.END_STREAM : 0;
    return await this.client.sendData(1, data(1, piece, end), size);
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }
}
