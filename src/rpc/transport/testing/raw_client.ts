/**
 * A tiny HTTP/2 client for tests: it sends what it is told, polite or not.
 *
 * @module
 */

/** The frame types that tests use. */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
} as const;

const FLAG_END_STREAM = 1;
const FLAG_ACK = 1;
const FLAG_END_HEADERS = 4;
const FRAME_HEADER_BYTES = 9;
const encoder = new TextEncoder();

/** What every HTTP/2 client sends first. */
export const PREFACE: Uint8Array = encoder.encode(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

/** A frame as it was received. */
export interface Frame {
  /** Its type, one of {@linkcode FRAME}. */
  type: number;
  /** Its flags. */
  flags: number;
  /** Its stream, 0 for the connection. */
  streamId: number;
  /** What follows its header. */
  payload: Uint8Array;
}

/**
 * Joins bytes.
 *
 * @param parts What to join.
 * @returns One array.
 */
export function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  let byteLength = 0;
  for (const part of parts) byteLength += part.byteLength;
  const whole = new Uint8Array(byteLength);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/**
 * Makes a frame.
 *
 * @param type Its type.
 * @param flags Its flags.
 * @param streamId Its stream.
 * @param payload What follows the header.
 * @returns The bytes.
 */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  ...payload: Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const body = join(...payload);
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, body.byteLength << 8);
  view.setUint8(3, type);
  view.setUint8(4, flags);
  view.setUint32(5, streamId);
  return join(header, body);
}

/**
 * Makes a SETTINGS frame.
 *
 * @param initialWindowBytes The window of each stream.
 * @returns The bytes.
 */
export function settings(initialWindowBytes = 65_535): Uint8Array<ArrayBuffer> {
  return frame(
    FRAME.SETTINGS,
    0,
    0,
    new Uint8Array([0, 4]),
    uint32(initialWindowBytes),
  );
}

/**
 * Makes a WINDOW_UPDATE frame.
 *
 * @param streamId The stream, 0 for the connection.
 * @param byteLength How much more may come.
 * @returns The bytes.
 */
export function windowUpdate(
  streamId: number,
  byteLength: number,
): Uint8Array<ArrayBuffer> {
  return frame(FRAME.WINDOW_UPDATE, 0, streamId, uint32(byteLength));
}

/**
 * Makes a GOAWAY frame.
 *
 * @param code The error code; 0 is what a polite client sends.
 * @returns The bytes.
 */
export function goaway(code = 0): Uint8Array<ArrayBuffer> {
  return frame(FRAME.GOAWAY, 0, 0, uint32(0), uint32(code));
}

/**
 * Makes an RST_STREAM frame.
 *
 * @param streamId The stream.
 * @returns The bytes.
 */
export function reset(streamId: number): Uint8Array<ArrayBuffer> {
  return frame(FRAME.RST_STREAM, 0, streamId, uint32(8));
}

/**
 * Makes the HEADERS frame of a gRPC call.
 *
 * @param streamId The stream.
 * @param path The method.
 * @returns The bytes.
 */
export function request(
  streamId: number,
  path: string,
): Uint8Array<ArrayBuffer> {
  const fields: [string, string][] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "test"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ];
  // HPACK: each field a literal without indexing, both strings below 127 bytes.
  const block = fields.map(([name, value]) =>
    join(
      new Uint8Array([0, name.length]),
      encoder.encode(name),
      new Uint8Array([value.length]),
      encoder.encode(value),
    )
  );
  return frame(FRAME.HEADERS, FLAG_END_HEADERS, streamId, ...block);
}

/**
 * Makes the DATA frame with a whole gRPC message that ends the request.
 *
 * @param streamId The stream.
 * @param message The message.
 * @returns The bytes.
 */
export function body(
  streamId: number,
  message: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return frame(
    FRAME.DATA,
    FLAG_END_STREAM,
    streamId,
    new Uint8Array([0]),
    uint32(message.byteLength),
    message,
  );
}

/**
 * Makes the two frames of a call that asks the echo service for bytes.
 *
 * @param streamId The stream.
 * @param path The method.
 * @param byteLength How many bytes the reply shall have.
 * @returns The bytes.
 */
