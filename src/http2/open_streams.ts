/**
 * The open streams of one connection, and every way in which one ends.
 *
 * @module
 */

import type { Account } from "./abuse.ts";
import { ClosedStreams, type Fate } from "./closed_streams.ts";
import { ConnectionError, ErrorCode, protocolError } from "./error_codes.ts";
import {
  BYTES_PER_CREDIT,
  CLOSES_PER_TURN,
  FRAME_COST,
  INITIAL_WINDOW_BYTES,
  PROGRESS_CREDIT,
  RESET_COST,
} from "./limits.ts";
import { NumberMap } from "../number_map.ts";
import { Output } from "./output.ts";
import { Stream, type StreamHost } from "./stream.ts";

/** What they are made with. */
export interface OpenStreamsOptions {
  /** `ip:port` of the client. */
  readonly peer: string;
  /** What the connection stands on. */
  readonly transport: object | undefined;
  /** Pays for what is begun for nothing. */
  readonly account: Account;
  /** When the connection began. */
  readonly turnMs: number;
  /** There is something to send. */
  readonly onOutput: () => void;
  /** Takes what was thrown above when a stream closed. */
  readonly onError: (error: unknown) => void;
}

/** Streams by their ids. */
export class OpenStreams implements StreamHost {
  readonly peer: string;
  readonly transport: object | undefined;
  /** The time of this turn. */
  turnMs: number;
  /** Before it knows our limit a client cannot keep it. */
  isLimitKnown = false;
  readonly output: Output;
  readonly #options: OpenStreamsOptions;
  readonly #open = new NumberMap<Stream>();
  readonly #closed = new ClosedStreams();
  /** Those that have ended with all others, and whose handlers are yet to be told. */
  #untold: Stream[] = [];

  /** There are none yet. */
  constructor(options: OpenStreamsOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.transport = options.transport;
    this.turnMs = options.turnMs;
    this.output = new Output((stream) => this.#answered(stream));
  }

  /** Those that are open. */
  get all(): Pick<
    NumberMap<Stream>,
    "size" | "get" | "has" | "keys" | "values"
  > {
    return this.#open;
  }

  /** The largest id that was opened. */
  get lastId(): number {
    return this.#closed.lastId;
  }

  /** What became of a stream that is not open. */
  fateOf(id: number): Fate {
    return this.#closed.fateOf(id);
  }

  /** An id is used, whatever becomes of it. */
  idUsed(id: number): void {
    this.#closed.opened(id);
  }

  /** Opens a stream. */
  open(id: number, sendWindow: number): Stream {
    const windows = { send: sendWindow, receive: INITIAL_WINDOW_BYTES };
    const stream = new Stream(id, this, windows);
    this.#open.set(id, stream);
    return stream;
  }

  /** Ends a stream that was never told to anybody. */
  refuse(id: number, code: number): void {
    this.output.control.reset(id, code);
    this.#closed.reset(id);
    const isInnocent = code === ErrorCode.REFUSED_STREAM && !this.isLimitKnown;
    if (!isInnocent) this.pay(RESET_COST, "refused streams");
  }

  /** The client has broken a rule: it costs as much as its own reset. */
  fail(stream: Stream, code: number): void {
    this.pay(RESET_COST, "stream errors");
    this.resetStream(stream, code);
  }

  /** The client has reset a stream. */
  resetByClient(stream: Stream): void {
    if (!stream.localEnded) this.pay(RESET_COST, "resets");
    this.#close(stream);
  }

  /** END_STREAM of the client has come. */
  ended(stream: Stream): void {
    if (stream.bodyLeft > 0) {
      return this.fail(stream, ErrorCode.PROTOCOL_ERROR);
    }
    stream.remoteEnded = true;
    if (stream.localEnded) this.#open.delete(stream.id);
    else stream.events.end();
  }

  /** A frame for a stream that is not open. */
  strayFrame(id: number, what: string): void {
    switch (this.fateOf(id)) {
      case "reset by us":
        if (this.isLimitKnown) this.pay(FRAME_COST, `${what} after a reset`);
        return;
      case "closed":
        throw new ConnectionError(
          ErrorCode.STREAM_CLOSED,
          `${what} on stream ${id}, which is closed`,
        );
      default:
        protocolError(`${what} on stream ${id}, which is not open`);
    }
  }

  /** Pays for work without progress. */
  pay(cost: number, what: string): void {
    this.#options.account.pay(cost, this.turnMs, what);
  }

  /** So many bytes of a request were taken. */
  bodyMoved(bytes: number): void {
    this.#options.account.progress(bytes / BYTES_PER_CREDIT);
  }

  /** Whether `tellSome` has to be called. */
  get hasUntold(): boolean {
    return this.#untold.length > 0;
  }

  /** Ends all; nothing of them is sent any more. Of few it is told at once. */
  closeAll(): void {
    this.output.withdrawAll();
    for (const stream of this.#open.values()) {
      stream.withdraw();
      if (stream.localEnded || stream.isGone) continue;
      stream.isGone = true;
      this.#untold.push(stream);
    }
    this.#open.clear();
    this.tellSome();
  }

  /** Tells of some of the streams that have ended with all others. */
  tellSome(): void {
    const some = this.#untold.splice(0, CLOSES_PER_TURN);
    for (const stream of some) this.#tell(stream, false);
  }

  /** {@inheritDoc StreamHost.enqueue} */
  enqueue(stream: Stream): void {
    this.output.enqueue(stream);
    this.#options.onOutput();
  }

  /** {@inheritDoc StreamHost.resetStream} */
  resetStream(stream: Stream, code: number): void {
    this.output.control.reset(stream.id, code);
    this.#closed.reset(stream.id);
    this.#close(stream);
    this.#options.onOutput();
  }

  /** {@inheritDoc StreamHost.allowStream} */
  allowStream(stream: Stream, bytes: number): void {
    if (stream.remoteEnded || stream.localEnded || bytes <= 0) return;
    // What we owed stood in its way until now.
    if (stream.receiveWindow <= 0) stream.arrivedMs = this.turnMs;
    stream.receiveWindow += bytes;
    stream.isGranted = true;
    this.output.control.windowUpdate(stream.id, bytes);
    this.#options.onOutput();
  }

  /** {@inheritDoc StreamHost.dataMoved} */
  dataMoved(): void {
    this.#options.account.progress(PROGRESS_CREDIT);
  }

  /** END_STREAM is in the buffer that is given to write next. */
  #answered(stream: Stream): void {
    stream.localEnded = true;
    stream.answeredMs = this.turnMs;
    this.#options.account.progress(PROGRESS_CREDIT);
    if (stream.remoteEnded) this.#open.delete(stream.id);
    this.output.afterwards(() => this.#tellClosed(stream, true));
  }

  #close(stream: Stream): void {
    this.#open.delete(stream.id);
    this.output.remove(stream);
    stream.withdraw();
    if (!stream.localEnded) this.#tellClosed(stream, false);
  }

  #tellClosed(stream: Stream, delivered: boolean): void {
    if (stream.isGone) return;
    stream.isGone = true;
    this.#tell(stream, delivered);
  }

  /** Whatever is thrown above, the connections of others live on. */
  #tell(stream: Stream, delivered: boolean): void {
    try {
      stream.events.closed(delivered);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
