/**
 * One connection, without input or output: bytes go in, calls come out, and
 * bytes to send. Its parts have the rules; here is its life. Whoever has a
 * socket is in `served_connection.ts`.
 *
 * @module
 */

import { Account } from "./abuse.ts";
import { ConnectionFrames } from "./connection_frames.ts";
import { ConnectionError, ErrorCode } from "./error_codes.ts";
import { FrameDispatch } from "./frame_dispatch.ts";
import { FrameReader } from "./frame_reader.ts";
import { Goodbye } from "./goodbye.ts";
import {
  CONNECTION_WINDOW_BYTES,
  FRAMES_PER_LOOK,
  FRAMES_PER_TURN,
  INITIAL_WINDOW_BYTES,
  MAX_CONTROL_BYTES,
  MAX_HEADER_LIST_BYTES,
  TURN_MS,
} from "./limits.ts";
import { OpenStreams } from "./open_streams.ts";
import type { Output } from "./output.ts";
import { HTTP_1_ANSWER, Preface } from "./preface.ts";
import { RequestBodies } from "./request_bodies.ts";
import { Requests } from "./requests.ts";
import { Setting } from "./settings.ts";
import type { Stream } from "./stream.ts";
import type { RequestHandler } from "./stream_api.ts";

/** What a connection is made with. */
export interface ConnectionOptions {
  /** `ip:port` of the client. */
  readonly peer: string;
  /** What it stands on. */
  readonly transport?: object;
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

/** The server's side of one connection. */
export class Http2Connection {
  /** When our PING left that nothing was read since; whoever asks clears it. */
  pingedMs: number | undefined;
  readonly #options: ConnectionOptions;
  readonly #streams: OpenStreams;
  readonly #output: Output;
  readonly #goodbye: Goodbye;
  readonly #frames: ConnectionFrames;
  readonly #reader: FrameReader;
  #preface: Preface | undefined = new Preface();
  readonly #bodies: RequestBodies;
  #isReceiving = false;
  #isFailed = false;
  #isLost = false;

  /** Sends its SETTINGS first, once the client has shown that it is one. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    const turnMs = options.nowMs();
    const streams = this.#streams = new OpenStreams({
      peer: options.peer,
      transport: options.transport,
      account: new Account(turnMs),
      turnMs,
      onOutput: () => this.#wake(),
      onError: (error) => this.#fail(error),
    });
    this.#output = streams.output;
    const { control } = this.#output;
    const goodbye = this.#goodbye = new Goodbye(control);
    const frames = this.#frames = new ConnectionFrames(streams, goodbye);
    const requests = new Requests({
      streams,
      clientSettings: frames.clientSettings,
      handler: options.handler,
      maxStreams: options.maxStreams,
      isOver: (streamId) => {
        goodbye.opened(streamId, streams.turnMs);
        return goodbye.isFinal;
      },
    });
    const bodies = this.#bodies = new RequestBodies(streams);
    this.#reader = new FrameReader(
      new FrameDispatch({ streams, frames, requests, bodies }),
    );
    control.settings([
      [Setting.MAX_CONCURRENT_STREAMS, options.maxStreams],
      [Setting.MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST_BYTES],
    ]);
    control.windowUpdate(0, CONNECTION_WINDOW_BYTES - INITIAL_WINDOW_BYTES);
  }

  /** The time of this turn: whoever drives the connection sets it. */
  set turnMs(nowMs: number) {
    this.#streams.turnMs = nowMs;
  }

  /** The client has sent its SETTINGS … */
  get hasSettings(): boolean {
    return this.#frames.hasSettings;
  }

  /** … and has acknowledged ours. */
  get isAcknowledged(): boolean {
    return this.#streams.isLimitKnown;
  }

  /** Since when the next of the two is awaited. */
  get awaitedMs(): number {
    return this.#frames.awaitedMs;
  }

  /** The open streams. */
  get streams(): OpenStreams["all"] {
    return this.#streams.all;
  }

