/**
 * `local.LocalCache`: clients on the same file system exchange paths.
 *
 * @module
 */

import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Engine } from "../engine/engine.ts";
import type { Reply } from "../table/types.ts";
import { loadService } from "./protos.ts";
import type { Service } from "./service.ts";
import { byId, decodeGet, unary } from "./unary.ts";
import { EMPTY, type GetRequest } from "./wire.ts";
import type { LocalGetReply } from "./wire.ts";

/** What the service needs to know beside the engine. */
export interface LocalServiceOptions {
  /** What assigned clients are told. */
  readonly heartbeatIntervalMs: number;
  /** The absolute path of a published blob. */
  readonly path: (name: string) => string;
  /** The absolute path of a staging file. */
  readonly stagingPath: (staging: string) => string;
}

/** The service on an engine. */
export function localService(
  engine: Engine,
  options: LocalServiceOptions,
): Service {
  const { path, stagingPath } = options;
  const heartbeatIntervalMs = String(options.heartbeatIntervalMs);

  function encodeGet(reply: Reply): LocalGetReply {
    switch (reply.kind) {
      case "unassigned":
        return { unassigned: EMPTY };
      case "loading":
        return { loading: EMPTY };
      case "assigned": {
        const { id, staging } = reply.assignment;
        if (staging === undefined) throw new Error(`${id} has no path`);
        const assign = { id, path: stagingPath(staging), heartbeatIntervalMs };
        return { assign };
      }
      case "handle":
        return { ready: { id: reply.id, path: path(reply.name) } };
      default:
        throw new Error(`unexpected reply ${reply.kind}`);
    }
  }

  const implementation: UntypedServiceImplementation = {
    get: unary<GetRequest, LocalGetReply>(engine, {
      decode: decodeGet("local"),
      encode: encodeGet,
    }),
    heartbeat: byId(engine, "heartbeat"),
    done: byId(engine, "done"),
    drop: byId(engine, "drop"),
  };
  const definition = loadService("local.proto", "local.LocalCache");
  return { definition, implementation };
}
