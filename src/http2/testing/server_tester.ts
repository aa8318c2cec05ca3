/**
 * A client of raw frames before one connection, without a socket: frames in,
 * frames and calls out.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Http2Connection } from "../connection.ts";
import type { RequestHandler, ServerStream } from "../stream_api.ts";
import { PREFACE, settings, settingsAck } from "./frame_bytes.ts";
import { FrameText } from "./frame_text.ts";
import { join } from "./octets.ts";

/** What a test may choose. */
export interface TesterOptions {
  readonly maxStreams?: number;
  /** Takes requests instead of being asked by `streams`. */
  readonly handler?: RequestHandler;
  /** What is written at once. */
  readonly writeBytes?: number;
}

/** Both ends in one turn. */
export class ServerTester {
  readonly connection: Http2Connection;
  /** What the layer above was told, in order. */
  readonly calls: string[] = [];
  /** What it threw. */
  readonly errors: unknown[] = [];
  /** The requests' streams by id. */
  readonly streams = new Map<number, ServerStream>();
  readonly text = new FrameText();
  /** What came of each request's body. */
  readonly bodies = new Map<number, Uint8Array>();
  nowMs = 0;
  readonly #writeBytes: number;

  /** A connection that has said nothing yet. */
  constructor(options: TesterOptions = {}) {
    this.#writeBytes = options.writeBytes ?? 65_536;
    this.connection = new Http2Connection({
      peer: "192.0.2.1:50000",
      handler: options.handler ?? ((stream, head) => this.#took(stream, head)),
      maxStreams: options.maxStreams ?? 100,
      nowMs: () => this.nowMs,
      onOutput: () => {},
      onError: (error) => this.errors.push(error),
    });
  }

  /** A connection whose two sides have settled everything. */
  static ready(options: TesterOptions = {}): ServerTester {
    const tester = new ServerTester(options);
    tester.send(PREFACE, settings(), settingsAck());
    tester.received();
    return tester;
  }

  /** Sends bytes as one read, whose buffer is then used for something else. */
  send(...parts: readonly Uint8Array[]): void {
    const read = join(...parts);
    this.connection.turnMs = this.nowMs;
    for (let at = 0; at < read.length;) {
      at += this.connection.receive(read.subarray(at));
    }
    read.fill(0xee);
  }

  /** All bytes that the server has to send. */
  receivedBytes(): Uint8Array {
    const writes: Uint8Array[] = [];
    while (this.connection.hasOutput) {
      const buffer = new Uint8Array(this.#writeBytes);
      const filled = this.connection.fill(buffer);
      this.connection.written();
      if (filled === 0) break;
      writes.push(buffer.subarray(0, filled));
    }
    return join(...writes);
  }

  /** All frames that the server has to send, a line each. */
  received(): string[] {
    return this.text.read(this.receivedBytes());
  }

  /** Sends, and says what must come back. */
  exchange(parts: readonly Uint8Array[], ...lines: readonly string[]): void {
    this.send(...parts);
    assert.deepEqual(this.received(), lines);
  }

  /** The stream of a request that has come. */
  stream(id: number): ServerStream {
    const stream = this.streams.get(id);
    assert.ok(stream, `no request came on stream ${id}`);
    return stream;
  }

  /** What the layer above was told since the last time. */
  called(): string[] {
    return this.calls.splice(0);
  }

  /** Nothing is left of the conversation. */
  assertNothingLeft(): void {
    this.connection.lost();
    while (this.connection.hasUntold) this.connection.tellSome();
    assert.equal(this.connection.streams.size, 0);
    const closed = this.calls.filter((call) => call.startsWith("closed"));
    const began = this.calls.filter((call) => call.startsWith("request"));
    assert.equal(closed.length, began.length, this.calls.join("\n"));
    assert.deepEqual(this.errors, []);
  }

  #took(
    stream: ServerStream,
    head: Parameters<RequestHandler>[1],
  ): ReturnType<RequestHandler> {
    const { id } = stream;
    this.streams.set(id, stream);
    this.calls.push(`request ${id} ${head.method} ${head.path}`);
    return {
      data: (bytes) => this.#tookData(id, bytes),
      end: () => this.calls.push(`end ${id}`),
      closed: (delivered) => this.calls.push(`closed ${id} ${delivered}`),
    };
  }

  /** Pieces in a row are one: how they are cut is the reads' affair. */
  #tookData(id: number, bytes: Uint8Array): void {
    const before = this.bodies.get(id) ?? new Uint8Array();
    this.bodies.set(id, join(before, bytes));
    const match = /^data (\d+) (\d+)$/.exec(this.calls.at(-1) ?? "");
    const isNext = match !== null && Number(match[1]) === id;
    const sum = bytes.length + (isNext ? Number(match[2]) : 0);
    if (isNext) this.calls.pop();
    this.calls.push(`data ${id} ${sum}`);
  }
}
