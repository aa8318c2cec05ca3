/**
 * An HTTP/2 connection that costs its process little: bytes that were built
 * before go out, replies are counted and not kept. The load generator runs on
 * the server's machine, and must not be what is measured.
 *
 * @module
 */

import {
  DEFAULT_WINDOW,
  FLAG,
  goaway,
  HEADER_BYTES,
  MAX_WINDOW,
  PREFACE,
  SETTING,
  settings,
  SETTINGS_ACK,
  TYPE,
  windowUpdate,
} from "../rude/frames.ts";
import { join } from "../rude/octets.ts";

/** A server that is silent for so long has failed this connection. */
const LIMIT_MS = 20_000;
const BUFFER_BYTES = 256 * 1024;
/** As much of a reply as is kept: an id and a path. */
const HEAD_BYTES = 1_024;
/** Control frames are short; of longer ones the begin is enough. */
const CONTROL_BYTES = 128;
/** Buffers of connections that have closed. */
const buffers: Uint8Array<ArrayBuffer>[] = [];

/** What a client with wide windows says first. */
export const OPENING: Uint8Array = join(
  PREFACE,
  settings(
    [SETTING.HEADER_TABLE_SIZE, 0],
    [SETTING.INITIAL_WINDOW_SIZE, MAX_WINDOW],
  ),
  windowUpdate(0, MAX_WINDOW - DEFAULT_WINDOW),
);
const GOODBYE = goaway();

/** How a call ended, and the begin of its reply. */
export interface Answer {
  /** `closed`: the connection went first. */
  readonly how: "answered" | "reset" | "closed";
  /** Bytes of DATA. */
  readonly dataBytes: number;
  /** The first of them. */
  readonly head: Uint8Array;
}

/** One connection with one call at a time. */
export class LeanConnection implements Disposable {
  /** Bytes of DATA of the current call. */
  dataBytes = 0;
  /** How many bytes the server takes on the current stream. */
  get sendWindow(): number {
    return Math.min(this.#streamWindow, this.#connectionWindow);
  }
  /** Whether the server's SETTINGS have come: its windows hold from then on. */
  greeted = false;
  /** Whether the current call has ended. */
  ended: "answered" | "reset" | undefined;
  readonly #socket: Deno.TcpConn;
  readonly #buffer = buffers.pop() ?? new Uint8Array(BUFFER_BYTES);
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #control = new Uint8Array(CONTROL_BYTES);
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headerBytes = 0;
  #payloadBytes = 0;
  #left = 0;
  #initialWindow = DEFAULT_WINDOW;
  #streamWindow = DEFAULT_WINDOW;
  #connectionWindow = DEFAULT_WINDOW;
  #owesAck = false;
  #closed = false;

  private constructor(socket: Deno.TcpConn, limitMs: number) {
    this.#socket = socket;
    if (limitMs < Infinity) {
      this.#timer = setTimeout(() => this[Symbol.dispose](), limitMs);
    }
  }

  /** Connects; after `limitMs` the connection is closed, whatever it does. */
  static async open(port: number, limitMs = LIMIT_MS): Promise<LeanConnection> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay();
    return new LeanConnection(socket, limitMs);
  }

  /** Sends bytes; false: the server has gone. */
  async write(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#socket.write(at === 0 ? bytes : bytes.subarray(at));
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Reads what there is; false: the server has closed. Acknowledges SETTINGS. */
  async read(): Promise<boolean> {
    const count = await this.#socket.read(this.#buffer).catch(() => null);
    if (count === null) return false;
    this.#scan(this.#buffer.subarray(0, count));
    if (!this.#owesAck) return true;
    this.#owesAck = false;
    return await this.write(SETTINGS_ACK);
  }

  /** Before the first frame of another stream. */
  beginCall(): void {
    this.ended = undefined;
    this.dataBytes = 0;
    this.#streamWindow = this.#initialWindow;
  }

  /** Sends DATA frames that carry so much; the caller looks at the window. */
  writeData(frames: Uint8Array, carriedBytes: number): Promise<boolean> {
    this.#streamWindow -= carriedBytes;
    this.#connectionWindow -= carriedBytes;
    return this.write(frames);
  }

  /** Reads until the current call has ended. */
  async answer(): Promise<Answer> {
    while (this.ended === undefined && await this.read());
    return {
      how: this.ended ?? "closed",
      dataBytes: this.dataBytes,
      head: this.#head.subarray(0, Math.min(HEAD_BYTES, this.dataBytes)),
    };
  }

  /** Leaves as polite clients do. */
  async goodbye(): Promise<void> {
    await this.write(GOODBYE);
    this[Symbol.dispose]();
  }

  /** Closes; with bytes unread, the server sees a reset. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    try {
      this.#socket.close();
    } catch {
      // The server was faster.
    }
    buffers.push(this.#buffer);
  }

  #scan(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#headerBytes < HEADER_BYTES) {
        this.#header[this.#headerBytes++] = chunk[at++]!;
        if (this.#headerBytes < HEADER_BYTES) continue;
        const [high, middle, low] = this.#header;
        this.#left = (high! << 16) | (middle! << 8) | low!;
        this.#payloadBytes = 0;
      } else {
        const size = Math.min(this.#left, chunk.length - at);
        this.#take(chunk.subarray(at, at + size));
        at += size;
        this.#left -= size;
      }
      if (this.#left > 0) continue;
      this.#endFrame();
      this.#headerBytes = 0;
    }
  }

  #take(piece: Uint8Array): void {
    const isData = this.#header[3] === TYPE.DATA;
    const kept = isData ? this.#head : this.#control;
    const at = isData ? this.dataBytes : this.#payloadBytes;
    if (at < kept.length) kept.set(piece.subarray(0, kept.length - at), at);
    if (isData) this.dataBytes += piece.length;
    this.#payloadBytes += piece.length;
  }

  #endFrame(): void {
    const [type, flags] = [this.#header[3]!, this.#header[4]!];
    if (type <= TYPE.HEADERS && flags & FLAG.END_STREAM) {
      this.ended = "answered";
    } else if (type === TYPE.RST_STREAM) this.ended ??= "reset";
    else if (type === TYPE.SETTINGS && !(flags & FLAG.ACK)) this.#settle();
    else if (type === TYPE.WINDOW_UPDATE) {
      const credit = new DataView(this.#control.buffer).getUint32(0);
      // The low byte tells stream 0 from the one stream that is open.
      if (this.#header.subarray(5).some((octet) => octet !== 0)) {
        this.#streamWindow += credit;
      } else this.#connectionWindow += credit;
    }
  }

  #settle(): void {
    const view = new DataView(this.#control.buffer);
    const sizeBytes = Math.min(this.#payloadBytes, CONTROL_BYTES);
    for (let at = 0; at + 6 <= sizeBytes; at += 6) {
      if (view.getUint16(at) !== SETTING.INITIAL_WINDOW_SIZE) continue;
      const window = view.getUint32(at + 2);
      this.#streamWindow += window - this.#initialWindow;
      this.#initialWindow = window;
    }
    this.greeted = true;
    this.#owesAck = true;
  }
}
