/**
 * `remote.RemoteCache`: values travel in the messages.
 *
 * @module
 */

import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Engine } from "../engine/engine.ts";
import type { Reply } from "../table/types.ts";
import { serializeBytesField } from "./bytes_field.ts";
import { loadService } from "./protos.ts";
import type { Service } from "./service.ts";
import { byId, decodeGet, encodeEmpty, unary } from "./unary.ts";
import { EMPTY, type GetRequest } from "./wire.ts";
import type { RemoteGetReply, SetRequest } from "./wire.ts";

/** What the service needs to know beside the engine. */
export interface RemoteServiceOptions {
  /** What assigned clients are told. */
  readonly heartbeatIntervalMs: number;
}

/** `GetReply.ready`. */
const READY_FIELD = 4;

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
          ? serializeBytesField(READY_FIELD, reply.ready)
          : get.responseSerialize(reply),
    },
  };
  return { definition, implementation };
}
