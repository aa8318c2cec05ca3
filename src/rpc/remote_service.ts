/**
 * `remote.RemoteCache`: values travel in the messages.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Engine } from "../engine/engine.ts";
import type { Reply } from "../table/types.ts";
import { loadService } from "./protos.ts";
import type { Service } from "./service.ts";
import { serializeParts } from "./transport/mod.ts";
import { byId, decodeGet, encodeEmpty, unary } from "./unary.ts";
import { EMPTY, type GetRequest } from "./wire.ts";
import type { RemoteGetReply, SetRequest } from "./wire.ts";

/** What the service needs to know beside the engine. */
export interface RemoteServiceOptions {
  /** What assigned clients are told. */
  readonly heartbeatIntervalMs: number;
}

/** `GetReply.ready`: field 4, length-delimited. */
const READY_TAG = (4 << 3) | 2;
/** A varint carries seven bits a byte. */
const VARINT_BITS = 7;

/** The service on an engine. */
export function remoteService(
  engine: Engine,
  options: RemoteServiceOptions,
): Service {
  const heartbeatIntervalMs = String(options.heartbeatIntervalMs);

  function encodeGet(reply: Reply): RemoteGetReply {
    switch (reply.kind) {
      case "unassigned":
        return { unassigned: EMPTY };
      case "loading":
        return { loading: EMPTY };
      case "assigned":
        return { assign: { id: reply.assignment.id, heartbeatIntervalMs } };
      case "value":
        return { ready: reply.value };
      default:
        throw new Error(`unexpected reply ${reply.kind}`);
    }
  }

  const implementation: UntypedServiceImplementation = {
    get: unary<GetRequest, RemoteGetReply>(engine, {
      decode: decodeGet("remote"),
      encode: encodeGet,
    }),
    heartbeat: byId(engine, "heartbeat"),
    set: unary<SetRequest, object>(engine, {
      decode: ({ id, value }) => ({ kind: "set", id, value }),
      encode: encodeEmpty,
    }),
  };
  const loaded = loadService("remote.proto", "remote.RemoteCache");
  const get = loaded["Get"]!;
  const definition = {
    ...loaded,
    Get: {
      ...get,
      responseSerialize: (reply: RemoteGetReply) =>
        "ready" in reply
          ? serializeReady(reply.ready)
          : get.responseSerialize(reply),
    },
  };
  return { definition, implementation };
}

/** A hot value is shared by all its readers: it is sent as it is, never copied. */
function serializeReady(value: Uint8Array): Buffer {
  const head = new Uint8Array(1 + varintBytes(value.length));
  let at = 0;
  head[at++] = READY_TAG;
  let rest = value.length;
  for (; rest >= 1 << VARINT_BITS; rest >>>= VARINT_BITS) {
    head[at++] = (rest & 0x7f) | 0x80;
  }
  head[at] = rest;
  return serializeParts(head, value);
}

function varintBytes(value: number): number {
  const bits = 32 - Math.clz32(value);
  return Math.max(1, Math.ceil(bits / VARINT_BITS));
}
