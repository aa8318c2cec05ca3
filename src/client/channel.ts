/**
 * Calls over one connection, with promises and signals.
 *
 * @module
 */

import {
  type ServiceDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { AskOptions } from "./backend.ts";
import { Budget, type BudgetOptions } from "./budget.ts";
import { hasCode, unanswered } from "./cache_error.ts";
import { CallEnd } from "./call_end.ts";
import { guardDeno } from "./deno_guard.ts";
import { type Call, type CallEvents, errorOf, GrpcCall } from "./grpc_call.ts";
import type { Line } from "./line.ts";
import { Lines } from "./lines.ts";
import { afterSilence } from "./patience.ts";
import { namingProxy } from "./proxy.ts";
import { Replies } from "./replies.ts";
import { SessionCall } from "./session_call.ts";
import { Security } from "./security.ts";
import { untilBroken } from "./until_broken.ts";

/** How to make a call with one message each way. */
export interface UnaryOptions extends AskOptions {
  /** The longest that it may take. */
  readonly timeoutMs?: number | undefined;
  /** Whether it sends much: on a slow line that takes its time. */
  readonly isUpload?: boolean | undefined;
  /** Through another connection than the one that did not answer. */
  readonly isAgain?: boolean | undefined;
  /** Told, before the reply, what is aborted when the connection breaks. */
  readonly onReply?: ((broken: AbortSignal) => void) | undefined;
}

/**
 * A connection that is made when it is needed, and made anew when it broke or
 * fell silent.
 */
export class Channel {
  readonly #address: string;
  readonly #lines: Lines;
  readonly #security: Security;

  /** Connects to `host:port` with the first call. */
  constructor(address: string, security: Security = new Security(address)) {
    guardDeno();
    this.#address = address;
    this.#security = security;
    this.#lines = new Lines(address, security);
  }

  /** How long a call, or several, may go on without hearing from the server. */
  budget(options: BudgetOptions): Budget {
    return new Budget(this.#lines, options);
  }

  /**
   * A call with one message each way.
   *
   * @param method Its definition.
   * @param request The message.
   * @param options When to end it, how else to make it, and who is told of the
   * connection.
   */
  unary<Reply>(
    method: ServiceDefinition[string],
    request: object,
    options: UnaryOptions,
  ): Promise<Reply> {
    const { signal, timeoutMs, isAgain = false, onReply } = options;
    const line = isAgain ? this.#lines.other : this.#lines.current;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const call = this.#callForOne<Reply>(line, method, (error, reply) => {
        stopWaiting();
        if (!error) end.answered();
        end[Symbol.dispose]();
        if (error) return reject(this.#failed(line, end.reason(error)));
        onReply?.(untilBroken(line.client));
        resolve(reply as Reply);
      });
      const end = this.#end(line, options, call, options.isUpload);
      // The timer of grpc-js would keep the process alive.
      const stopWaiting = timeoutMs === undefined
        ? () => {}
        : afterSilence(timeoutMs, () => end.fail(unanswered(timeoutMs)));
      call.end(method.requestSerialize(request));
    });
  }

  /**
   * A call that is answered with a stream. Whoever stops reading cancels it.
   *
   * @throws What the signal was aborted with, if it is.
   */
  serverStream<Reply>(
    method: ServiceDefinition[string],
    request: object,
    options: AskOptions,
  ): Replies<Reply> {
    options.signal?.throwIfAborted();
    const { onLeft } = options;
    const line = this.#lines.current;
    const replies = new Replies<Reply>((error) => this.#failed(line, error));
    const call = this.#call(line, method, replies);
    const end = this.#end(line, {
      ...options,
      onLeft: onLeft && ((error) => onLeft(this.#failed(line, error))),
    }, call);
    replies.begin(call, end);
    call.end(method.requestSerialize(request));
    return replies;
  }

  /**
   * A call with a stream of messages that is answered with one. What cannot be
   * read of the stream fails the call as it is. Each message is copied before
   * the next one is asked for: whoever makes them may use its memory again.
   */
  clientStream<Reply>(
    method: ServiceDefinition[string],
    requests: AsyncIterable<object> | Iterable<object>,
    options: AskOptions,
  ): Promise<Reply> {
    const { signal } = options;
    const line = this.#lines.current;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let answered = false;
      let goOn = (): void => {};
      const call = this.#callForOne<Reply>(line, method, (error, reply) => {
        answered = true;
        if (!error) end.answered();
        end[Symbol.dispose]();
        goOn();
        if (!error) return resolve(reply as Reply);
        reject(this.#failed(line, end.reason(error)));
      });
      const end = this.#end(line, options, call, true);
      void (async () => {
        try {
          for await (const request of requests) {
            if (answered) return;
            const bytes = method.requestSerialize(request);
            await new Promise<void>((sent) => {
              goOn = sent;
              call.send(bytes, sent);
            });
          }
          call.end();
        } catch (error) {
          reject(error);
          call.cancel();
        }
      })();
    });
  }

  /** Ends the connection; calls that are under way may finish. */
  close(): void {
    this.#lines.close();
  }

  #call<Reply>(
    line: Line,
    method: ServiceDefinition[string],
    events: CallEvents<Reply>,
  ): Call {
    const { session } = line;
    if (session) {
      try {
        return new SessionCall(session, method, line.headers, events);
      } catch {
        // It has just ended; grpc-js makes another one.
      }
    }
    return new GrpcCall(line.client, method, this.#security.metadata, events);
  }

  /** A call that is answered with one message. */
  #callForOne<Reply>(
    line: Line,
    method: ServiceDefinition[string],
    then: (error: Error | undefined, reply?: Reply) => void,
  ): Call {
    let reply: Reply | undefined;
    const call = this.#call<Reply>(line, method, {
      onMessage(message) {
        if (reply !== undefined) call.refuse("Too many responses received");
        reply = message;
        call.read();
      },
      onStatus(ended) {
        if (ended.code !== status.OK) return then(errorOf(ended));
        if (reply !== undefined) return then(undefined, reply);
        const details = "No message received";
        then(errorOf({ code: status.UNIMPLEMENTED, details }));
      },
    });
    call.read();
    return call;
  }

  #end(
    line: Line,
    options: AskOptions,
    call: { cancel(): void },
    isUpload = false,
  ): CallEnd {
    const cancel = () => call.cancel();
    return new CallEnd(this.#lines, line, options, cancel, isUpload);
  }

  /**
   * Lets the next call make a new connection when this one broke or is silent:
   * grpc-js may think for ever that a connection is ready which ended while it
   * was made. Returns the error.
   */
  #failed(line: Line, error: unknown): unknown {
    const { code } = (error ?? {}) as Partial<ServiceError>;
    const isBroken = code === status.UNAVAILABLE ||
      code === status.INTERNAL || hasCode(error, "unavailable");
    if (!isBroken) return error;
    this.#lines.drop(line);
    return namingProxy(error, this.#address);
  }
}
