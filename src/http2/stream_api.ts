/**
 * What stands between HTTP/2 and the layer above it.
 *
 * @module
 */

/** Where requests come from: its identity is who shares memory fairly. */
export interface Connection {
  /** `ip:port` of the client. */
  readonly peer: string;
  /** What it stands on: layers above may know more of it. */
  readonly transport?: object | undefined;
}

/** The header list of a request, checked by RFC 9113, 8.1 to 8.3. */
export interface RequestHead {
  /** `:method`. */
  readonly method: string;
  /** `:scheme`. */
  readonly scheme: string;
  /** `:path`. */
  readonly path: string;
  /** `:authority`, if any. */
  readonly authority: string | undefined;
  /**
   * Name, value, name, value: without pseudo-fields, in order; a character is an
   * octet.
   */
  readonly fields: readonly string[];
}

/** Takes a request whose header list is whole. */
export type RequestHandler = (
  stream: ServerStream,
  head: RequestHead,
) => StreamEvents;

/** What the layer above is told of one stream. */
export interface StreamEvents {
  /**
   * A piece of the body. It is a slice of the read buffer, valid only until this
   * returns. Not called once our side has ended.
   */
  data(bytes: Uint8Array): void;
  /** END_STREAM has come. */
  end(): void;
  /**
   * The last event, exactly once. `delivered`: our END_STREAM, and all that was
   * queued before it, was given to the connection's write. Otherwise the stream
   * was reset, or its connection lost, before that.
   */
  closed(delivered: boolean): void;
}

/**
 * The sending side of a stream. Everything is queued by reference, and leaves at
 * the end of the turn. Of a stream that is closed nothing does anything.
 */
export interface ServerStream {
  /** The stream's id. */
  readonly id: number;
  /** Whose stream it is. */
  readonly connection: Connection;
  /** Queues a whole answer: HEADERS, DATA, HEADERS with END_STREAM. */
  respond(
    headers: Uint8Array,
    body: readonly Uint8Array[],
    trailers: Uint8Array,
  ): void;
  /** Queues HEADERS; `endStream`: and nothing after it. */
  headers(block: Uint8Array, endStream?: boolean): void;
  /** Queues DATA; `taken` is called once its last byte was given to write. */
  data(parts: readonly Uint8Array[], taken?: () => void): void;
  /** Queues HEADERS with END_STREAM. */
  trailers(block: Uint8Array): void;
  /** Queues an empty DATA frame with END_STREAM. */
  endData(): void;
  /** Ends the stream at once with RST_STREAM; what is queued is withdrawn. */
  reset(code: number): void;
  /** Lets the client send so many more bytes of the body. */
  allow(bytes: number): void;
}
