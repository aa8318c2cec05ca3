/**
 * Uploads that keep to the server's windows, as far as one wants them to go.
 *
 * @module
 */

import { data, headers, SETTING, TYPE } from "./frames.ts";
import { callFields, message, SET, setRequest } from "./messages.ts";
import { type Frame, RawClient } from "./raw_client.ts";

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
  #streamWindow = 65_535;
  #connectionWindow = 65_535;
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
        const room = Math.min(this.#streamWindow, this.#connectionWindow);
        if (room > 0) {
          if (!await this.#send(room)) return "closed";
          continue;
        }
        clearTimeout(timer);
        timer = Number(setTimeout(
          () => heldBack.resolve("held back"),
          HELD_BACK_MS,
        ));
        const frame = await Promise.race([
          this.client.next().catch(() => undefined),
          heldBack.promise,
        ]);
        if (frame === undefined) return "closed";
        if (frame === "held back") return frame;
        if (!this.#credit(frame)) return "closed";
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
    this.#streamWindow -= size;
    this.#connectionWindow -= size;
    const end = this.bytes === this.#request.length;
    return await this.client.send(data(1, piece, { end }));
  }

  /** Takes note of windows; false: the call has ended. */
  #credit({ type, stream, payload }: Frame): boolean {
    const view = new DataView(payload.buffer);
    if (type === TYPE.WINDOW_UPDATE) {
      if (stream === 0) this.#connectionWindow += view.getUint32(0);
      else this.#streamWindow += view.getUint32(0);
    }
    if (type === TYPE.SETTINGS) {
      for (let at = 0; at + 6 <= payload.length; at += 6) {
        if (view.getUint16(at) !== SETTING.INITIAL_WINDOW_SIZE) continue;
        this.#streamWindow += view.getUint32(at + 2) - 65_535;
      }
    }
    return type !== TYPE.RST_STREAM && type !== TYPE.HEADERS;
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }
}
