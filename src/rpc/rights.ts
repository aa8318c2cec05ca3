/**
 * Rights at the edge: who calls, and whether they may. Where nobody asks who
 * calls, everybody may.
 *
 * @module
 */

import type { Access, Door } from "../access/access.ts";
import { Caller, type Right } from "../access/caller.ts";
import type { Call } from "../grpc/call.ts";
import type { Authenticate } from "../grpc/server.ts";
import type { Submission } from "../engine/engine.ts";
import type { Api, Id, RequestOf } from "../table/types.ts";
import { Status, StatusError } from "../grpc/status.ts";
import { MAX_NAMESPACE_BYTES } from "../limits.ts";
import { SocketStream } from "../tls/socket_stream.ts";
import type { Asked } from "./asked_entry.ts";

/** Probes ask these, and they say nothing of what is kept. */
const OPEN_SERVICES = /^\/grpc\.(health|reflection)\./;
/** Whoever asks those. */
const NOBODY = new Caller(undefined, {});

const TWICE = new StatusError(
  Status.UNAUTHENTICATED,
  "the call has two authorization headers: send one",
);

/** Says who makes a call at a listener. */
export function authenticateBy(access: Access, door: Door): Authenticate {
  return ({ path, fields }, { transport, peer }) => {
    if (OPEN_SERVICES.test(path)) return NOBODY;
    let authorization: string | undefined;
    for (let at = 0; at < fields.length; at += 2) {
      if (fields[at] !== "authorization") continue;
      // What stands between may have looked at the other one.
      if (authorization !== undefined) return TWICE;
      authorization = fields[at + 1]!;
    }
    const names = transport instanceof SocketStream ? transport.names : [];
    const caller = access.whoIs(door, authorization, names, peer);
    if (typeof caller !== "string") return caller;
    return new StatusError(Status.UNAUTHENTICATED, caller);
  };
}

/** `larder doctor` asks for a value here to see which service it is: none has any. */
const LOOKED_AT = "larder.doctor";

/**
 * A Get, of somebody who may be known.
 *
 * @throws {StatusError} They may not read there, or nothing can be there.
 */
export function getBy(call: Call, api: Api, asked: Asked): Submission {
  const { entry, assign, fault } = asked;
  if (call.caller !== undefined) demand(call, "read", entry.namespace);
  if (fault !== undefined) throw fault;
  if (!assign && entry.namespace === LOOKED_AT) {
    return { kind: "get", api, entry, assign, looks: true, peer: call };
  }
  if (call.caller === undefined) {
    return { kind: "get", api, entry, assign, peer: call };
  }
  const { over, name: by, mayWrite } = callerOf(call)!;
  // Spelled out: this is every hit of whoever has a token.
  if (mayWrite(entry.namespace)) {
    return by === undefined
      ? { kind: "get", api, entry, assign, peer: call, over }
      : { kind: "get", api, entry, assign, peer: call, over, by };
  }
  return { kind: "get", api, entry, peer: call, ...who(call, asked) };
}

/** What of a Get depends on who asks: a mere reader changes nothing. */
export function who(
  call: Call,
  { entry: { namespace }, assign }: Omit<Asked, "fault">,
): Pick<RequestOf<"get">, "assign" | "by" | "over" | "reads"> {
  const caller = callerOf(call);
  const by = caller?.name;
  const mayWrite = may(call, "write", namespace);
  return {
    assign: assign && mayWrite,
    ...caller && { over: caller.over },
    ...by !== undefined && { by },
    ...!mayWrite && { reads: true as const },
  };
}

/** A request about an id, of somebody who may be known. */
export function idBy<R extends Submission & { readonly id: Id }>(
  call: Call,
  request: R,
): R {
  const caller = callerOf(call);
  if (caller === undefined) return request;
  const { name: by, mayWrite } = caller;
  return { ...request, ...by !== undefined && { by }, mayWrite };
}

/** Whether a caller may do something with the entries of a namespace. */
export function may(call: Call, right: Right, namespace: string): boolean {
  return callerOf(call)?.may(right, namespace) ?? true;
}

/**
 * Refuses who may not.
 *
 * @throws {StatusError} PERMISSION_DENIED.
 */
export function demand(call: Call, right: Right, namespace: string): void {
  if (may(call, right, namespace)) return;
  // It has not been looked at yet, and may be anything.
  const shown = JSON.stringify(namespace.slice(0, MAX_NAMESPACE_BYTES));
  throw denied(call, `to ${right} in ${shown}`);
}

/** The same for what names no namespace: somewhere it has to be allowed. */
export function demandAnywhere(call: Call, right: Right): void {
  const mayAnywhere = callerOf(call)?.mayAnywhere(right) ?? true;
  if (!mayAnywhere) throw denied(call, `to ${right} anywhere`);
}

/** The same for what concerns all namespaces. */
export function demandEverywhere(call: Call, right: Right): void {
  if (!mayEverywhere(call, right)) {
    throw denied(call, `to ${right} in all namespaces`);
  }
}

/** Whether a caller may do something in all namespaces. */
export function mayEverywhere(call: Call, right: Right): boolean {
  return callerOf(call)?.mayEverywhere(right) ?? true;
}

/** Who calls, as {@linkcode authenticateBy} says; `undefined`: nobody has asked. */
function callerOf({ caller }: Call): Caller | undefined {
  return caller as Caller | undefined;
}

/** Refuses who may not see what the server does. */
export function demandWatch(call: Call): void {
  const mayWatch = callerOf(call)?.mayWatch ?? true;
  if (!mayWatch) throw denied(call, 'to watch, or to admin "*"');
}

/** Says whom the server takes the caller for: not always who they mean to be. */
function denied(call: Call, what: string): StatusError {
  const name = callerOf(call)?.name;
  const who = name === undefined
    ? "a caller without a token or a known certificate"
    : JSON.stringify(name);
  const message = `${who} does not have the right ${what}`;
  return new StatusError(Status.PERMISSION_DENIED, message);
}
