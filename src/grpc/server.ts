/**
 * A gRPC server without a socket: requests of HTTP/2 in, replies out.
 *
 * @module
 */

import { ErrorCode } from "../http2/error_codes.ts";
import type {
  RequestHandler,
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
import type { CallCounts } from "./counts.ts";
import { Deadlines } from "./deadlines.ts";
import { MessageTurns } from "./message_turns.ts";
import type { Method } from "./method.ts";
import { isGrpc, refuseContent, refuseMethod } from "./refusals.ts";
import { trailersOnly, unknownEncoding } from "./replies.ts";
import type { RequestBudget } from "./request_budget.ts";
import { Status, type StatusCode } from "./status.ts";
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
  readonly log: (message: string, cause?: unknown) => void;
  /** Shared by all servers of a process. */
  readonly counts: CallCounts;
  /** Memory for large requests; without one it is not counted. */
  readonly requestBudget?: RequestBudget;
  /** Makes buffers for large messages; they may hold anything. */
  readonly newBuffer?: (bytes: number) => Uint8Array;
  /** Calls once in a later turn of the event loop. */
  readonly nextTurn?: (work: () => void) => void;
}

/** Of streams that are answered already. */
const ANSWERED: StreamEvents = { data() {}, end() {}, closed() {} };

/** Methods with their handlers. */
export class GrpcServer {
  readonly #core: CallCore;
  readonly #deadlines: Deadlines;
  readonly #routes = new Map<string, Route>();
  /** The names of the services that methods were added of. */
  readonly services: ReadonlySet<string> = new Set<string>();

  /**
   * @param options What it needs.
   */
  constructor(options: GrpcOptions) {
    const { clock, maxMessageBytes, log, counts, requestBudget } = options;
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
    this.#routes.set(path, { core: this.#core, method, handler });
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
      stream.headers(unknownEncoding(encoding), true);
      return ANSWERED;
    }
    const timeoutMs = timeout === undefined ? 0 : parseTimeoutMs(timeout);
    if (timeoutMs === undefined) {
      const message =
        `malformed grpc-timeout ${timeout}: it has to be 1 to 8 ` +
        "digits and one of H M S m u n";
      return refuse(stream, Status.INTERNAL, message);
    }
    const route = this.#routes.get(head.path);
    if (route === undefined) {
      const message = `unimplemented method ${head.path}`;
      return refuse(stream, Status.UNIMPLEMENTED, message);
    }
    if (timeout === undefined) {
      return this.#begin(route, stream, { fields, deadlineMs: undefined });
    }
    if (timeoutMs === 0) {
      const message = "the deadline had passed before the call began";
      return refuse(stream, Status.DEADLINE_EXCEEDED, message);
    }
    const deadlineMs = this.#core.clock.nowMs() + timeoutMs;
    return this.#begin(route, stream, { fields, deadlineMs });
  };

  #begin(
    route: Route,
    stream: ServerStream,
    { fields, deadlineMs }: {
      readonly fields: readonly string[];
      readonly deadlineMs: number | undefined;
    },
  ): StreamEvents {
    const { counts } = this.#core;
    const caller = counts.open.admit(stream.connection);
    if (caller === undefined) {
      counts.onRefused("manyCalls");
      // No handler has seen it: it may be sent again.
      stream.reset(ErrorCode.REFUSED_STREAM);
      return ANSWERED;
    }
    const Call = route.method.requestStream
      ? StreamingRequestCall
      : UnaryRequestCall;
    const call = new Call(route, { stream, fields, caller, deadlineMs });
    call.begin();
    return call;
  }
}

function refuse(
  stream: ServerStream,
  code: StatusCode,
  message: string,
): StreamEvents {
  stream.headers(trailersOnly({ code, message }), true);
  return ANSWERED;
}
