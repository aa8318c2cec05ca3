/**
 * The methods that are called all the time: from a message to what the engine is
 * asked, and from its reply to a message, each in one step.
 *
 * @module
 */

import type { Method } from "../grpc/method.ts";
import { release } from "../grpc/release.ts";
import type { Reply } from "../table/types.ts";
import { type Asked, readAsked } from "./asked_entry.ts";
import { EMPTY_PARTS, type Parts, UNASSIGNED } from "./replies.ts";
import { readIdRequest, readSetRequest } from "./requests.ts";
import { toStatusError } from "./status.ts";
import type { IdRequest, SetRequest } from "./wire.ts";

/** `Get` of either service. */
export function getMethod(
  path: string,
  encode: (reply: Reply) => Parts,
): Method<Asked, Reply> {
  return {
    ...hotMethod(path, {
      decode(message, owned) {
        const asked = readAsked(message);
        // The entry keeps no part of the message.
        if (owned) release(message);
        return asked;
      },
      encode,
    }),
    // The common client takes any error as final.
    overLimit: UNASSIGNED,
  };
}

/** A method that takes an id and is answered with `Empty`. */
export function idMethod(path: string): Method<IdRequest, Reply> {
  return hotMethod(path, { decode: readIdRequest, encode: encodeEmpty });
}

/**
 * A method that keeps work, or gives something back: it costs next to nothing,
 * and one that is refused would cost others more.
 */
export function passing<Request, Response>(
  method: Method<Request, Response>,
): Method<Request, Response> {
  return { ...method, overLimit: "passes" };
}

/** `Set`. */
export function setMethod(path: string): Method<SetRequest, Reply> {
  return hotMethod(path, {
    decode(message, owned) {
      const { id, value } = readSetRequest(message);
      return { id, value: owned ? value : new Uint8Array(value) };
    },
    encode: encodeEmpty,
  });
}

/** The reply of everything that is answered with `Empty`. */
export function encodeEmpty(reply: Reply): Parts {
  if (reply.kind !== "ok") throw new Error(`unexpected reply ${reply.kind}`);
  return EMPTY_PARTS;
}

function hotMethod<Request>(
  path: string,
  { decode, encode }: Pick<Method<Request, Reply>, "decode" | "encode">,
): Method<Request, Reply> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    decode(message, owned) {
      try {
        return decode(message, owned);
      } catch (error) {
        throw toStatusError(error);
      }
    },
    encode,
  };
}
