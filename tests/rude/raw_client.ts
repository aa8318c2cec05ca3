/**
 * A client that sends what it is told, byte by byte, and reads when it likes.
 *
 * @module
 */

import { within } from "../support/waiting.ts";
import {
  DEFAULT_WINDOW,
  FLAG,
  HEADER_BYTES,
  ping,
  PREFACE,
  SETTING,
  settings,
  SETTINGS_ACK,
  TYPE,
  windowUpdate,
} from "./frames.ts";
import { readHeaderBlock } from "./hpack.ts";
import { join } from "./octets.ts";

/** A frame as it came. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** How a call ended. */
export interface Outcome {
  /** `reset`: with RST_STREAM; `closed`: the connection went first. */
  readonly how: "answered" | "reset" | "closed";
  /** HTTP status, grpc-status and all other fields, trailers included. */
  readonly fields: ReadonlyMap<string, string>;
  /** Bytes of DATA. */
  readonly dataBytes: number;
  /** The error code of RST_STREAM or GOAWAY. */
  readonly code: number | undefined;
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
  /** The error code of the server's GOAWAY, once it came. */
  goawayCode: number | undefined;
  /** Whether the connection was found broken, rather than at its end. */
  wasReset = false;
  /** Whether the server's SETTINGS are acknowledged when they are read. */
  acknowledges = true;
  readonly #connection: Deno.TcpConn;
  #unread = new Uint8Array();

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects and says nothing. */
  static async connect(port: number): Promise<RawClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    return new RawClient(connection);
  }

  /** Connects and sends preface, SETTINGS and the connection's window. */
  static async open(
    port: number,
    { windowBytes = DEFAULT_WINDOW }: { windowBytes?: number } = {},
  ): Promise<RawClient> {
    const client = await RawClient.connect(port);
    await client.send(
      PREFACE,
      settings(
        [SETTING.HEADER_TABLE_SIZE, 0],
        [SETTING.INITIAL_WINDOW_SIZE, windowBytes],
      ),
      ...(windowBytes > DEFAULT_WINDOW
        ? [windowUpdate(0, windowBytes - DEFAULT_WINDOW)]
        : []),
    );
    return client;
  }

  /** Opens, and waits for the server's SETTINGS, whose windows then hold. */
  static async greeted(
    port: number,
    options: { windowBytes?: number } = {},
  ): Promise<RawClient> {
    const client = await RawClient.open(port, options);
    await within(client.next(), "the server's SETTINGS");
    return client;
  }

  /** Sends bytes; false: the server has gone, or goes while we send. */
  async send(...parts: readonly Uint8Array[]): Promise<boolean> {
    let rest = join(...parts);
    try {
      while (rest.length > 0) {
        rest = rest.subarray(await this.#connection.write(rest));
      }
    } catch (error) {
      if (!isGone(error)) throw error;
      this.wasReset = true;
      return false;
    }
    return true;
  }

  /** The next frame; `undefined`: the server has closed. Acknowledges SETTINGS. */
  async next(): Promise<Frame | undefined> {
    while (this.#unread.length < HEADER_BYTES) {
      if (!await this.#fill()) return undefined;
    }
    const view = new DataView(this.#unread.buffer, this.#unread.byteOffset);
    const end = HEADER_BYTES + (view.getUint32(0) >>> 8);
    const [type, flags] = [view.getUint8(3), view.getUint8(4)];
    const stream = view.getUint32(5);
    while (this.#unread.length < end) {
      if (!await this.#fill()) return undefined;
    }
    const payload = this.#unread.slice(HEADER_BYTES, end);
    this.#unread = this.#unread.subarray(end);
    if (this.acknowledges && type === TYPE.SETTINGS && !(flags & FLAG.ACK)) {
      await this.send(SETTINGS_ACK);
    }
    if (type === TYPE.GOAWAY && payload.length >= 8) {
      this.goawayCode = new DataView(payload.buffer).getUint32(4);
    }
    return { type, flags, stream, payload };
  }

  /** Reads until a frame is accepted; `undefined`: the server has closed. */
  async until(accept: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined || accept(frame)) return frame;
    }
  }

  /** Reads until a call has ended; frames of others are dropped. */
  outcome(stream: number): Promise<Outcome> {
    return within(this.#outcome(stream), `the end of stream ${stream}`);
  }

  async #outcome(stream: number): Promise<Outcome> {
    const fields = new Map<string, string>();
    let dataBytes = 0;
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) {
        return { how: "closed", fields, dataBytes, code: this.goawayCode };
      }
      const { type, flags, payload } = frame;
      if (frame.stream !== stream) continue;
      if (type === TYPE.RST_STREAM) {
        const code = new DataView(payload.buffer).getUint32(0);
        return { how: "reset", fields, dataBytes, code };
      }
      if (type === TYPE.DATA) dataBytes += payload.length;
      if (type === TYPE.HEADERS) {
        for (const one of readHeaderBlock(payload)) fields.set(...one);
      }
      if (type <= TYPE.HEADERS && (flags & FLAG.END_STREAM)) {
        return { how: "answered", fields, dataBytes, code: undefined };
      }
    }
  }

  /** Reads until the server closes; the error code of its GOAWAY. */
  async closed(): Promise<number | undefined> {
    await within(this.until(() => false), "the end of the connection");
    return this.goawayCode;
  }

  /** Reads until the server closes: its bytes, whatever they are. */
  async words(): Promise<Uint8Array> {
    const reading = async () => {
      while (await this.#fill());
    };
    await within(reading(), "the server's last words");
    return this.#unread;
  }

  /** Whether the server answers a PING, rather than closing. */
  async answersPing(): Promise<boolean> {
    await this.send(ping());
    const acknowledged = this.until(({ type, flags }) =>
      type === TYPE.PING && (flags & FLAG.ACK) !== 0
    );
    return await within(acknowledged, "the answer to a PING") !== undefined;
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

  /** Closes the socket without a word. */
  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It is closed already.
    }
  }

  async #fill(): Promise<boolean> {
    const chunk = new Uint8Array(64 * 1024);
    let count: number | null;
    try {
      count = await this.#connection.read(chunk);
    } catch (error) {
      if (!isGone(error)) throw error;
      this.wasReset = true;
      return false;
    }
    if (count === null) return false;
    const piece = chunk.subarray(0, count);
    this.#unread = this.#unread.length === 0
      ? piece
      : join(this.#unread, piece) as Uint8Array<ArrayBuffer>;
    return true;
  }
}
