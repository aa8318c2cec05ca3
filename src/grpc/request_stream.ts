/**
 * The requests of a call that can have many.
 *
 * Messages are cut out of the bytes when the handler asks for them, but for a few
 * ahead: a tiny message costs far more than its bytes.
 *
 * @module
 */

import { Backlog } from "./backlog.ts";
import type { Requests } from "./call.ts";
import { PREFIX_BYTES } from "./framing.ts";
import { MESSAGES_AHEAD } from "./limits.ts";
import {
  brokenOff,
  MessageReader,
  type ReadingOptions,
} from "./message_reader.ts";
import type { MessageTurns } from "./message_turns.ts";
import { RequestWindow, type WindowHost } from "./request_window.ts";

/** What a request stream needs of its call. */
export interface RequestStreamHost<Q> extends WindowHost {
  /** How messages are read. */
  readonly reading: ReadingOptions;
  /** For messages that were sent ahead. */
  readonly turns: MessageTurns;
  /** Reads a message that is a buffer of its own. */
  decode(message: Uint8Array): Q;
  /** So many bytes lie here no more. */
  taken(bytes: number): void;
}

type Result<Q> = IteratorResult<Q, undefined>;

interface Asked<Q> {
  readonly resolve: (result: Result<Q>) => void;
  readonly reject: (error: unknown) => void;
}

/** The requests that come on one stream. */
export class RequestStream<Q> implements Requests<Q> {
  readonly #host: RequestStreamHost<Q>;
  readonly #reader: MessageReader;
  readonly #window: RequestWindow;
  readonly #backlog = new Backlog();
  #ready: Uint8Array[] = [];
  #failure: { readonly error: unknown } | undefined;
  #hasEnded = false;
  #isStopped = false;
  #asked: Asked<Q> | undefined;
  #isInTurn = false;

  /** Nothing has come yet. */
  constructor(host: RequestStreamHost<Q>) {
    this.#host = host;
    this.#reader = new MessageReader(host.reading);
    this.#window = new RequestWindow(host, this.#reader);
  }

  /** A piece of the body; it is not kept. */
  data(bytes: Uint8Array): void {
    if (this.#isStopped || this.#failure) return;
    const at = this.#backlog.isEmpty ? this.#cut(bytes, 0) : 0;
    if (at < bytes.length) this.#backlog.append(bytes.subarray(at));
    this.#window.arrived(bytes.length);
    if (!this.#isInTurn) this.#answer();
  }

  /** The client has sent all. */
  end(): void {
    this.#hasEnded = true;
    this.#window.shut();
    this.#checkEnd();
    if (!this.#isInTurn) this.#answer();
  }

  /** Nobody wants more; whoever waits is told that there is none. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#window.shut();
    this.#backlog.clear();
    this.#ready = [];
    this.#answer();
  }

  /** {@inheritDoc Requests.next} */
  next(): Promise<Result<Q>> {
    if (this.#asked) {
      return Promise.reject(
        new Error("the requests of a call have one reader: await next() first"),
      );
    }
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      if (this.#ready.length === 0) return this.#answer();
      this.#isInTurn = true;
      this.#host.turns.take(() => {
        this.#isInTurn = false;
        this.#answer();
      });
    });
  }

  /** The reader leaves its loop: what still comes is thrown away. */
  return(): Promise<Result<Q>> {
    this.stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The one reader. */
  [Symbol.asyncIterator](): AsyncIterator<Q, undefined> {
    return this;
  }

  #answer(): void {
    const asked = this.#asked;
    if (asked === undefined) return;
    const message = this.#ready.shift();
    if (message !== undefined) {
      this.#asked = undefined;
      this.#cutMore();
      this.#give(message, asked);
    } else if (this.#failure && !this.#isStopped) {
      this.#asked = undefined;
      asked.reject(this.#failure.error);
      this.stop();
    } else if (this.#hasEnded || this.#isStopped) {
      this.#asked = undefined;
      asked.resolve({ done: true, value: undefined });
    }
  }

  #give(message: Uint8Array, asked: Asked<Q>): void {
    const bytes = PREFIX_BYTES + message.length;
    this.#host.taken(bytes);
    this.#window.taken(bytes);
    let value: Q;
    try {
      value = this.#host.decode(message);
    } catch (error) {
      asked.reject(error);
      return this.stop();
    }
    asked.resolve({ done: false, value });
  }

  /** Cuts messages out of what came, a few ahead; returns where it stopped. */
  #cut(bytes: Uint8Array, from: number): number {
    let at = from;
    try {
      while (at < bytes.length && this.#ready.length < MESSAGES_AHEAD) {
        at = this.#reader.read(bytes, at, (message) => {
          this.#ready.push(message);
        });
      }
      return at;
    } catch (error) {
      this.#fail(error);
      return bytes.length;
    }
  }

  #cutMore(): void {
    while (
      !this.#backlog.isEmpty && !this.#failure &&
      this.#ready.length < MESSAGES_AHEAD
    ) this.#backlog.consume((bytes) => this.#cut(bytes, 0));
    this.#checkEnd();
  }

  #checkEnd(): void {
    if (!this.#hasEnded || !this.#backlog.isEmpty || this.#failure) return;
    if (this.#reader.isInside) this.#fail(brokenOff());
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#backlog.clear();
  }
}
