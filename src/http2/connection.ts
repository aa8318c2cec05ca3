/**
 * One connection, without input or output: bytes go in, calls come out, and
 * bytes to send. Every rule is here or in a file it calls; whoever has a socket
 * is in `served_connection.ts`.
 *
 * @module
 */

import { Account } from "./abuse.ts";
import { ClosedStreams } from "./closed_streams.ts";
import { ConnectionError, ErrorCode } from "./error_codes.ts";
import { FrameReader, type FrameSink } from "./frame_reader.ts";
import { Flag, FrameType, readUint31, readUint32 } from "./frames.ts";
import { Goodbye } from "./goodbye.ts";
import { type HeaderBlock, HeaderBlocks } from "./header_block.ts";
import {
  encodeHeaders,
  encodeTableSizeUpdate,
  HpackDecoder,
  HpackError,
} from "./hpack/mod.ts";
import {
  CONNECTION_WINDOW_BYTES,
  CONNECTION_WINDOW_STEP_BYTES,
  FRAME_COST,
  FRAMES_PER_LOOK,
  FRAMES_PER_TURN,
  INITIAL_WINDOW_BYTES,
  MAX_CONTROL_BYTES,
  MAX_DECODED_HEADER_BYTES,
  MAX_HEADER_LIST_BYTES,
  MAX_WINDOW_BYTES,
  RESET_COST,
  TURN_MS,
} from "./limits.ts";
import { Output } from "./output.ts";
import { HTTP_1_ANSWER, Preface } from "./preface.ts";
import { HeadBuilder } from "./request_head.ts";
import { PeerSettings, Setting } from "./settings.ts";
import { Stream, type StreamHost } from "./stream.ts";
import type { RequestHandler } from "./stream_api.ts";

/** What a connection is made with. */
export interface ConnectionOptions {
  /** `ip:port` of the client. */
  readonly peer: string;
  /** Takes the requests. */
  readonly handler: RequestHandler;
  /** Streams that may be open at once. */
  readonly maxStreams: number;
  /** The time, in milliseconds, on a clock that only goes forward. */
  readonly nowMs: () => number;
  /** There is something to send, though no bytes came. */
  readonly onOutput: () => void;
  /** Takes what was thrown above: an error of ours. */
  readonly onError: (error: unknown) => void;
}

const TOO_LARGE = encodeHeaders([[":status", "431"]]);
const NO_SINK = { header() {} };

