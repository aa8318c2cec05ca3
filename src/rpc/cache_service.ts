/**
 * `larder.v1.Cache`: everything in one service, values of any size, and waiting
 * instead of asking again.
 *
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import type { Method } from "../grpc/method.ts";
import { ofCall } from "../log/log.ts";
import type { Reply } from "../table/types.ts";
import { addAdministration } from "./administration.ts";
import type { CacheServiceOptions } from "./cache_options.ts";
import type {
  AbandonRequest,
  FetchReply,
  FetchRequest,
  PublishReply,
  PublishRequest,
  PublishValueRequest,
  ReleaseRequest,
} from "./cache_wire.ts";
import { fetch } from "./fetch.ts";
import { fetchReplyParts, readFetchRequest } from "./fetch_codec.ts";
import { encodeEmpty, idMethod, passing } from "./hot_methods.ts";
import { loadMethods } from "./protos.ts";
import { publish } from "./publish.ts";
import { publishValue } from "./publish_value.ts";
import type { Service } from "./service.ts";
import { demandAnywhere, idBy } from "./rights.ts";
import { submit } from "./unary.ts";

/** Of what a client says for people, so much is written down. */
const MAX_REASON_LENGTH = 200;

/** The service on an engine. */
export function cacheService(
  engine: Engine,
  options: CacheServiceOptions,
): Service {
  const { log } = options;
  const methods = loadMethods("larder/v1/cache.proto", "larder.v1.Cache");
  const fetchMethod = methods<FetchRequest, FetchReply>("Fetch");
  return (server) => {
    server.serverStreaming({
      ...fetchMethod,
      decode: readFetchRequest,
      encode: (reply) => fetchReplyParts(reply, fetchMethod.encode),
    }, fetch(engine, options));
    server.clientStreaming(
      methods<PublishRequest, PublishReply>("Publish"),
      publish(engine, options),
    );
    server.unary(
      emptied<PublishValueRequest>(methods("PublishValue")),
      publishValue(engine),
    );
    server.unary(
      passing(idMethod(methods("Heartbeat").path)),
      ({ id }, call) => {
        demandAnywhere(call, "read");
        return submit(engine, idBy(call, { kind: "heartbeat", id }), call);
      },
    );
    server.unary(
      passing(emptied<AbandonRequest>(methods("Abandon"))),
      ({ id, reason }, call) => {
        demandAnywhere(call, "write");
        if (reason !== "") {
          log(`work was abandoned: ${forPeople(reason)}`, {
            ...engine.about(id),
            ...ofCall(call),
          });
        }
        return submit(engine, idBy(call, { kind: "abandon", id }), call);
      },
    );
    server.unary(
      passing(emptied<ReleaseRequest>(methods("Release"))),
      ({ handle }, call) => {
        demandAnywhere(call, "read");
        return submit(engine, idBy(call, { kind: "drop", id: handle }), call);
      },
    );
    addAdministration(server, methods, options);
  };
}

/** The method, answered with `Empty`. */
function emptied<Request>(
  method: Method<Request, unknown>,
): Method<Request, Reply> {
  return { ...method, encode: encodeEmpty };
}

/** On one line, and not too long. */
function forPeople(text: string): string {
  return JSON.stringify(text.slice(0, MAX_REASON_LENGTH));
}
