/**
 * A call from its head to its end, whatever its kind.
 *
 * It is one object, seen by HTTP/2 as a stream's events, by its handler as a
 * `Call`, and by what counts and times calls: 40,000 of them begin in a second.
 *
 * @module
 */

import { ErrorCode } from "../http2/error_codes.ts";
import type { ServerStream, StreamEvents } from "../http2/stream_api.ts";
import type { Call } from "./call.ts";
import type { CallCore, CallStart, Route } from "./call_core.ts";
import { Ending } from "./call_end.ts";
import { type CountedCaller, isCounted } from "./counted_caller.ts";
import { type Deadlined, NOT_WAITING } from "./deadlines.ts";
import { frameMessage } from "./framing.ts";
import { Metadata } from "./metadata.ts";
import { parseMetadata } from "./metadata_fields.ts";
import type { CallPlace, MethodObserver } from "./observer.ts";
import type { CountedClient } from "./open_calls.ts";
import {
  OK,
  OK_HEADERS,
  OK_TRAILERS,
  type Outcome,
  responseHeaders,
  responseTrailers,
  trailersOnly,
} from "./replies.ts";
import { RequestGrant } from "./request_budget.ts";
import { ReplySender } from "./sender.ts";
import { Status, type StatusCode, StatusError } from "./status.ts";
import type { UnfinishedRequest } from "./unfinished_requests.ts";
import { UploadPace } from "./upload_pace.ts";

/** What the client is told of errors that are ours. */
const OUR_ERROR: Outcome = {
  code: Status.INTERNAL,
  message: "the server failed; its log says why",
};
const TOO_LATE: Outcome = {
  code: Status.DEADLINE_EXCEEDED,
  message: "the deadline has passed",
};

