/**
 * Connections on pipes, with a clock that moves when it is told to.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Connections } from "../connections.ts";
import type { ServedConnection } from "../served_connection.ts";
import type { DropReason, SharedOptions } from "../shared_limits.ts";
import type { RequestHandler, ServerStream } from "../stream_api.ts";
import { PREFACE, settings, settingsAck } from "./frame_bytes.ts";
import { FrameText } from "./frame_text.ts";
import { Pipe } from "./pipe.ts";

/** A client on a pipe. */
export interface PipeClient {
  readonly pipe: Pipe;
  readonly connection: ServedConnection;
  readonly ended: Promise<void>;
  /** Whole frames that have come since the last time. */
  received(): Promise<string[]>;
}

/** All connections of a test. */
export class ServedPipes {
  readonly connections: Connections;
  readonly drops: DropReason[] = [];
  readonly warnings: string[] = [];
  /** What was told of the streams. */
  readonly calls: string[] = [];
  readonly streams = new Map<number, ServerStream>();
  nowMs = 1;
  readonly #clients: PipeClient[] = [];

  /** Limits that a test chooses. */
  constructor(options: Partial<SharedOptions> = {}) {
    this.connections = new Connections({
      nowMs: () => this.nowMs,
      warn: (message) => this.warnings.push(message),
      onDrop: (reason) => this.drops.push(reason),
      ...options,
    });
  }

  /** Opens a connection that says nothing by itself. */
  open(handler: RequestHandler = (stream) => this.#took(stream)): PipeClient {
    const pipe = new Pipe();
    const peer = `192.0.2.1:${50_000 + this.#clients.length}`;
    const served = this.connections.serve(pipe, peer, handler);
    const text = new FrameText();
    const received = async () => text.read(await pipe.written());
    const client = { pipe, ...served, received };
    this.#clients.push(client);
    return client;
  }

  /** Opens a connection whose two sides have settled everything. */
  async ready(handler?: RequestHandler): Promise<PipeClient> {
    const client = this.open(handler);
    client.pipe.send(PREFACE, settings(), settingsAck());
    await client.received();
    return client;
  }

  /** Time passes, a sweep each second. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(endMs, this.nowMs + 1_000);
      this.connections.check();
    }
  }

  /** Ends all connections: then nothing is left of any. */
  async end(): Promise<void> {
    for (const { pipe } of this.#clients) pipe.break();
    await Promise.all(this.#clients.map(({ ended }) => ended));
    assert.equal(this.connections.size, 0);
    assert.equal(this.connections.lentBuffers, 0);
    for (const { connection, pipe } of this.#clients) {
      assert.equal(connection.isIdle, true);
      assert.equal(pipe.closes, 1);
    }
  }

  #took(stream: ServerStream): ReturnType<RequestHandler> {
    const { id } = stream;
    this.streams.set(id, stream);
    return {
      data: (bytes) => this.calls.push(`data ${id} ${bytes.length}`),
      end: () => this.calls.push(`end ${id}`),
      closed: (delivered) => this.calls.push(`closed ${id} ${delivered}`),
    };
  }
}
