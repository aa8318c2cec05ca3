/**
 * What a raw client was sent: frames, and what they come to for each call.
 *
 * @module
 */

import { decodeBlock } from "../../src/grpc/testing/fake_stream.ts";
import type { FrameSink } from "../../src/http2/frame_reader.ts";
import { Flag, FrameType, readUint32 } from "../../src/http2/frames.ts";
import { INITIAL_WINDOW_BYTES } from "../../src/http2/limits.ts";
import { Setting } from "../../src/http2/settings.ts";
import { join } from "../../src/http2/testing/octets.ts";

/** As much of a reply is kept: an id and a path. */
const HEAD_BYTES = 1_024;

/** A frame as it came. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** Of DATA the begin. */
  readonly payload: Uint8Array;
  /** The whole payload's. */
  readonly bytes: number;
}

/** How a call ended. */
export interface Outcome {
  /** `reset`: with RST_STREAM; `closed`: the connection went first. */
  readonly how: "answered" | "reset" | "closed";
  /** HTTP status, grpc-status and all other fields, trailers included. */
  readonly fields: ReadonlyMap<string, string>;
  /** Bytes of DATA. */
  readonly dataBytes: number;
  /** The first of them. */
  readonly head: Uint8Array;
  /** The error code of RST_STREAM or GOAWAY. */
  readonly code: number | undefined;
}

/** A reply until now. */
class Reply {
  how: "answered" | "reset" | undefined;
  code: number | undefined;
  dataBytes = 0;
  readonly blocks: Uint8Array[] = [];
  head = new Uint8Array();

  take(piece: Uint8Array): void {
    const room = HEAD_BYTES - this.head.length;
    if (room > 0) this.head = join(this.head, piece.subarray(0, room));
    this.dataBytes += piece.length;
  }
}

/** All of a connection's. */
export class Received implements FrameSink {
  /** Those that nobody has taken yet. */
  readonly frames: Frame[] = [];
  /** How many SETTINGS came: the server's windows hold from the first on. */
  settled = 0;
  /** The error code of GOAWAY, once it came. */
  goawayCode: number | undefined;
  readonly #replies = new Map<number, Reply>();
  readonly #streamWindows = new Map<number, number>();
  #connectionWindow = INITIAL_WINDOW_BYTES;
  #initialWindow = INITIAL_WINDOW_BYTES;
  /** Of the DATA frame that is under way. */
  #stream = 0;
  #bytes = 0;
  #begin = new Uint8Array();

  /** What a call has come to. */
  outcome(stream: number): Outcome {
    const reply = this.#reply(stream);
    return {
      how: reply.how ?? "closed",
      get fields() {
        return new Map(reply.blocks.flatMap(decodeBlock));
      },
      dataBytes: reply.dataBytes,
      head: reply.head,
      code: reply.how ? reply.code : this.goawayCode,
    };
  }

  /** Nobody asks for this call any more. */
  forget(stream: number): void {
    this.#replies.delete(stream);
    this.#streamWindows.delete(stream);
  }

  /** Whether a call has ended. */
  hasEnded(stream: number): boolean {
    return this.#reply(stream).how !== undefined;
  }

  /** How many bytes the server takes on a stream now. */
  windowOf(stream: number): number {
    const moved = this.#streamWindows.get(stream) ?? 0;
    return Math.min(this.#initialWindow + moved, this.#connectionWindow);
  }

  /** So much is sent on a stream. */
  useWindow(stream: number, bytes: number): void {
    this.#open(stream, -bytes);
    this.#connectionWindow -= bytes;
  }

  /** {@inheritDoc FrameSink.frame} */
  frame(
    type: number,
    flags: number,
    stream: number,
    payload: Uint8Array,
  ): void {
    const kept = payload.slice();
    this.frames.push({
      type,
      flags,
      stream,
      payload: kept,
      bytes: kept.length,
    });
    switch (type) {
      case FrameType.HEADERS: {
        const reply = this.#reply(stream);
        reply.blocks.push(kept);
        if (flags & Flag.END_STREAM) reply.how ??= "answered";
        break;
      }
      case FrameType.RST_STREAM: {
        const reply = this.#reply(stream);
        reply.code = reply.how ? reply.code : readUint32(kept, 0);
        reply.how ??= "reset";
        break;
      }
      case FrameType.SETTINGS:
        if (!(flags & Flag.ACK)) this.#settle(kept);
        break;
      case FrameType.GOAWAY:
        this.goawayCode = readUint32(kept, 4);
        break;
      case FrameType.WINDOW_UPDATE: {
        const credit = readUint32(kept, 0);
        if (stream === 0) this.#connectionWindow += credit;
        else this.#open(stream, credit);
      }
    }
  }

  /** {@inheritDoc FrameSink.dataBegins} */
  dataBegins(stream: number, bytes: number): void {
    this.#stream = stream;
    this.#bytes = bytes;
    this.#begin = new Uint8Array();
  }

  /** {@inheritDoc FrameSink.dataPiece} */
  dataPiece(piece: Uint8Array): void {
    this.#reply(this.#stream).take(piece);
    if (this.#begin.length === 0) this.#begin = piece.slice(0, HEAD_BYTES);
  }

  /** {@inheritDoc FrameSink.dataEnds} */
  dataEnds(flags: number): void {
    if (flags & Flag.END_STREAM) this.#reply(this.#stream).how ??= "answered";
    this.frames.push({
      type: FrameType.DATA,
      flags,
      stream: this.#stream,
      payload: this.#begin,
      bytes: this.#bytes,
    });
  }

  #reply(stream: number): Reply {
    let reply = this.#replies.get(stream);
    if (!reply) this.#replies.set(stream, reply = new Reply());
    return reply;
  }

  #open(stream: number, bytes: number): void {
    const moved = this.#streamWindows.get(stream) ?? 0;
    this.#streamWindows.set(stream, moved + bytes);
  }

  #settle(payload: Uint8Array): void {
    this.settled++;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload[at + 1] === Setting.INITIAL_WINDOW_SIZE) {
        this.#initialWindow = readUint32(payload, at + 2);
      }
    }
  }
}
