/**
 * Calls of grpc-js, without what its clients put around each: the stack of who
 * called, streams of Node, layers for interceptors. They cost as much as the
 * call.
 *
 * @module
 */

import {
  type Client,
  type Metadata,
  type ServiceDefinition,
  status,
  type StatusObject,
} from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import { messageOf } from "../errors.ts";
import { type CallStatus, MORE_TRAILER } from "./stream_status.ts";

/** What comes of a call. */
export interface CallEvents<Reply> {
  /** A message, after it was asked for. */
  onMessage(reply: Reply): void;
  /** The end, once; nothing comes after it. */
  onStatus(status: CallStatus): void;
}

/** A call that has begun. */
export interface Call {
  /** Sends a message; `then` is called when there is room for the next one. */
  send(bytes: Buffer, then?: () => void): void;
  /** There are no more messages to send, but perhaps for a last one. */
  end(last?: Buffer): void;
  /** Asks for the next message. */
  read(): void;
  /** Ends it. */
  cancel(): void;
  /** Ends it: what came is none of what may come. */
  refuse(details: string): void;
}

type Inner = ReturnType<ReturnType<Client["getChannel"]>["createCall"]>;

/** One call of grpc-js, which waits for a connection where there is none. */
export class GrpcCall<Reply> implements Call {
  readonly #call: Inner;
  readonly #deserialize: (bytes: Buffer) => Reply;
  readonly #events: CallEvents<Reply>;
  #unreadable: string | undefined;

  /**
   * @param client Whose connection carries it.
   * @param method What is called.
   * @param metadata What goes with it.
   * @param events Told of what comes.
   */
  constructor(
    client: Client,
    method: ServiceDefinition[string],
    metadata: Metadata,
    events: CallEvents<Reply>,
  ) {
    this.#deserialize = method.responseDeserialize as (bytes: Buffer) => Reply;
    this.#events = events;
    this.#call = client.getChannel()
      .createCall(method.path, Infinity, null, null, undefined);
    this.#call.start(metadata, {
      onReceiveMetadata() {},
      onReceiveMessage: (bytes) => this.#receive(bytes),
      onReceiveStatus: (status) => this.#end(status),
    });
  }

  send(bytes: Buffer, then?: () => void): void {
    // Nothing else is told of an error that the status tells.
    this.#call.sendMessageWithContext(then ? { callback: then } : {}, bytes);
  }

  end(last?: Buffer): void {
    if (last) this.send(last);
    this.#call.halfClose();
  }

  read(): void {
    this.#call.startRead();
  }

  cancel(): void {
    this.#cancel(status.CANCELLED, "Cancelled on client");
  }

  refuse(details: string): void {
    this.#cancel(status.UNIMPLEMENTED, details);
  }

  #cancel(code: status, details: string): void {
    this.#call.cancelWithStatus(code, details);
  }

  #receive(bytes: Buffer): void {
    let reply: Reply;
    try {
      reply = this.#deserialize(bytes);
    } catch (error) {
      const why = `Response message parsing error: ${messageOf(error)}`;
      this.#unreadable = why;
      return this.#cancel(status.INTERNAL, why);
    }
    this.#events.onMessage(reply);
  }

  #end({ code, details, metadata }: StatusObject): void {
    const [more] = metadata.get(MORE_TRAILER);
    this.#events.onStatus(
      this.#unreadable === undefined
        ? { code, details, ...more instanceof Uint8Array && { more } }
        : { code: status.INTERNAL, details: this.#unreadable },
    );
  }
}

/** The error of a call that has ended with this status. */
export function errorOf({ code, details, more }: CallStatus): Error {
  const error = new Error(`${code} ${status[code]}: ${details}`);
  return Object.assign(error, { code, details, ...more && { more } });
}