  /**
   * Whether something can be sent now. Whoever speaks no HTTP/2 gets nothing, and
   * whoever has gone: clients that connect for one call are spared a packet.
   */
  get hasOutput(): boolean {
    if (this.#preface !== undefined || !this.#output.hasSome) return false;
    return !this.#goodbye.isMutual || this.#streams.all.size > 0 ||
      this.#isFailed;
  }

  /**
   * Whether what can be sent may wait for a reply that it leaves with: answers to
   * PING, while calls are worked on and none waits for the client's window. Clients
   * on grpc-go ask with nearly every message that they get, to measure their
   * windows by it, and a write costs as much as all else of a small call.
   */
  get mayWait(): boolean {
    const streams = this.#streams.all;
    if (streams.size === 0 || this.#output.isUrgent) return false;
    return streams.values().every((stream) => !stream.hasOutput);
  }

  /** Whether it is to be closed once everything has been sent. */
  get isOver(): boolean {
    return this.#isFailed ||
      (this.#goodbye.isFinal && this.#streams.all.size === 0);
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
    if (this.#output.hasSome && !this.#isFailed) this.#bodies.goAlong();
    return this.#output.fill(out);
  }

  /** The buffer was given to write: whoever waits for that is told. */
  written(): void {
    try {
      this.#output.written();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The connection is lost: every stream ends. */
  lost(): void {
    this.#isLost = true;
    this.#streams.closeAll();
  }

  /** Whether handlers are still to be told that their streams have ended … */
  get hasUntold(): boolean {
    return this.#streams.hasUntold;
  }

  /** … and tells some of them. */
  tellSome(): void {
    this.#streams.tellSome();
  }

  /** Says goodbye, and takes no new streams; those that are open go on. */
  goAway(): void {
    if (this.#isFailed || this.#isLost) return;
    this.#goodbye.begin(this.#streams.turnMs);
    this.#wake();
  }

  /** Asks whether the client is still there. */
  ping(): void {
    this.pingedMs = this.#streams.turnMs;
    this.#output.control.ping(new Uint8Array(8), false);
    this.#wake();
  }

  /** Goes on with the goodbye when the client does not answer. */
  hurryGoodbye(nowMs: number): void {
    if (!this.#goodbye.isOverdue(nowMs)) return;
    this.#goodbye.finish(this.#streams.lastId);
    this.#wake();
  }

  /** Ends a stream that was answered before its request was whole. */
  endEarlyAnswered(stream: Stream): void {
    this.#streams.resetStream(stream, ErrorCode.NO_ERROR);
  }

  #receive(bytes: Uint8Array): number {
    let at = 0;
    if (this.#preface) {
      const { opening, at: next } = this.#preface.take(bytes);
      at = next;
      if (opening === "unknown") return at;
      this.#preface = undefined;
      if (opening !== "http2") return this.#refuseOpening(opening, bytes);
    }
    const startMs = this.#streams.turnMs;
    for (let frames = 1; at < bytes.length; frames++) {
      at = this.#reader.take(bytes, at);
      if (this.#isFailed) return bytes.length;
      if (frames % FRAMES_PER_LOOK !== 0) continue;
      if (frames >= FRAMES_PER_TURN) break;
      if (this.#options.nowMs() - startMs >= TURN_MS) break;
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
    this.#output.control.discard();
    if (opening === "http1") this.#output.control.raw(HTTP_1_ANSWER);
    this.#isFailed = true;
    return bytes.length;
  }

  #wake(): void {
    if (!this.#isReceiving) this.#options.onOutput();
  }

  /** Ends the connection: says why, and takes nothing more. */
  #fail(error: unknown): void {
    const isTheirs = error instanceof ConnectionError;
    if (!isTheirs) this.#options.onError(error);
    if (this.#isFailed) return;
    this.#isFailed = true;
    const code = isTheirs ? error.code : ErrorCode.INTERNAL_ERROR;
    const reason = isTheirs ? error.message : "an error of the server";
    this.#output.control.goAway(this.#streams.lastId, code, reason);
    this.#streams.closeAll();
    this.#wake();
  }
}
