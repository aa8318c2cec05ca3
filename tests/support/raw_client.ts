/**
 * A client that sends what it is told, byte by byte, and reads when it likes.
 * What it keeps of replies is bounded, so that it can be the load on the
 * server's own machine, and costs that little.
 *
 * @module
 */

import { ErrorCode } from "../../src/http2/error_codes.ts";
import { FrameReader } from "../../src/http2/frame_reader.ts";
import { Flag, FrameType } from "../../src/http2/frames.ts";
import { INITIAL_WINDOW_BYTES } from "../../src/http2/limits.ts";
import { Setting } from "../../src/http2/settings.ts";
import {
  goaway,
  ping,
  PREFACE,
  settings,
  settingsAck,
  windowUpdate,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { type Frame, type Outcome, Received } from "./received.ts";
import { within } from "./waiting.ts";

export type { Frame, Outcome };

/** One read leaves something: who resets a connection needs bytes unread. */
const BUFFER_BYTES = 64 * 1024;
/** Buffers of connections that have closed. */
const buffers: Uint8Array<ArrayBuffer>[] = [];

/** How a connection begins. */
export interface Opening {
  /** What each stream, and the connection, may be sent. */
  readonly windowBytes?: number;
  /** After so long it is closed, whatever it does. */
  readonly limitMs?: number;
}

/** What a client says first. */
export function greeting(windowBytes = INITIAL_WINDOW_BYTES): Uint8Array {
  const greets = [
    PREFACE,
    settings(
      [Setting.HEADER_TABLE_SIZE, 0],
      [Setting.INITIAL_WINDOW_SIZE, windowBytes],
    ),
  ];
  const more = windowBytes - INITIAL_WINDOW_BYTES;
  if (more > 0) greets.push(windowUpdate(0, more));
  return join(...greets);
}

/** The errors of a peer that has gone: what rude clients must expect. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.NotConnected;
}

/** One connection. */
export class RawClient implements Disposable {
  /** Whether the connection was found broken, rather than at its end. */
  wasReset = false;
  /** Whether the server's SETTINGS are acknowledged when they are read. */
  acknowledges = true;
  /** What has been read. */
  readonly received = new Received();
  readonly #connection: Deno.TcpConn;
  readonly #reader = new FrameReader(this.received);
  readonly #buffer = buffers.pop() ?? new Uint8Array(BUFFER_BYTES);
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  /** The read that is under way, for all who wait for it. */
  #reading: Promise<boolean> | undefined;
  #isClosed = false;

  private constructor(connection: Deno.TcpConn, limitMs: number | undefined) {
    this.#connection = connection;
    if (limitMs !== undefined) {
      this.#timer = setTimeout(() => this[Symbol.dispose](), limitMs);
    }
  }

  /** Connects and says nothing. */
  static async connect(
    port: number,
    { limitMs }: Opening = {},
  ): Promise<RawClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    return new RawClient(connection, limitMs);
  }

  /** Connects and sends preface, SETTINGS and the connection's window. */
  static async open(port: number, opening: Opening = {}): Promise<RawClient> {
    const client = await RawClient.connect(port, opening);
    await client.send(greeting(opening.windowBytes));
    return client;
  }

  /** Opens, and waits for the server's SETTINGS, whose windows then hold. */
  static async greeted(
    port: number,
    opening: Opening = {},
  ): Promise<RawClient> {
    const client = await RawClient.open(port, opening);
    await within(client.next(), "the server's SETTINGS");
    return client;
  }

  /** The error code of the server's GOAWAY, once it was read. */
  get goawayCode(): number | undefined {
    return this.received.goawayCode;
  }

  /** Sends bytes; false: the server has gone, or goes while we send. */
  async send(...parts: readonly Uint8Array[]): Promise<boolean> {
    const whole = parts.length === 1 ? parts[0]! : join(...parts);
    try {
      for (let at = 0; at < whole.length;) {
        at += await this.#connection.write(whole.subarray(at));
      }
    } catch (error) {
      if (!isGone(error)) throw error;
      this.wasReset = true;
      return false;
    }
    return true;
  }

  /** Sends DATA frames that carry so much; the caller looks at the window. */
  sendData(
    stream: number,
    frames: Uint8Array,
    carriedBytes: number,
  ): Promise<boolean> {
    this.received.useWindow(stream, carriedBytes);
    return this.send(frames);
  }

  /** The next frame; `undefined`: the server has closed. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.received.frames.shift();
      if (frame) return frame;
      if (!await this.read()) return undefined;
    }
  }

  /** Reads until a frame is accepted; `undefined`: the server has closed. */
  async until(accept: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined || accept(frame)) return frame;
    }
  }

  /** Reads until a call has ended; frames that nobody asked for are dropped. */
  outcome(stream: number): Promise<Outcome> {
    return within(this.#outcome(stream), `the end of stream ${stream}`);
  }

  async #outcome(stream: number): Promise<Outcome> {
    for (;;) {
      this.received.frames.length = 0;
      const outcome = this.received.outcome(stream);
      if (outcome.how !== "closed") {
        this.received.forget(stream);
        return outcome;
      }
      if (!await this.read()) return outcome;
    }
  }

  /** Reads until the server closes; the error code of its GOAWAY. */
  async closed(): Promise<number | undefined> {
    await within(this.until(() => false), "the end of the connection");
    return this.goawayCode;
  }

  /** Reads until the server closes: its bytes, whatever they are. */
  async words(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    const reading = async () => {
      for (let piece; (piece = await this.#fill()) !== undefined;) {
        pieces.push(piece.slice());
      }
    };
    await within(reading(), "the server's last words");
    return join(...pieces);
  }

  /** Whether the server answers a PING, rather than closing. */
  async answersPing(): Promise<boolean> {
    await this.send(ping());
    const acknowledged = this.until(({ type, flags }) =>
      type === FrameType.PING && (flags & Flag.ACK) !== 0
    );
    return await within(acknowledged, "the answer to a PING") !== undefined;
  }

  /** Reads what there is; false: the server has closed. Acknowledges SETTINGS. */
  read(): Promise<boolean> {
    return this.#reading ??= this.#read().finally(() =>
      this.#reading = undefined
    );
  }

  async #read(): Promise<boolean> {
    const { received } = this;
    const settled = received.settled;
    const piece = await this.#fill();
    if (piece === undefined) return false;
    for (let at = 0; at < piece.length;) at = this.#reader.take(piece, at);
    for (let owed = received.settled - settled; owed > 0; owed--) {
      if (this.acknowledges) await this.send(settingsAck());
    }
    return true;
  }

  async #fill(): Promise<Uint8Array | undefined> {
    try {
      const count = await this.#connection.read(this.#buffer);
      return count === null ? undefined : this.#buffer.subarray(0, count);
    } catch (error) {
      if (!isGone(error)) throw error;
      this.wasReset = true;
      return undefined;
    }
  }

  /** Ends our half of the connection. */
  async finish(): Promise<void> {
    await this.#connection.closeWrite().catch(() => {});
  }

  /** Ends the connection with RST: that is how Linux closes on unread bytes. */
  async abort(): Promise<void> {
    await within(this.#connection.read(new Uint8Array(1)), "a first byte")
      .catch(() => {});
    this[Symbol.dispose]();
  }

  /** Leaves as polite clients do. */
  async goodbye(): Promise<void> {
    await this.send(goaway(ErrorCode.NO_ERROR));
    this[Symbol.dispose]();
  }

  /** Closes the socket without a word; with bytes unread, the server sees a reset. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    try {
      this.#connection.close();
    } catch {
      // It is closed already.
    }
    // A read that is under way still has the buffer.
    void (this.#reading ?? Promise.resolve()).catch(() => {}).then(() =>
      buffers.push(this.#buffer)
    );
  }
}
