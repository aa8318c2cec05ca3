/**
 * What every handler does: submit a request to the engine, hand its reply to
 * grpc-js, and withdraw it when the caller has gone.
 *
 * @module
 */

import type { handleUnaryCall } from "@grpc/grpc-js";
import type { Grant } from "../engine/admission.ts";
import type { Engine, Submission } from "../engine/engine.ts";
import { entryKey } from "../engine/entry_key.ts";
import type { Api, Peer, Reply } from "../table/types.ts";
import { toGrpcError } from "./status.ts";
import { Malformed } from "./strict_wire.ts";
import { connectionOf } from "./transport/mod.ts";
import { EMPTY, type Empty, type GetRequest, type IdRequest } from "./wire.ts";

/** How a call becomes a submission, and a reply becomes a message. */
export interface Unary<Request, Response> {
  /** May throw a `LarderError`; the peer may be asked who it is. */
  readonly decode: (request: Request, peer: Peer) => Submission;
  /** Is not called for errors. */
  readonly encode: (reply: Reply) => Response;
}

/** Makes a handler. */
export function unary<Request extends object, Response>(
  engine: Engine,
  { decode, encode }: Unary<Request, Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    let answered = false;
    function answer(reply: Reply, grant?: Grant): void {
      answered = true;
      if (grant && call.cancelled) grant.release();
      // Emitted at every end of a call.
      else if (grant) call.once("cancelled", () => grant.release());
      if (reply.kind === "error") callback(toGrpcError(reply.error));
      else callback(null, encode(reply));
    }
    const request: Request | Malformed = call.request;
    let submission: Submission;
    try {
      if (request instanceof Malformed) throw request.error;
      submission = decode(request, call);
      letGo(request);
    } catch (error) {
      return callback(toGrpcError(error));
    }
    const owner = connectionOf(call) ?? call;
    const ticket = engine.submit(submission, answer, owner);
    if (answered) return;
    // Emitted after success too, but then the engine knows the ticket no more.
    call.on("cancelled", () => engine.cancel(ticket));
  };
}

/**
 * The key or value is the engine's now; grpc-js keeps the request until its call
 * has ended, which takes as long as whoever reads the reply likes.
 */
function letGo(request: object): void {
  const fields = request as Record<string, unknown>;
  for (const name in fields) {
    if (fields[name] instanceof Uint8Array) delete fields[name];
  }
}

/** How a Get of either service becomes a submission. */
export function decodeGet(
  api: Api,
): (request: GetRequest, peer: Peer) => Submission {
  return ({ namespace, key, assign }, peer) => ({
    kind: "get",
    api,
    entry: entryKey(namespace, key),
    assign,
    peer,
  });
}

/** Makes the handler of a method that takes an id and is answered with `Empty`. */
export function byId(
  engine: Engine,
  kind: "heartbeat" | "done" | "drop",
): handleUnaryCall<IdRequest, Empty> {
  return unary(engine, {
    decode: ({ id }) => ({ kind, id }),
    encode: encodeEmpty,
  });
}

/** The reply of everything that is answered with `Empty`. */
export function encodeEmpty(reply: Reply): Empty {
  if (reply.kind !== "ok") throw new Error(`unexpected reply ${reply.kind}`);
  return EMPTY;
}
