/**
 * What a server sends as a stream, as whoever asked reads it.
 *
 * @module
 */

import type { CallEnd } from "./call_end.ts";
import { type Call, type CallEvents, errorOf } from "./grpc_call.ts";
import type { CallStatus } from "./stream_status.ts";

/** So many messages come before anybody asks for them. */
const READ_AHEAD = 4;

/** What is given to whoever waits for the next message. */
interface Waiting<Reply> {
  resolve(result: IteratorResult<Reply, undefined>): void;
  reject(reason: unknown): void;
}

/**
 * The messages, in turn. Those that come while nobody asks wait, and a few of
 * them stop the server. Whoever stops reading in the middle cancels the call.
 */
export class Replies<Reply>
  implements AsyncIterableIterator<Reply, undefined>, CallEvents<Reply> {
  readonly #failed: (error: unknown) => unknown;
  readonly #come: Reply[] = [];
  #call!: Pick<Call, "read" | "cancel">;
  #end!: CallEnd;
  #waiting: Waiting<Reply> | undefined;
  #status: CallStatus | undefined;
  #isUnwanted = false;

  /** `failed` makes the error that is thrown. */
  constructor(failed: (error: unknown) => unknown) {
    this.#failed = failed;
  }

  /** Asks for the first message of a call, and what ends it. */
  begin(call: Pick<Call, "read" | "cancel">, end: CallEnd): void {
    this.#call = call;
    this.#end = end;
    call.read();
  }

  /** The next one; fails when the call has failed, and all before it was read. */
  next(): Promise<IteratorResult<Reply, undefined>> {
    const reply = this.#come.shift();
    if (reply !== undefined) {
      if (this.#come.length === READ_AHEAD - 1) this.#call.read();
      return Promise.resolve({ value: reply, done: false });
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#status) return this.#tellEnd(this.#status);
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
    this.#status ??= { code: 0, details: "" };
    this.#waiting?.resolve({ value: undefined, done: true });
    this.#waiting = undefined;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  onMessage(reply: Reply): void {
    const waiting = this.#waiting;
    if (waiting || this.#isUnwanted || this.#come.length < READ_AHEAD - 1) {
      this.#call.read();
    }
    if (this.#isUnwanted) return;
    this.#end.answered();
    if (!waiting) return void this.#come.push(reply);
    this.#waiting = undefined;
    // Who has stopped reading in the middle keeps no process alive.
    this.#end.isAwaited = false;
    waiting.resolve({ value: reply, done: false });
  }

  onStatus(status: CallStatus): void {
    if (this.#status) return;
    this.#status = status;
    this.#tellEnd(status);
    this.#end[Symbol.dispose]();
  }

  #tellEnd(status: CallStatus): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#waiting = undefined;
    if (status.code === 0) {
      return waiting.resolve({ value: undefined, done: true });
    }
    waiting.reject(this.#failed(this.#end.reason(errorOf(status))));
  }
}
