/**
 * A call, as handlers see it.
 *
 * @module
 */

import type { Metadata } from "./metadata.ts";
import type { CallPlace } from "./observer.ts";

/** One call. */
export interface Call {
  /** `ip:port` of the client. */
  readonly peer: string;
  /** Which call it is: for the log, and for traces. */
  readonly place: CallPlace;
  /** Who calls; `undefined`: nobody has asked. */
  readonly caller: object | undefined;
  /** Who shares memory fairly with others: only its identity counts. */
  readonly connection: object;
  /**
   * What the client sent beside its messages; parsed when asked for. Throws a
   * `StatusError` where a `-bin` value is not base64.
   */
  readonly metadata: Metadata;
  /** When the client stops waiting, on the server's clock; `undefined`: never. */
  readonly deadlineMs: number | undefined;
  /**
   * The call has ended: replied and handed to write, cancelled, past its deadline,
   * or its connection is lost.
   */
  readonly hasEnded: boolean;
  /** Aborted when the call ends before it was answered; made only if asked for. */
  readonly signal: AbortSignal;
  /**
   * Calls once when the call has ended, however it did; at once if it has.
   * `delivered`: reply and status were given to write.
   */
  whenEnded(listener: (delivered: boolean) => void): void;
  /** Sent with the first message or the status. */
  readonly initialMetadata: Metadata;
  /** Sent with the status. */
  readonly trailingMetadata: Metadata;
  /** Sends the initial metadata now. */
  sendHeaders(): void;
}

/** Sends the replies of a call that can have many. */
export interface Sender<S> {
  /**
   * Sends a message, after those before.
   *
   * @returns Resolves to `true` once the message was given to write, to `false`
   * when the call has ended before.
   */
  send(message: S): Promise<boolean>;
}

/**
 * The requests of a call that can have many, for one reader. The client may send
 * more when a message is taken. Malformed ones throw a `StatusError`. When the
 * call ends early there are no more: `call.hasEnded` tells.
 */
export interface Requests<Q> extends AsyncIterable<Q> {
  /** The next one. */
  next(): Promise<IteratorResult<Q, undefined>>;
}

/** Answers one request with one reply; a plain one is sent in the same turn. */
export type UnaryHandler<Q, S> = (request: Q, call: Call) => S | Promise<S>;

/** Answers one request with many replies. OK follows when it is done. */
export type ServerStreamingHandler<Q, S> = (
  request: Q,
  call: Call,
  sender: Sender<S>,
) => void | Promise<void>;

/** Answers many requests with one reply. */
export type ClientStreamingHandler<Q, S> = (
  requests: Requests<Q>,
  call: Call,
) => S | Promise<S>;

/** Answers many requests with many replies. OK follows when it is done. */
export type DuplexHandler<Q, S> = (
  requests: Requests<Q>,
  call: Call,
  sender: Sender<S>,
) => void | Promise<void>;
