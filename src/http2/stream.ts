/**
 * One stream: what it may send and receive, and what is queued for it.
 *
 * @module
 */

import {
  MAX_FRAME_BYTES,
  MAX_HEADER_BLOCK_BYTES,
  TINY_FRAME_BYTES,
} from "./limits.ts";
import { FRAME_HEADER_BYTES } from "./frames.ts";
import type { FrameWriter } from "./frame_writer.ts";
import { ReplyBody } from "./reply_body.ts";
import type { Connection, ServerStream, StreamEvents } from "./stream_api.ts";

/** What a stream needs of its connection. */
export interface StreamHost extends Connection {
  /** The time of this turn. */
  readonly turnMs: number;
  /** The stream has something to send. */
  enqueue(stream: Stream): void;
  /** Ends the stream by RST_STREAM. */
  resetStream(stream: Stream, code: number): void;
  /** Gives the client more of the stream's window. */
  allowStream(stream: Stream, bytes: number): void;
  /** DATA was sent, as much as the client could have been sent. */
  dataMoved(): void;
}

/** What became of a stream's turn to send. */
export type Outcome =
  /** Nothing is queued. */
  | "idle"
  /** It goes on in its next turn. */
  | "more"
  /** The buffer is full. */
  | "no room"
  /** The stream's window is used up. */
  | "stream blocked"
  /** The connection's window is used up. */
  | "connection blocked"
  /** END_STREAM is in the buffer. */
  | "ended";

/** Less than this is not begun at the end of a buffer. */
const MIN_PIECE_BYTES = 1_024;

const NO_EVENTS: StreamEvents = { data() {}, end() {}, closed() {} };

type Ending = "open" | "trailers" | "data" | "headers";

/** A stream that the client opened. */
export class Stream implements ServerStream {
  readonly id: number;
  readonly connection: StreamHost;
  /** Who is told of it. */
  events: StreamEvents = NO_EVENTS;
  /** What the client takes of DATA; negative when it lowers its settings. */
  sendWindow: number;
  /** What the client may send. */
  receiveWindow: number;
  /** Whether the client was given more than a stream begins with. */
  isGranted = false;
  /** What `content-length` says is still to come; negative: it says nothing. */
  bodyLeft = -1;
  /** END_STREAM of the client has come. */
  remoteEnded = false;
  /** Our END_STREAM was given to write. */
  localEnded = false;
  /** Closed for whoever is above: nothing does anything any more. */
  isGone = false;
  /** Whether it is in the order of those that send. */
  isReady = false;
  /** When something of its request came last. */
  arrivedMs: number;
  /**
   * When something of its reply left last, or was queued after nothing was; 0:
   * nothing is queued.
   */
  movedMs = 0;
  /** When our END_STREAM was given to write. */
  answeredMs = 0;
  #head: Uint8Array | undefined;
  readonly #body = new ReplyBody();
  #trailers: Uint8Array | undefined;
  #ending: Ending = "open";

  /** Opened by HEADERS. */
  constructor(
    id: number,
    connection: StreamHost,
    windows: { readonly send: number; readonly receive: number },
  ) {
    this.id = id;
    this.connection = connection;
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
    this.arrivedMs = connection.turnMs;
  }

  /** Whether something waits to be sent. */
  get hasOutput(): boolean {
    return this.#head !== undefined || this.#body.bytes > 0 ||
      this.#body.hasMarks || this.#ending !== "open";
  }

