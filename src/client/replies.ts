/**
 * What a server sends as a stream, as whoever asked reads it.
 *
 * @module
 */

import type { ClientReadableStream, StatusObject } from "@grpc/grpc-js";
import type { CallEnd } from "./call_end.ts";

/** What is given to whoever waits for the next message. */
interface Waiting<Reply> {
  resolve(result: IteratorResult<Reply, undefined>): void;
  reject(reason: unknown): void;
}

/**
 * The messages, in turn. Those that come while nobody asks wait, and a few of
 * them stop the server. Whoever stops reading in the middle cancels the call.
 *
 * It listens to the stream's events: an iterator of the stream itself, as Node
 * makes it, costs half as much again as a whole call.
 */
export class Replies<Reply> implements AsyncIterableIterator<Reply, undefined> {
  readonly #call: ClientReadableStream<Reply>;
  readonly #end: CallEnd;
  readonly #failed: (error: unknown) => unknown;
  readonly #come: Reply[] = [];
  #waiting: Waiting<Reply> | undefined;
  #status: StatusObject | undefined;
  #isOver = false;
  #isUnwanted = false;

  /**
   * @param call The call.
   * @param end What ends it, and is told how it goes.
   * @param failed Makes the error that is thrown.
   */
  constructor(
    call: ClientReadableStream<Reply>,
    end: CallEnd,
    failed: (error: unknown) => unknown,
  ) {
    this.#call = call;
    this.#end = end;
    this.#failed = failed;
    call.on("data", (reply: Reply) => this.#take(reply));
    call.on("end", () => this.#over(true, this.#status));
    call.on("status", (status) => this.#over(call.readableEnded, status));
    // The status says the same.
    call.on("error", () => {});
  }

  /** The next one; fails when the call has failed, and all before it was read. */
  next(): Promise<IteratorResult<Reply, undefined>> {
    const reply = this.#come.shift();
    if (reply !== undefined) {
      if (this.#come.length === 0) this.#call.resume();
      return Promise.resolve({ value: reply, done: false });
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#isOver) return this.#tellEnd();
      this.#end.isAwaited = true;
    });
  }

  /** Nothing more is wanted, and nothing more is to come: it ends by itself. */
  leave(): void {
    this.#isUnwanted = true;
  }

  /** Nothing more is wanted. */
  return(): Promise<IteratorResult<Reply, undefined>> {
    this.leave();
    this.#call.cancel();
    this.#end[Symbol.dispose]();
    this.#come.length = 0;
    this.#isOver = true;
    this.#waiting?.resolve({ value: undefined, done: true });
    this.#waiting = undefined;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(reply: Reply): void {
    if (this.#isUnwanted) return;
    this.#end.answered();
    const waiting = this.#waiting;
    if (!waiting) {
      this.#come.push(reply);
      this.#call.pause();
      return;
    }
    this.#waiting = undefined;
    // Who has stopped reading in the middle keeps no process alive.
    this.#end.isAwaited = false;
    waiting.resolve({ value: reply, done: false });
  }

  /** The messages and the status end each for itself, in either order. */
  #over(isRead: boolean, status: StatusObject | undefined): void {
    this.#status ??= status;
    // What has come before a failure is still read.
    if (status && !isRead) this.#call.resume();
    if (!isRead || !status || this.#isOver) return;
    this.#isOver = true;
    this.#tellEnd();
    this.#end[Symbol.dispose]();
  }

  #tellEnd(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#waiting = undefined;
    const { code = 0, details, metadata } = this.#status ?? {};
    if (code === 0) return waiting.resolve({ value: undefined, done: true });
    const error = Object.assign(new Error(details), {
      code,
      details,
      metadata,
    });
    waiting.reject(this.#failed(this.#end.reason(error)));
  }
}
