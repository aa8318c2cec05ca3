/**
 * A gRPC server without a socket: requests of HTTP/2 in, replies out.
 *
 * @module
 */

import { ErrorCode } from "../http2/error_codes.ts";
import type {
  Connection,
  RequestHandler,
  RequestHead,
  ServerStream,
  StreamEvents,
} from "../http2/stream_api.ts";
import { nextTurn } from "../http2/turns.ts";
import type {
  ClientStreamingHandler,
  DuplexHandler,
  ServerStreamingHandler,
  UnaryHandler,
} from "./call.ts";
import type { CallCore, Route } from "./call_core.ts";
import type { Clock } from "./clock.ts";
import { type CountedCaller, isCounted } from "./counted_caller.ts";
import type { CallCounts } from "./counts.ts";
import { Deadlines } from "./deadlines.ts";
import { frameMessage } from "./framing.ts";
import { CALLER_RETRY_MS } from "./limits.ts";
import { MessageTurns } from "./message_turns.ts";
import type { Method } from "./method.ts";
import { isGrpc, refuseContent, refuseMethod } from "./refusals.ts";
import {
  OK_HEADERS,
  OK_TRAILERS,
  trailersOnly,
  unknownEncoding,
} from "./replies.ts";
import type { MethodObserver, Observe } from "./observer.ts";
import type { RequestBudget } from "./request_budget.ts";
import { exhausted } from "./retry_info.ts";
import { Status, type StatusCode, StatusError } from "./status.ts";
import { StreamingRequestCall } from "./streaming_request.ts";
import { parseTimeoutMs } from "./timeout.ts";
import { UnaryRequestCall } from "./unary_request.ts";

/** What a server needs. */
export interface GrpcOptions {
  /** Deadlines are on this clock. */
  readonly clock: Clock;
  /** Larger messages are refused with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
  /** Gets what handlers throw and what else an operator should know. */
  readonly log: CallCore["log"];
  /** Shared by all servers of a process. */
  readonly counts: CallCounts;
  /** Memory for large requests; without one it is not counted. */
  readonly requestBudget?: RequestBudget;
  /** Makes buffers for large messages; they may hold anything. */
  readonly newBuffer?: (bytes: number) => Uint8Array;
  /** Says who makes a call, or why it is refused; without one nobody asks. */
  readonly authenticate?: Authenticate;
  /** Who is told how calls end, a method. */
  readonly observe?: Observe;
  /** Stands around each handler; without one nothing does. */
  readonly around?: Around;
  /** Calls once in a later turn of the event loop. */
  readonly nextTurn?: (work: () => void) => void;
}

/** Looks at the head of a call. */
export type Authenticate = (
  head: RequestHead,
  connection: Connection,
) => CountedCaller | StatusError;

/** What stands around a handler: it calls that with what it was called with. */
export type Around = (handler: Route["handler"]) => Route["handler"];

/** Of streams that are answered already. */
const ANSWERED: StreamEvents = { data() {}, end() {}, closed() {} };

/** Methods with their handlers. */
export class GrpcServer {
  readonly #core: CallCore;
  readonly #deadlines: Deadlines;
  readonly #routes = new Map<string, Route>();
  readonly #observe: Observe | undefined;
  readonly #authenticate: Authenticate | undefined;
  readonly #around: Around;
  /** Of calls that no method takes. */
  readonly #others: MethodObserver | undefined;
  /** The names of the services that methods were added of. */
  readonly services: ReadonlySet<string> = new Set<string>();