/** The server's side of one connection. */
export class Http2Connection implements StreamHost, FrameSink {
  readonly peer: string;
  /** The time of this turn: whoever drives the connection sets it. */
  turnMs: number;
  /** Since when the client's SETTINGS, or their acknowledgement, are awaited. */
  readonly openedMs: number;
  /** The client has sent its SETTINGS … */
  hasSettings = false;
  /** … and has acknowledged ours. */
  isAcknowledged = false;
  /** An answer to our PING, or any byte, clears it. */
  pingedMs: number | undefined;
  readonly #options: ConnectionOptions;
  readonly #streams = new Map<number, Stream>();
  readonly #closed = new ClosedStreams();
  readonly #account: Account;
  readonly #output: Output;
  readonly #goodbye: Goodbye;
  readonly #peerSettings = new PeerSettings();
  readonly #blocks = new HeaderBlocks();
  readonly #reader = new FrameReader(this);
  readonly #decoder = new HpackDecoder({
    maxListBytes: MAX_HEADER_LIST_BYTES,
    maxDecodedBytes: MAX_DECODED_HEADER_BYTES,
  });
  #preface: Preface | undefined = new Preface();
  /** What the client may still send, all streams together. */
  #receiveWindow = CONNECTION_WINDOW_BYTES;
  /** What it has sent, and was not given back yet. */
  #receivedBytes = 0;
  /** Of the DATA frame that is being read; none if its stream is gone. */
  #dataStream: Stream | undefined;
  #isReceiving = false;
  #isFailed = false;
  #isLost = false;

  /** Sends its SETTINGS first. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.turnMs = this.openedMs = options.nowMs();
    this.#account = new Account(this.turnMs);
    this.#output = new Output((stream) => this.#answered(stream));
    const { control } = this.#output;
    this.#goodbye = new Goodbye(control);
    control.settings([
      [Setting.MAX_CONCURRENT_STREAMS, options.maxStreams],
      [Setting.MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST_BYTES],
    ]);
    control.windowUpdate(0, CONNECTION_WINDOW_BYTES - INITIAL_WINDOW_BYTES);
  }

  /** The open streams. */
  get streams(): ReadonlyMap<number, Stream> {
    return this.#streams;
  }

  /** Whether something can be sent now. */
  get hasOutput(): boolean {
    return this.#output.hasSome;
  }

  /** Whether it is to be closed once everything has been sent. */
  get isOver(): boolean {
    return this.#isFailed ||
      (this.#goodbye.isFinal && this.#streams.size === 0);
  }

  /** About how many bytes can be sent now; no more than asked for. */
  waitingBytes(most: number): number {
    return this.#output.waitingBytes(most);
  }

  /**
   * Takes bytes of the client: at most a turn's worth.
   *
   * @returns How many; with the rest others go first.
   */
  receive(bytes: Uint8Array): number {
    if (this.#isFailed || this.#isLost) return bytes.length;
    this.#isReceiving = true;
    try {
      return this.#receive(bytes);
    } catch (error) {
      this.#fail(error);
      return bytes.length;
    } finally {
      this.#isReceiving = false;
    }
  }

  /** Fills a buffer with what is to be sent; gives how much of it. */
  fill(out: Uint8Array): number {
    const before = this.#output.window;
    const filled = this.#output.fill(out);
    this.#account.moved(before - this.#output.window);
    return filled;
  }

  /** The buffer was given to write: whoever waits for that is told. */
  written(): void {
    this.#guard(() => this.#output.written());
  }

  /** The connection is lost: every stream ends. */
  lost(): void {
    this.#isLost = true;
    this.#closeAll();
  }

  /** Says goodbye, and takes no new streams; those that are open go on. */
  goAway(): void {
    if (this.#isFailed || this.#isLost) return;
    this.#goodbye.begin(this.turnMs);
    this.#wake();
  }

  /** Says why, and takes nothing more; every stream ends. */
  drop(code: number, reason: string): void {
    this.#fail(new ConnectionError(code, reason));
    this.#wake();
  }

  /** Asks whether the client is still there. */
  ping(): void {
    this.pingedMs = this.turnMs;
    this.#output.control.ping(new Uint8Array(8), false);
    this.#wake();
  }

  /** Goes on with the goodbye when the client does not answer. */
  hurryGoodbye(nowMs: number): void {
    if (this.#goodbye.isOverdue(nowMs)) this.#sayGoodbye();
  }

  /** {@inheritDoc StreamHost.enqueue} */
  enqueue(stream: Stream): void {
    this.#output.enqueue(stream);
    this.#wake();
  }

  /** {@inheritDoc StreamHost.resetStream} */
  resetStream(stream: Stream, code: number): void {
    this.#output.control.reset(stream.id, code);
    this.#closed.reset(stream.id);
    this.#close(stream, false);
    this.#wake();
  }

  /** {@inheritDoc StreamHost.allowStream} */
  allowStream(stream: Stream, bytes: number): void {
    if (stream.remoteEnded || stream.localEnded || bytes <= 0) return;
    stream.receiveWindow += bytes;
    stream.isGranted = true;
    this.#output.control.windowUpdate(stream.id, bytes);
    this.#wake();
  }

  #receive(bytes: Uint8Array): number {
    let at = 0;
    if (this.#preface) {
      const { opening, at: next } = this.#preface.take(bytes);
      at = next;
      if (opening === "unknown") return at;
      if (opening !== "http2") return this.#refuseOpening(opening, bytes);
      this.#preface = undefined;
    }
    const startMs = this.turnMs;
    for (let frames = 1; at < bytes.length; frames++) {
      at = this.#reader.take(bytes, at);
      if (this.#isFailed) return bytes.length;
      if (frames % FRAMES_PER_LOOK !== 0) continue;
      if (frames >= FRAMES_PER_TURN) break;
      if (this.#options.nowMs() - startMs >= TURN_MS) break;
    }
    if (this.#receivedBytes >= CONNECTION_WINDOW_STEP_BYTES) {
      this.#output.control.windowUpdate(0, this.#receivedBytes);
      this.#receiveWindow += this.#receivedBytes;
      this.#receivedBytes = 0;
    }
    if (this.#output.control.waitingBytes > MAX_CONTROL_BYTES) {
      throw new ConnectionError(
        ErrorCode.ENHANCE_YOUR_CALM,
        "too many answers that are not read",
      );
    }
    return at;
  }

  #refuseOpening(opening: string, bytes: Uint8Array): number {
    if (opening === "other") {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "this is no HTTP/2");
    }
    // Neither understands a frame.
    this.#output.control.moveInto(new Uint8Array(MAX_CONTROL_BYTES), 0);
    if (opening === "http1") this.#output.control.raw(HTTP_1_ANSWER);
    this.#isFailed = true;
    return bytes.length;
  }

  /** {@inheritDoc FrameSink.frame} */
  frame(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
  ): void {
    if (!this.hasSettings && type !== FrameType.SETTINGS) {
      protocolError("the first frame has to be SETTINGS");
    }
    if (this.#blocks.isOpen && type !== FrameType.CONTINUATION) {
      protocolError("a header block was broken off");
    }
    switch (type) {
      case FrameType.HEADERS: {
        if (streamId % 2 === 0) protocolError(`HEADERS on stream ${streamId}`);
        const block = this.#blocks.headers(streamId, flags, payload);
        if (block) this.#headers(block);
        break;
      }
      case FrameType.CONTINUATION: {
        const block = this.#blocks.continuation(streamId, flags, payload);
        if (block) this.#headers(block);
        break;
      }
      case FrameType.PRIORITY:
        this.#priority(streamId, payload);
        break;
      case FrameType.RST_STREAM:
        this.#reset(streamId, payload);
        break;
      case FrameType.SETTINGS:
        this.#settings(flags, streamId, payload);
        break;
      case FrameType.PING:
        this.#pinged(flags, streamId, payload);
        break;
      case FrameType.GOAWAY:
        this.#goneAway(streamId, payload);
        break;
      case FrameType.WINDOW_UPDATE:
        this.#windowUpdate(streamId, payload);
        break;
      case FrameType.PUSH_PROMISE:
        protocolError("PUSH_PROMISE of a client");
        break;
      default:
        this.#pay(FRAME_COST, `frames of type ${type}`);
    }
  }

  /** {@inheritDoc FrameSink.dataBegins} */
  dataBegins(streamId: number, length: number): void {
    if (!this.hasSettings) protocolError("the first frame has to be SETTINGS");
    if (this.#blocks.isOpen) protocolError("a header block was broken off");
    this.#receiveWindow -= length;
    this.#receivedBytes += length;
    if (this.#receiveWindow < 0) {
      throw new ConnectionError(
        ErrorCode.FLOW_CONTROL_ERROR,
        "more DATA than the connection's window",
      );
    }
    this.#account.dataCame(length);
    const stream = this.#streams.get(streamId);
    this.#dataStream = undefined;
    if (!stream) return this.#strayFrame(streamId, "DATA");
    if (stream.remoteEnded) {
      return this.#streamError(stream, ErrorCode.STREAM_CLOSED);
    }
    stream.receiveWindow -= length;
    stream.arrivedMs = this.turnMs;
    if (stream.receiveWindow < 0) {
      return this.#streamError(stream, ErrorCode.FLOW_CONTROL_ERROR);
    }
    this.#dataStream = stream;
  }

  /** {@inheritDoc FrameSink.dataPiece} */
  dataPiece(bytes: Uint8Array): void {
    const stream = this.#dataStream;
    if (!stream || stream.isGone && !stream.localEnded) return;
    if (stream.bodyLeft >= 0) {
      stream.bodyLeft -= bytes.length;
      if (stream.bodyLeft < 0) {
        this.#dataStream = undefined;
        return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR);
      }
    }
    // Of a call that was answered already the rest is checked, and left.
    if (!stream.localEnded) stream.events.data(bytes);
  }

  /** {@inheritDoc FrameSink.dataEnds} */
  dataEnds(flags: number, paddingBytes: number): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (!stream || !this.#streams.has(stream.id)) return;
    if (flags & Flag.END_STREAM) this.#ended(stream);
    else if (paddingBytes > 0) this.#returnPadding(stream, paddingBytes);
  }

  #returnPadding(stream: Stream, bytes: number): void {
    if (stream.localEnded) return;
    stream.receiveWindow += bytes;
    this.#output.control.windowUpdate(stream.id, bytes);
  }

  #headers(block: HeaderBlock): void {
    const stream = this.#streams.get(block.streamId);
    if (stream) return this.#trailers(stream, block);
    const { streamId } = block;
    if (this.#closed.fateOf(streamId) !== "idle") {
      // The table has to stay in step, whatever becomes of the stream.
      this.#decode(block.bytes, NO_SINK);
      return this.#strayFrame(streamId, "HEADERS");
    }
    this.#closed.opened(streamId);
    this.#goodbye.opened(streamId, this.turnMs);
    if (this.#isRefused()) {
      this.#decode(block.bytes, NO_SINK);
      return this.#refuse(streamId, ErrorCode.REFUSED_STREAM);
    }
    const builder = new HeadBuilder(false);
    const isTooLarge = this.#decode(block.bytes, builder);
    if (isTooLarge) return this.#answerTooLarge(block);
    const head = builder.finish();
    if (!head || block.dependsOnItself) {
      return this.#refuse(streamId, ErrorCode.PROTOCOL_ERROR);
    }
    const created = this.#open(streamId);
    created.bodyLeft = builder.contentLength ?? -1;
    const events = this.#options.handler(created, head);
    // It may have been refused at once.
    if (created.isGone) return events.closed(false);
    created.events = events;
    if (block.endStream) this.#ended(created);
  }

  #open(streamId: number): Stream {
    const stream = new Stream(streamId, this, {
      send: this.#peerSettings.initialWindowBytes,
      receive: INITIAL_WINDOW_BYTES,
    });
    this.#streams.set(streamId, stream);
    this.#account.callBegan();
    return stream;
  }

  #isRefused(): boolean {
    return this.#streams.size >= this.#options.maxStreams ||
      this.#goodbye.isFinal;
  }

  /** Of a stream that was never told to anybody. */
  #refuse(streamId: number, code: number): void {
    this.#output.control.reset(streamId, code);
    this.#closed.reset(streamId);
    // Before it knows our limit a client cannot keep it.
    const isInnocent = code === ErrorCode.REFUSED_STREAM &&
      !this.isAcknowledged;
    if (!isInnocent) this.#pay(RESET_COST, "refused streams");
  }

  #answerTooLarge(block: HeaderBlock): void {
    const stream = this.#open(block.streamId);
    stream.headers(TOO_LARGE, true);
    this.#pay(RESET_COST, "header lists that are too large");
    if (block.endStream) this.#ended(stream);
  }

  #trailers(stream: Stream, block: HeaderBlock): void {
    const builder = new HeadBuilder(true);
    const isTooLarge = this.#decode(block.bytes, builder);
    if (stream.remoteEnded) {
      return this.#streamError(stream, ErrorCode.STREAM_CLOSED);
    }
    const isWrong = !block.endStream || isTooLarge ||
      builder.malformed !== undefined || block.dependsOnItself;
    if (isWrong) return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR);
    this.#ended(stream);
  }

  #decode(
    bytes: Uint8Array,
    sink: { header(name: string, value: string): void },
  ): boolean {
    try {
      return this.#decoder.decode(bytes, sink);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      throw new ConnectionError(ErrorCode.COMPRESSION_ERROR, error.message);
    }
  }

  #ended(stream: Stream): void {
    if (stream.bodyLeft > 0) {
      return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR);
    }
    stream.remoteEnded = true;
    if (stream.localEnded) this.#forget(stream);
    else stream.events.end();
  }

  /** A frame for a stream that is not open. */
  #strayFrame(streamId: number, what: string): void {
    switch (this.#closed.fateOf(streamId)) {
      case "reset by us":
        return this.#pay(FRAME_COST, `${what} after a reset`);
      case "closed":
        throw new ConnectionError(
          ErrorCode.STREAM_CLOSED,
          `${what} on stream ${streamId}, which is closed`,
        );
      default:
        protocolError(`${what} on stream ${streamId}, which is not open`);
    }
  }

  #streamError(stream: Stream, code: number): void {
    this.#pay(RESET_COST, "stream errors");
    this.resetStream(stream, code);
  }

  #priority(streamId: number, payload: Uint8Array): void {
    if (streamId === 0) protocolError("PRIORITY on stream 0");
    this.#pay(FRAME_COST, "PRIORITY");
    const stream = this.#streams.get(streamId);
    const isShort = payload.length !== 5;
    if (!isShort && readUint31(payload, 0) !== streamId) return;
    const code = isShort
      ? ErrorCode.FRAME_SIZE_ERROR
      : ErrorCode.PROTOCOL_ERROR;
    if (!stream) throw new ConnectionError(code, "a malformed PRIORITY");
    this.#streamError(stream, code);
  }

  #reset(streamId: number, payload: Uint8Array): void {
    checkLength("RST_STREAM", payload, 4);
    const stream = this.#streams.get(streamId);
    if (!stream) {
      const fate = this.#closed.fateOf(streamId);
      if (fate === "idle") protocolError(`RST_STREAM on stream ${streamId}`);
      return this.#pay(FRAME_COST, "RST_STREAM of closed streams");
    }
    if (!stream.localEnded) this.#pay(RESET_COST, "resets");
    this.#close(stream, false);
  }

  #settings(flags: number, streamId: number, payload: Uint8Array): void {
    if (streamId !== 0) protocolError(`SETTINGS on stream ${streamId}`);
    if (flags & Flag.ACK) {
      checkLength("acknowledged SETTINGS", payload, 0);
      if (!this.hasSettings) {
        protocolError("the first frame has to be SETTINGS");
      }
      this.isAcknowledged = true;
      return;
    }
    if (this.hasSettings) this.#pay(FRAME_COST, "SETTINGS");
    const settings = this.#peerSettings;
    const before = settings.initialWindowBytes;
    const hadSmallTable = settings.hasSmallTable;
    settings.take(payload);
    this.hasSettings = true;
    this.#output.control.settingsAck();
    if (settings.hasSmallTable && !hadSmallTable) {
      this.#output.prefix = encodeTableSizeUpdate(0);
    }
    const change = settings.initialWindowBytes - before;
    if (change === 0) return;
    for (const stream of this.#streams.values()) {
      if (!this.#widen(stream, change)) {
        throw new ConnectionError(
          ErrorCode.FLOW_CONTROL_ERROR,
          "INITIAL_WINDOW_SIZE makes a window too large",
        );
      }
    }
  }

  #widen(stream: Stream, bytes: number): boolean {
    stream.sendWindow += bytes;
    if (stream.sendWindow > MAX_WINDOW_BYTES) return false;
    if (stream.sendWindow > 0 && stream.hasOutput && !stream.localEnded) {
      this.#output.enqueue(stream);
    }
    return true;
  }

  #pinged(flags: number, streamId: number, payload: Uint8Array): void {
    if (streamId !== 0) protocolError(`PING on stream ${streamId}`);
    checkLength("PING", payload, 8);
    if (flags & Flag.ACK) {
      if (this.#goodbye.isAnsweredBy(payload)) this.#sayGoodbye();
      return;
    }
    this.#pay(FRAME_COST, "PING");
    this.#output.control.ping(payload, true);
  }

  #goneAway(streamId: number, payload: Uint8Array): void {
    if (streamId !== 0) protocolError(`GOAWAY on stream ${streamId}`);
    if (payload.length < 8) {
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY too short");
    }
    // With an error it waits for nothing any more.
    if (readUint32(payload, 4) !== ErrorCode.NO_ERROR) this.#closeAll();
    this.#goodbye.finish(this.#closed.lastId);
  }

  #windowUpdate(streamId: number, payload: Uint8Array): void {
    checkLength("WINDOW_UPDATE", payload, 4);
    this.#pay(FRAME_COST, "WINDOW_UPDATE");
    const bytes = readUint31(payload, 0);
    if (streamId === 0) {
      if (bytes === 0) protocolError("WINDOW_UPDATE of nothing");
      if (this.#output.widen(bytes)) return;
      throw new ConnectionError(
        ErrorCode.FLOW_CONTROL_ERROR,
        "the connection's window is too large",
      );
    }
    const stream = this.#streams.get(streamId);
    if (stream) {
      if (bytes === 0) {
        return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR);
      }
      if (this.#widen(stream, bytes)) return;
      return this.#streamError(stream, ErrorCode.FLOW_CONTROL_ERROR);
    }
    const fate = this.#closed.fateOf(streamId);
    if (fate === "idle" || fate === "never opened") {
      protocolError(`WINDOW_UPDATE on stream ${streamId}`);
    }
  }

  /** END_STREAM is in the buffer that is given to write next. */
  #answered(stream: Stream): void {
    stream.localEnded = true;
    stream.answeredMs = this.turnMs;
    this.#account.progress();
    if (stream.remoteEnded) this.#forget(stream);
    this.#output.afterwards(() => tellClosed(stream, true));
  }

  #close(stream: Stream, delivered: boolean): void {
    this.#forget(stream);
    this.#output.remove(stream);
    stream.withdraw();
    if (!stream.localEnded) tellClosed(stream, delivered);
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream.id);
  }

  #closeAll(): void {
    this.#output.withdrawAll();
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) {
      stream.withdraw();
      if (!stream.localEnded) this.#guard(() => tellClosed(stream, false));
    }
  }

  #sayGoodbye(): void {
    this.#goodbye.finish(this.#closed.lastId);
    this.#wake();
  }

  #pay(cost: number, what: string): void {
    this.#account.pay(cost, this.turnMs, what);
  }

  #wake(): void {
    if (!this.#isReceiving) this.#options.onOutput();
  }

  /** Whatever is thrown above, the connections of others live on. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isFailed) return;
    this.#isFailed = true;
    const isTheirs = error instanceof ConnectionError;
    if (!isTheirs) this.#options.onError(error);
    const code = isTheirs ? error.code : ErrorCode.INTERNAL_ERROR;
    const reason = isTheirs ? error.message : "an error of the server";
    this.#output.control.goAway(this.#closed.lastId, code, reason);
    this.#closeAll();
  }
}

function tellClosed(stream: Stream, delivered: boolean): void {
  if (stream.isGone) return;
  stream.isGone = true;
  stream.events.closed(delivered);
}

function checkLength(what: string, payload: Uint8Array, length: number): void {
  if (payload.length === length) return;
  throw new ConnectionError(
    ErrorCode.FRAME_SIZE_ERROR,
    `${what} of ${payload.length} bytes`,
  );
}

function protocolError(reason: string): never {
  throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, reason);
}
