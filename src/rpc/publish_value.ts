/**
 * `larder.v1.Cache.PublishValue`: a small value in one message, which is whole or
 * does not come at all.
 *
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import { digestOfValue } from "../engine/value_digest.ts";
import type { UnaryHandler } from "../grpc/call.ts";
import type { Reply } from "../table/types.ts";
import type { PublishValueRequest } from "./cache_wire.ts";
import { assertWhole, digestOf } from "./publish_end.ts";
import { demandAnywhere, idBy } from "./rights.ts";
import { toStatusError } from "./status.ts";
import { submit } from "./unary.ts";

/** Makes the handler. */
export function publishValue(
  engine: Engine,
): UnaryHandler<PublishValueRequest, Reply> {
  return (request, call) => {
    demandAnywhere(call, "write");
    const { id } = request;
    // What is kept lies in a message that is not.
    const value = new Uint8Array(request.value);
    try {
      const sent = digestOf(request.sha256, "PublishValueRequest");
      const came = digestOfValue(value);
      assertWhole(id, came, { ...came, sha256: sent });
    } catch (error) {
      throw toStatusError(error);
    }
    const set = { kind: "set", id, value, peer: call } as const;
    return submit(engine, idBy(call, set), call);
  };
}