export function ask(
  streamId: number,
  path: string,
  byteLength: number,
): Uint8Array<ArrayBuffer> {
  return join(request(streamId, path), body(streamId, uint32(byteLength)));
}

/** A connection that speaks in frames. */
export class RawClient {
  readonly #connection: Deno.TcpConn;
  #buffered = new Uint8Array();

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /**
   * Connects.
   *
   * @param port The port on this host.
   * @returns A client that has sent nothing.
   */
  static async connect(port: number): Promise<RawClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    return new RawClient(connection);
  }

  /**
   * Connects and exchanges SETTINGS with the server.
   *
   * @param port The port on this host.
   * @param windowBytes The window of each stream, and of the connection.
   * @returns A client that is ready to send requests.
   */
  static async open(port: number, windowBytes = 65_535): Promise<RawClient> {
    const client = await RawClient.connect(port);
    await client.send(
      PREFACE,
      settings(windowBytes),
      ...(windowBytes > 65_535 ? [windowUpdate(0, windowBytes - 65_535)] : []),
    );
    // The server's windows count as soon as its SETTINGS are acknowledged.
    await client.next();
    await client.send(frame(FRAME.SETTINGS, FLAG_ACK, 0));
    return client;
  }

  /**
   * Sends bytes in one write.
   *
   * @param parts What to send.
   */
  async send(...parts: Uint8Array[]): Promise<void> {
    let rest = join(...parts);
    while (rest.byteLength > 0) {
      rest = rest.subarray(await this.#connection.write(rest));
    }
  }

  /**
   * Reads a frame.
   *
   * @returns The frame, or `undefined` when the server has closed.
   */
  async next(): Promise<Frame | undefined> {
    while (this.#buffered.byteLength < FRAME_HEADER_BYTES) {
      if (!await this.#fill()) return undefined;
    }
    const view = new DataView(this.#buffered.buffer, this.#buffered.byteOffset);
    const payloadBytes = view.getUint32(0) >>> 8;
    const end = FRAME_HEADER_BYTES + payloadBytes;
    const type = view.getUint8(3);
    const flags = view.getUint8(4);
    const streamId = view.getUint32(5);
    while (this.#buffered.byteLength < end) {
      if (!await this.#fill()) return undefined;
    }
    const payload = this.#buffered.slice(FRAME_HEADER_BYTES, end);
    this.#buffered = this.#buffered.subarray(end);
    return { type, flags, streamId, payload };
  }

  /** Reads frames until the server closes. */
  async *frames(): AsyncGenerator<Frame> {
    for (;;) {
      const received = await this.next();
      if (received === undefined) return;
      yield received;
    }
  }

  /**
   * Reads until a stream has ended.
   *
   * @param streamId The stream.
   * @returns Everything that came on it; frames of other streams are skipped.
   */
  async stream(streamId: number): Promise<Frame[]> {
    const received: Frame[] = [];
    for await (const one of this.frames()) {
      if (one.streamId !== streamId) continue;
      received.push(one);
      const ended = one.type === FRAME.RST_STREAM ||
        (one.type <= FRAME.HEADERS && (one.flags & FLAG_END_STREAM) !== 0);
      if (ended) return received;
    }
    throw new Error(`The server closed before stream ${streamId} ended`);
  }

  /** Waits until the server has answered a PING sent now. */
  async ping(): Promise<void> {
    await this.send(frame(FRAME.PING, 0, 0, new Uint8Array(8)));
    for await (const one of this.frames()) {
      if (one.type === FRAME.PING && (one.flags & FLAG_ACK) !== 0) return;
    }
    throw new Error("The server closed instead of answering a PING");
  }

  /** Closes the socket without a word. */
  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #fill(): Promise<boolean> {
    const chunk = new Uint8Array(64 * 1024);
    let count: number | null;
    try {
      count = await this.#connection.read(chunk);
    } catch (error) {
      // A reset is an end, too: servers drop those who misbehave.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      return false;
    }
    if (count === null) return false;
    this.#buffered = join(this.#buffered, chunk.subarray(0, count));
    return true;
  }
}
