/**
 * Traces of calls: a span for the call, one for each request to the engine, and
 * one for each operation of the stores that it waits for. Deno exports them.
 *
 * What runs for a call is found by the context that Deno carries along promises.
 * Only what the call still waits for is its own: what a timer wakes, or what goes
 * on behind a call that has ended, belongs to nobody's trace.
 *
 * @module
 */

import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import type { Clock } from "../../clock.ts";
import { Status, type StatusCode } from "../../grpc/status.ts";
import type { CallPlace, ObserveCalls } from "../call_log.ts";
import { doesLast } from "../lasting_calls.ts";
import { Sampler } from "./sampler.ts";
import { type Parent, parentOf } from "./traceparent.ts";

/** What answers a call; its types are known only where it was added. */
// deno-lint-ignore no-explicit-any
type Handler = (request: any, call: any, sender: any) => unknown;

/** A call that is traced. */
interface TracedCall {
  readonly span: Span;
  /** Whether it waits for anything still. */
  isOpen: boolean;
}

const CALL = createContextKey("the traced call that this is done for");

/** Where the server is to blame, or is taken to be. */
const FAULTS: ReadonlySet<StatusCode> = new Set<StatusCode>([
  ...[Status.UNKNOWN, Status.DEADLINE_EXCEEDED, Status.UNIMPLEMENTED],
  ...[Status.INTERNAL, Status.UNAVAILABLE, Status.DATA_LOSS],
]);

/** What traces are made with. */
export interface TracesOptions {
  /** The share of the calls that is traced, where no client has decided. */
  readonly ratio: number;
  /** Of the server. */
  readonly version: string;
  readonly clock: Pick<Clock, "nowMs">;
}

/** The traces of one process. */
export class Traces {
  readonly #tracer: Tracer;
  readonly #sampler: Sampler;
  readonly #open = new Map<CallPlace, Context>();

  constructor({ ratio, version, clock }: TracesOptions) {
    this.#tracer = trace.getTracer("larder", version);
    this.#sampler = new Sampler(ratio, clock);
  }

  /** Whether Deno takes spans: it looks at its environment when it starts. */
  get areTaken(): boolean {
    return this.#tracer.startSpan("start", { root: true }).isRecording();
  }

  /** Begins and ends the spans of calls. */
  readonly observe: ObserveCalls = (path) => {
    // Such a one would be one span a day.
    if (path === "" || doesLast(path)) return { ended() {} };
    return {
      began: (fields, place) => {
        const parent = parentOf(fields);
        if (this.#sampler.takes(parent)) this.#begin(path, place, parent);
      },
      ended: (code, _tookMs, place) => this.#end(code, place),
    };
  };

  #begin(path: string, place: CallPlace, parent: Parent | undefined): void {
    const [, service = "", method = ""] = path.split("/");
    const span = this.#tracer.startSpan(path.slice(1), {
      kind: SpanKind.SERVER,
      attributes: {
        "rpc.system": "grpc",
        "rpc.service": service,
        "rpc.method": method,
        // The same two as in the log's lines about it.
        "larder.client": place.connection.peer,
        "larder.call": place.id,
      },
    }, parent ? continuing(parent) : ROOT_CONTEXT);
    const call: TracedCall = { span, isOpen: true };
    const within = trace.setSpan(ROOT_CONTEXT, span).setValue(CALL, call);
    this.#open.set(place, within);
  }

  #end(code: StatusCode, place: CallPlace): void {
    const within = this.#open.get(place);
    if (within === undefined) return;
    this.#open.delete(place);
    const call = within.getValue(CALL) as TracedCall;
    call.isOpen = false;
    call.span.setAttribute("rpc.grpc.status_code", code);
    if (FAULTS.has(code)) call.span.setStatus({ code: SpanStatusCode.ERROR });
    call.span.end();
  }

  /** Lets what a handler does, and all that it waits for, be known as its call's. */
  readonly around = (handler: Handler): Handler => (request, call, sender) => {
    const within = this.#open.get(call.place);
    if (within === undefined) return handler(request, call, sender);
    return context.with(within, () => handler(request, call, sender));
  };

  /** Begins a part of what is done for a traced call, if something is. */
  part(name: string, attributes: Attributes = {}): Span | undefined {
    const active = context.active();
    const call = active.getValue(CALL) as TracedCall | undefined;
    if (!call?.isOpen) return undefined;
    return this.#tracer.startSpan(name, { attributes }, active);
  }

  /** Does something as a part that has begun. */
  within<T>(span: Span, work: () => T): T {
    return context.with(trace.setSpan(context.active(), span), work);
  }

  /** A clock whose timers wake what is nobody's, whoever has set them. */
  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      setTimer: (delayMs, wake) =>
        clock.setTimer(delayMs, () => context.with(ROOT_CONTEXT, wake)),
    };
  }
}

function continuing({ traceId, spanId }: Parent): Context {
  const traceFlags = TraceFlags.SAMPLED;
  const parent = { traceId, spanId, traceFlags, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}