  /** About how many bytes wait to be sent. */
  get waitingBytes(): number {
    return (this.#head?.length ?? 0) + this.#body.bytes +
      (this.#trailers?.length ?? 0) + 3 * FRAME_HEADER_BYTES;
  }

  respond(
    headers: Uint8Array,
    body: readonly Uint8Array[],
    trailers: Uint8Array,
  ): void {
    checkBlock(headers);
    checkBlock(trailers);
    if (this.isGone || this.#ending !== "open") return;
    this.#head = headers;
    this.#body.push(body);
    this.#trailers = trailers;
    this.#end("trailers");
  }

  headers(block: Uint8Array, endStream = false): void {
    checkBlock(block);
    if (this.isGone || this.#ending !== "open") return;
    this.#head = block;
    if (endStream) this.#end("headers");
    else this.#enqueue();
  }

  data(parts: readonly Uint8Array[], taken?: () => void): void {
    if (this.isGone || this.#ending !== "open") return;
    this.#body.push(parts);
    if (taken) this.#body.mark(taken);
    this.#enqueue();
  }

  trailers(block: Uint8Array): void {
    checkBlock(block);
    if (this.isGone || this.#ending !== "open") return;
    this.#trailers = block;
    this.#end("trailers");
  }

  endData(): void {
    if (this.isGone || this.#ending !== "open") return;
    this.#end("data");
  }

  reset(code: number): void {
    if (this.isGone || this.localEnded) return;
    this.connection.resetStream(this, code);
  }

  allow(bytes: number): void {
    if (!this.isGone) this.connection.allowStream(this, bytes);
  }

  /** Takes its turn: headers, one DATA frame, and the end where it is due. */
  emit(writer: FrameWriter): Outcome {
    if (this.#head !== undefined) {
      const isEnd = this.#ending === "headers";
      if (!writer.headers(this.id, this.#head, isEnd)) return "no room";
      this.#head = undefined;
      this.movedMs = this.connection.turnMs;
      if (isEnd) return "ended";
    }
    if (this.#body.bytes > 0) {
      const outcome = this.#emitData(writer);
      if (outcome !== "idle") return outcome;
    }
    this.#tellTaken(writer);
    if (this.#ending === "trailers") {
      return writer.headers(this.id, this.#trailers!, true)
        ? "ended"
        : "no room";
    }
    if (this.#ending === "data") {
      return writer.emptyData(this.id) ? "ended" : "no room";
    }
    this.movedMs = 0;
    return "idle";
  }

  /** Forgets what is queued. */
  withdraw(): void {
    this.#head = this.#trailers = undefined;
    this.#body.withdraw();
  }

  #emitData(writer: FrameWriter): Outcome {
    const window = Math.min(this.sendWindow, writer.window);
    if (window <= 0) {
      return this.sendWindow <= 0 ? "stream blocked" : "connection blocked";
    }
    const wanted = Math.min(this.#body.bytes, window, MAX_FRAME_BYTES);
    const size = Math.min(wanted, writer.room - FRAME_HEADER_BYTES);
    if (size < Math.min(wanted, MIN_PIECE_BYTES)) return "no room";
    writer.beginData(this.id, size);
    this.#body.copyInto(writer, size);
    this.sendWindow -= size;
    this.movedMs = this.connection.turnMs;
    // A window that is opened byte by byte is no progress.
    const isRest = this.#body.bytes === 0;
    if (isRest || size >= TINY_FRAME_BYTES) this.connection.dataMoved();
    if (isRest) return "idle";
    this.#tellTaken(writer);
    return "more";
  }

  #tellTaken(writer: FrameWriter): void {
    // What was told before may have reset the stream.
    if (this.#body.hasMarks) this.#body.tellTaken(writer, () => this.isGone);
  }

  #end(ending: Ending): void {
    this.#ending = ending;
    this.#enqueue();
  }

  #enqueue(): void {
    if (this.isReady) return;
    // A stream whose window is used up has not moved since then.
    this.movedMs ||= this.connection.turnMs;
    this.connection.enqueue(this);
  }
}

function checkBlock(block: Uint8Array): void {
  if (block.length <= MAX_HEADER_BLOCK_BYTES) return;
  throw new RangeError(
    `Cannot send a header block of ${block.length} bytes: keep it within ` +
      `${MAX_HEADER_BLOCK_BYTES}`,
  );
}
