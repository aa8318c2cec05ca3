/**
 * `remote.RemoteCache`: values travel in the messages.
 *
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import type { Reply } from "../table/types.ts";
import { getMethod, idMethod, passing, setMethod } from "./hot_methods.ts";
import {
  assignedValue,
  LOADING,
  type Parts,
  readyValue,
  UNASSIGNED,
} from "./replies.ts";
import { demandAnywhere, getBy, idBy } from "./rights.ts";
import type { Service } from "./service.ts";
import { submit } from "./unary.ts";

/** What the service needs to know beside the engine. */
export interface RemoteServiceOptions {
  /** What assigned clients are told. */
  readonly heartbeatIntervalMs: number;
}

/** The service on an engine. */
export function remoteService(
  engine: Engine,
  { heartbeatIntervalMs }: RemoteServiceOptions,
): Service {
  function encodeGet(reply: Reply): Parts {
    switch (reply.kind) {
      case "unassigned":
        return UNASSIGNED;
      case "loading":
        return LOADING;
      case "assigned":
        return assignedValue(reply.assignment.id, heartbeatIntervalMs);
      case "value":
        return readyValue(reply.value);
      default:
        throw new Error(`unexpected reply ${reply.kind}`);
    }
  }

  const path = "/remote.RemoteCache/";
  return (server) => {
    server.unary(
      getMethod(`${path}Get`, encodeGet),
      (asked, call) => submit(engine, getBy(call, "remote", asked), call),
    );
    server.unary(
      passing(idMethod(`${path}Heartbeat`)),
      ({ id }, call) => {
        demandAnywhere(call, "read");
        return submit(engine, idBy(call, { kind: "heartbeat", id }), call);
      },
    );
    server.unary(
      setMethod(`${path}Set`),
      ({ id, value }, call) => {
        demandAnywhere(call, "write");
        const set = { kind: "set", id, value, peer: call } as const;
        return submit(engine, idBy(call, set), call);
      },
    );
  };
}
