/**
 * An engine whose requests are parts of the traces of the calls that make them.
 *
 * @module
 */

import type { Attributes, Span } from "@opentelemetry/api";
import {
  Engine,
  type EngineOptions,
  type OnNotice,
  type OnReply,
  type Submission,
} from "../../engine/engine.ts";
import type { Reply, Ticket } from "../../table/types.ts";
import type { Traces } from "./traces.ts";

/** The engine. */
export class TracedEngine extends Engine {
  readonly #traces: Traces;
  /** Of requests that have not been answered. */
  readonly #spans = new Map<Ticket, Span>();

  constructor(options: EngineOptions, traces: Traces) {
    super(options);
    this.#traces = traces;
  }

  /** {@inheritDoc Engine.submit} */
  override submit(
    request: Submission,
    onReply: OnReply,
    owner: object = this,
    onNotice?: OnNotice,
  ): Ticket {
    const span = this.#traces.part(
      `engine.${request.kind}`,
      attributesOf(request),
    );
    if (span === undefined) {
      return super.submit(request, onReply, owner, onNotice);
    }
    let ticket = undefined as Ticket | undefined;
    let isAnswered = false;
    ticket = this.#traces.within(span, () =>
      super.submit(
        request,
        (reply, grant) => {
          isAnswered = true;
          if (ticket !== undefined) this.#spans.delete(ticket);
          end(span, reply);
          onReply(reply, grant);
        },
        owner,
        onNotice,
      ));
    if (!isAnswered) this.#spans.set(ticket, span);
    return ticket;
  }

  /** {@inheritDoc Engine.cancel} */
  override cancel(ticket: Ticket): void {
    const span = this.#spans.get(ticket);
    this.#spans.delete(ticket);
    span?.setAttribute("larder.reply", "withdrawn").end();
    super.cancel(ticket);
  }
}

/** Of which namespace; keys and ids are nobody's business. */
function attributesOf(request: Submission): Attributes {
  if (!("entry" in request)) return {};
  return { "larder.namespace": request.entry.namespace };
}

function end(span: Span, reply: Reply): void {
  span.setAttribute("larder.reply", reply.kind);
  if (reply.kind === "error") {
    span.setAttribute("error.type", reply.error.code);
  } else if (reply.kind === "unassigned" && reply.reason !== undefined) {
    span.setAttribute("larder.reason", reply.reason);
  }
  span.end();
}
