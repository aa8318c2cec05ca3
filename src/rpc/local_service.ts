/**
 * `local.LocalCache`: clients on the same file system exchange paths.
 *
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import type { Reply } from "../table/types.ts";
import type { Paths } from "./cache_options.ts";
import { getMethod, idMethod, passing } from "./hot_methods.ts";
import {
  assignedFile,
  LOADING,
  type Parts,
  readyFile,
  UNASSIGNED,
} from "./replies.ts";
import { demandAnywhere, getBy, idBy } from "./rights.ts";
import type { Service } from "./service.ts";
import { submit } from "./unary.ts";

/** What the service needs to know beside the engine. */
export interface LocalServiceOptions extends Paths {
  /** What assigned clients are told. */
  readonly heartbeatIntervalMs: number;
}

/** The methods that take an id, and what the engine calls them. */
const BY_ID = { Heartbeat: "heartbeat", Done: "done", Drop: "drop" } as const;

/** The service on an engine. */
export function localService(
  engine: Engine,
  { path, stagingPath, heartbeatIntervalMs }: LocalServiceOptions,
): Service {
  function encodeGet(reply: Reply): Parts {
    switch (reply.kind) {
      case "unassigned":
        return UNASSIGNED;
      case "loading":
        return LOADING;
      case "assigned": {
        const { id, staging } = reply.assignment;
        if (staging === undefined) throw new Error(`${id} has no path`);
        const path = stagingPath(staging);
        return assignedFile(id, { path, heartbeatIntervalMs });
      }
      case "handle":
        return readyFile(reply.id, path(reply.name));
      default:
        throw new Error(`unexpected reply ${reply.kind}`);
    }
  }

  const service = "/local.LocalCache/";
  return (server) => {
    server.unary(
      getMethod(`${service}Get`, encodeGet),
      (asked, call) => submit(engine, getBy(call, "local", asked), call),
    );
    for (const [name, kind] of Object.entries(BY_ID)) {
      const method = idMethod(`${service}${name}`);
      server.unary(
        kind === "done" ? method : passing(method),
        ({ id }, call) => {
          demandAnywhere(call, kind === "done" ? "write" : "read");
          const request = kind === "done"
            ? { kind, id, peer: call }
            : { kind, id };
          return submit(engine, idBy(call, request), call);
        },
      );
    }
  };
}