/** What the two kinds of request have in common. */
export abstract class ServerCall extends Ending
  implements Call, StreamEvents, Deadlined, UnfinishedRequest {
  /** Shared by all calls. */
  protected readonly core: CallCore;
  /** Where the request comes from. */
  protected readonly stream: ServerStream;
  readonly client: CountedClient;
  readonly caller: CountedCaller | undefined;
  readonly deadlineMs: number | undefined;
  deadlinePlace: number = NOT_WAITING;
  unfinishedBytes = 0;
  stiller: UnfinishedRequest | undefined = undefined;
  livelier: UnfinishedRequest | undefined = undefined;
  readonly #route: Route;
  readonly #fields: readonly string[];
  /** Until it has been told how the call ended. */
  #observer: MethodObserver | undefined;
  readonly #beganMs: number;
  #isClosed = false;
  #isAnswered = false;
  #hasHeaders = false;
  #isRunning = false;
  #sender: ReplySender<unknown> | undefined = undefined;
  #grant: RequestGrant | undefined = undefined;
  #pace: UploadPace | undefined = undefined;
  #metadata: Metadata | undefined = undefined;
  #initial: Metadata | undefined = undefined;
  #trailing: Metadata | undefined = undefined;

  /** The head of its request has come. */
  constructor(route: Route, start: CallStart) {
    super();
    this.core = route.core;
    this.stream = start.stream;
    this.client = start.client;
    this.caller = start.caller;
    this.deadlineMs = start.deadlineMs;
    this.#route = route;
    this.#fields = start.fields;
    this.#observer = route.observer;
    this.#beganMs = start.beganMs;
  }

  /** Counts and times it from now on; it may be refused at once. */
  begin(): void {
    if (this.deadlineMs !== undefined) this.core.deadlines.add(this);
    this.core.counts.unfinished.add(this);
  }

  abstract data(bytes: Uint8Array): void;
  abstract end(): void;
  /** Nothing more of the request is of use. */
  protected abstract letGo(): void;

  get peer(): string {
    return this.stream.connection.peer;
  }

  get place(): CallPlace {
    return this.stream;
  }

  get connection(): object {
    return this.stream.connection;
  }

  get metadata(): Metadata {
    return this.#metadata ??= parseMetadata(this.#fields);
  }

  get initialMetadata(): Metadata {
    return this.#initial ??= new Metadata();
  }

  get trailingMetadata(): Metadata {
    return this.#trailing ??= new Metadata();
  }

  sendHeaders(): void {
    if (this.isOver || this.#hasHeaders) return;
    this.#hasHeaders = true;
    this.stream.headers(responseHeaders(this.#initial));
  }

  /** Answered or ended: nothing can be sent any more. */
  protected get isOver(): boolean {
    return this.#isAnswered || this.hasEnded;
  }

  /** The method. */
  protected get method(): Route["method"] {
    return this.#route.method;
  }

  /** What the call holds of the request budget. */
  protected get grant(): RequestGrant {
    const { requestBudget } = this.core;
    return this.#grant ??= new RequestGrant(requestBudget, this.connection);
  }

  /** Holds back what comes, where its caller may send only so much. */
  protected get pace(): UploadPace | undefined {
    const { caller } = this;
    // A method that has an answer of its own for a limit, or knows none, waits
    // for nothing.
    if (!caller?.isPaced || this.method.overLimit !== undefined) {
      return undefined;
    }
    return this.#pace ??= new UploadPace(caller, this.core.clock);
  }

  /** Calls once its caller may send a message of so many bytes. */
  protected paced(bytes: number, then: () => void): void {
    const { pace } = this;
    if (pace === undefined) return then();
    const refusal = pace.after(bytes, then);
    if (refusal === undefined) return;
    this.core.counts.onRefused("callerUpload", refusal.message);
    this.fail(refusal);
  }

  /** The handler has its turn. */
  protected run(request: unknown): void {
    const { handler, method } = this.#route;
    this.#isRunning = true;
    try {
      if (method.responseStream) {
        this.#sender = new ReplySender({
          stream: this.stream,
          encode: method.encode,
          begin: () => {
            this.sendHeaders();
            return !this.isOver;
          },
        });
      }
      const result = handler(request, this, this.#sender);
      if (!(result instanceof Promise)) return this.#finish(result);
      result.then(
        (reply) => this.#finish(reply),
        (error) => this.#break(error),
      );
    } catch (error) {
      this.#break(error);
    }
  }

  #finish(reply: unknown): void {
    if (!this.isOver) {
      if (this.method.responseStream) this.#answer(OK, undefined);
      else this.#reply(reply);
    }
    this.#stop();
  }

  #break(error: unknown): void {
    this.fail(error);
    this.#stop();
  }

  /** A call counts as open until its handler has ended, too. */
  #stop(): void {
    this.#isRunning = false;
    if (this.#isClosed) this.#leave();
  }

  #leave(): void {
    this.core.counts.open.leave(this.client);
    if (this.caller && isCounted(this.method)) this.caller.leave();
  }

  #reply(reply: unknown): void {
    let frame: readonly Uint8Array[];
    try {
      frame = frameMessage(this.method.encode(reply));
    } catch (error) {
      return this.fail(error);
    }
    this.#setAnswered(Status.OK);
    const trailers = this.#trailing === undefined
      ? OK_TRAILERS
      : responseTrailers(OK, this.#trailing);
    if (!this.#hasHeaders) {
      const headers = this.#initial === undefined
        ? OK_HEADERS
        : responseHeaders(this.#initial);
      return this.stream.respond(headers, frame, trailers);
    }
    this.stream.data(frame);
    this.stream.trailers(trailers);
  }

  /** Ends the call with what was thrown, unless it is over. */
  protected fail(error: unknown): void {
    // What a handler throws once its call has ended is mostly just that.
    if (this.isOver) return;
    if (error instanceof StatusError) {
      return this.#answer(error, error.trailers);
    }
    const message = `The call of ${this.method.path} failed`;
    this.core.log(message, error, this.stream);
    this.#answer(OUR_ERROR, undefined);
  }

  #answer(outcome: Outcome, more: Metadata | undefined): void {
    if (!this.#hasHeaders) {
      if (this.#initial === undefined || this.#initial.size === 0) {
        this.#setAnswered(outcome.code);
        const block = trailersOnly(outcome, this.#trailing, more);
        return this.stream.headers(block, true);
      }
      this.sendHeaders();
    }
    this.#setAnswered(outcome.code);
    this.stream.trailers(responseTrailers(outcome, this.#trailing, more));
  }

  #setAnswered(code: StatusCode): void {
    this.#isAnswered = true;
    this.#observe(code);
    this.#stopWaiting();
    this.#pace?.end();
    this.letGo();
  }

  #observe(code: StatusCode): void {
    const observer = this.#observer;
    if (observer === undefined) return;
    this.#observer = undefined;
    const tookMs = this.core.clock.nowMs() - this.#beganMs;
    observer.ended(code, tookMs, this.stream);
  }

  #stopWaiting(): void {
    if (this.deadlinePlace !== NOT_WAITING) this.core.deadlines.remove(this);
    this.core.counts.unfinished.remove(this);
  }

  /** {@inheritDoc Deadlined.expire} */
  expire(): void {
    if (this.isOver) return;
    if (this.#sender?.isWaiting) {
      // The status would have to wait behind what the client does not read.
      this.#observe(Status.DEADLINE_EXCEEDED);
      return this.#drop(ErrorCode.CANCEL);
    }
    this.#answer(TOO_LATE, undefined);
    this.#end(false);
  }

  /** {@inheritDoc UnfinishedRequest.refuse} */
  refuse(): void {
    this.#observe(Status.UNAVAILABLE);
    // What no handler has seen may be sent again.
    this.#drop(
      this.#isRunning ? ErrorCode.ENHANCE_YOUR_CALM : ErrorCode.REFUSED_STREAM,
    );
  }

  /** Not left to the stream, which may know us only when our head is taken. */
  #drop(code: number): void {
    this.stream.reset(code);
    this.closed(false);
  }

  closed(delivered: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end(delivered);
    if (!this.#isRunning) this.#leave();
  }

  #end(delivered: boolean): void {
    if (this.hasEnded) return;
    this.setEnded(delivered);
    this.#observe(Status.CANCELLED);
    this.#stopWaiting();
    this.#pace?.end();
    this.letGo();
    this.#grant?.end();
    this.#sender?.end();
    this.tellEnded();
  }

  /** {@inheritDoc Ending.onListenerError} */
  protected override onListenerError(error: unknown): void {
    const message = `The end of a call of ${this.method.path} failed`;
    this.core.log(message, error, this.stream);
  }
}