  /**
   * @param options What it needs.
   */
  constructor(options: GrpcOptions) {
    const { clock, maxMessageBytes, log, counts, requestBudget } = options;
    this.#observe = options.observe;
    this.#authenticate = options.authenticate;
    this.#around = options.around ?? ((handler) => handler);
    this.#others = options.observe?.("");
    this.#deadlines = new Deadlines(clock);
    this.#core = {
      clock,
      maxMessageBytes,
      log,
      counts,
      requestBudget,
      newBuffer: options.newBuffer ?? ((bytes) => new Uint8Array(bytes)),
      deadlines: this.#deadlines,
      turns: new MessageTurns(
        options.nextTurn ?? nextTurn,
        () => clock.nowMs(),
      ),
    };
  }

  /** Calls that wait for their deadline. */
  get waitingDeadlines(): number {
    return this.#deadlines.size;
  }

  /** Adds a method with one request and one reply. */
  unary<Q, S>(method: Method<Q, S>, handler: UnaryHandler<Q, S>): void {
    this.#add(method, handler, "one to one");
  }

  /** Adds a method with one request and many replies. */
  serverStreaming<Q, S>(
    method: Method<Q, S>,
    handler: ServerStreamingHandler<Q, S>,
  ): void {
    this.#add(method, handler, "one to many");
  }

  /** Adds a method with many requests and one reply. */
  clientStreaming<Q, S>(
    method: Method<Q, S>,
    handler: ClientStreamingHandler<Q, S>,
  ): void {
    this.#add(method, handler, "many to one");
  }

  /** Adds a method with many requests and many replies. */
  duplex<Q, S>(method: Method<Q, S>, handler: DuplexHandler<Q, S>): void {
    this.#add(method, handler, "many to many");
  }

  #add(
    method: Route["method"],
    handler: Route["handler"],
    kind: string,
  ): void {
    const { path, requestStream, responseStream } = method;
    const requests = requestStream ? "many" : "one";
    const replies = responseStream ? "many" : "one";
    if (kind !== `${requests} to ${replies}`) {
      throw new TypeError(
        `${path} is ${requests} to ${replies}: its handler is ${kind}`,
      );
    }
    if (this.#routes.has(path)) {
      throw new TypeError(`${path} has a handler already`);
    }
    const service = path.slice(1, path.lastIndexOf("/"));
    (this.services as Set<string>).add(service);
    const observer = this.#observe?.(path);
    this.#routes.set(path, {
      core: this.#core,
      method,
      observer,
      handler: this.#around(handler),
    });
  }

  /** Takes the requests of HTTP/2. */
  readonly handleRequest: RequestHandler = (stream, head) => {
    if (head.method !== "POST") {
      refuseMethod(stream);
      return ANSWERED;
    }
    const { fields } = head;
    let contentType, encoding, timeout;
    for (let at = 0; at < fields.length; at += 2) {
      switch (fields[at]) {
        case "content-type":
          contentType = fields[at + 1]!;
          break;
        case "grpc-encoding":
          encoding = fields[at + 1]!;
          break;
        case "grpc-timeout":
          timeout = fields[at + 1]!;
          break;
      }
    }
    if (!isGrpc(contentType)) {
      refuseContent(stream);
      return ANSWERED;
    }
    if (encoding !== undefined && encoding !== "identity") {
      this.#others?.ended(Status.UNIMPLEMENTED, 0, stream);
      stream.headers(unknownEncoding(encoding), true);
      return ANSWERED;
    }
    const timeoutMs = timeout === undefined ? 0 : parseTimeoutMs(timeout);
    if (timeoutMs === undefined) {
      const message =
        `malformed grpc-timeout ${timeout}: it has to be 1 to 8 ` +
        "digits and one of H M S m u n";
      return this.#refuse(stream, Status.INTERNAL, message);
    }
    const route = this.#routes.get(head.path);
    if (route === undefined) {
      const message = `unimplemented method ${head.path}`;
      return this.#refuse(stream, Status.UNIMPLEMENTED, message);
    }
    let caller: CountedCaller | undefined;
    if (this.#authenticate !== undefined) {
      const known = this.#authenticate(head, stream.connection);
      if (known instanceof StatusError) {
        const { code, message } = known;
        return this.#refuse(stream, code, message, route.observer);
      }
      caller = known;
    }
    if (timeout === undefined) {
      // To read the clock takes a hundredth of what a small call does.
      const beganMs = route.observer ? this.#core.clock.nowMs() : 0;
      return this.#begin(route, stream, { fields, caller, beganMs });
    }
    if (timeoutMs === 0) {
      const message = "the deadline had passed before the call began";
      const code = Status.DEADLINE_EXCEEDED;
      return this.#refuse(stream, code, message, route.observer);
    }
    const beganMs = this.#deadlines.arrivedMs;
    const deadlineMs = beganMs + timeoutMs;
    return this.#begin(route, stream, { fields, caller, beganMs, deadlineMs });
  };

  #begin(
    route: Route,
    stream: ServerStream,
    { fields, caller, beganMs, deadlineMs }: {
      readonly fields: readonly string[];
      readonly caller: CountedCaller | undefined;
      readonly beganMs: number;
      readonly deadlineMs?: number;
    },
  ): StreamEvents {
    const { counts } = this.#core;
    const client = counts.open.admit(stream.connection);
    if (client === undefined) {
      counts.onRefused("manyCalls");
      route.observer?.ended(Status.UNAVAILABLE, 0, stream);
      // No handler has seen it: it may be sent again.
      stream.reset(ErrorCode.REFUSED_STREAM);
      return ANSWERED;
    }
    if (caller && isCounted(route.method)) {
      const refusal = caller.enter();
      if (refusal) {
        counts.open.leave(client);
        counts.onRefused("callerCalls", refusal.message);
        return this.#refuseCaller(route, stream, refusal.message);
      }
    }
    const Call = route.method.requestStream
      ? StreamingRequestCall
      : UnaryRequestCall;
    const start = { stream, fields, client, caller, beganMs, deadlineMs };
    const call = new Call(route, start);
    route.observer?.began?.(fields, stream);
    call.begin();
    return call;
  }

  /** Its caller has as many under way as they may. */
  #refuseCaller(
    { method: { overLimit }, observer }: Route,
    stream: ServerStream,
    message: string,
  ): StreamEvents {
    if (overLimit === undefined || overLimit === "passes") {
      const { code, trailers } = exhausted(message, CALLER_RETRY_MS);
      observer?.ended(code, 0, stream);
      stream.headers(trailersOnly({ code, message }, trailers), true);
    } else {
      observer?.ended(Status.OK, 0, stream);
      stream.respond(OK_HEADERS, frameMessage(overLimit), OK_TRAILERS);
    }
    return ANSWERED;
  }

  #refuse(
    stream: ServerStream,
    code: StatusCode,
    message: string,
    observer: MethodObserver | undefined = this.#others,
  ): StreamEvents {
    observer?.ended(code, 0, stream);
    stream.headers(trailersOnly({ code, message }), true);
    return ANSWERED;
  }
}
