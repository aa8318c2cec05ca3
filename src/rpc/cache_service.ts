/**
 * `larder.v1.Cache`: everything in one service, values of any size, and waiting
 * instead of asking again.
 *
 * @module
 */

import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Engine } from "../engine/engine.ts";
import { administration } from "./administration.ts";
import { serializeBytesField } from "./bytes_field.ts";
import type { CacheServiceOptions } from "./cache_options.ts";
import {
  type AbandonRequest,
  CHUNK_FIELD,
  type FetchReply,
  type ReleaseRequest,
} from "./cache_wire.ts";
import { fetch } from "./fetch.ts";
import { loadService } from "./protos.ts";
import { publish } from "./publish.ts";
import type { Service } from "./service.ts";
import { byId, encodeEmpty, unary } from "./unary.ts";
import type { Empty } from "./wire.ts";

/** Of what a client says for people, so much is written down. */
const MAX_REASON_LENGTH = 200;

/** The service on an engine. */
export function cacheService(
  engine: Engine,
  options: CacheServiceOptions,
): Service {
  const { log } = options;
  const implementation: UntypedServiceImplementation = {
    fetch: fetch(engine, options),
    publish: publish(engine, options),
    heartbeat: byId(engine, "heartbeat"),
    abandon: unary<AbandonRequest, Empty>(engine, {
      decode: ({ id, reason }) => {
        // Without id and address, so that many of them are one line.
        if (reason !== "") log(`work was abandoned: ${forPeople(reason)}`);
        return { kind: "abandon", id };
      },
      encode: encodeEmpty,
    }),
    release: unary<ReleaseRequest, Empty>(engine, {
      decode: ({ handle }) => ({ kind: "drop", id: handle }),
      encode: encodeEmpty,
    }),
    ...administration(options),
  };
  const loaded = loadService("larder/v1/cache.proto", "larder.v1.Cache");
  const method = loaded["Fetch"]!;
  const definition = {
    ...loaded,
    Fetch: {
      ...method,
      responseSerialize: (reply: FetchReply) =>
        "chunk" in reply
          ? serializeBytesField(CHUNK_FIELD, reply.chunk)
          : method.responseSerialize(reply),
    },
  };
  return { definition, implementation };
}

/** On one line, and not too long. */
function forPeople(text: string): string {
  return JSON.stringify(text.slice(0, MAX_REASON_LENGTH));
}
