/**
 * The methods that are called all the time: from a message to what the engine is
 * asked, and from its reply to a message, each in one step.
 *
 * @module
 */

import { entryKey } from "../engine/entry_key.ts";
import type { Method } from "../grpc/method.ts";
import { release } from "../grpc/release.ts";
import { StatusError } from "../grpc/status.ts";
import type { EntryKey, Reply } from "../table/types.ts";
import { EMPTY_PARTS, type Parts, UNASSIGNED } from "./replies.ts";
import { readGetRequest, readIdRequest, readSetRequest } from "./requests.ts";
import { toStatusError } from "./status.ts";
import type { GetRequest, IdRequest, SetRequest } from "./wire.ts";

/** A `GetRequest` of which the entry is known. */
export interface Asked {
  readonly entry: EntryKey;
  readonly assign: boolean;
  /** Why there can be no such entry: for those who may ask for it. */
  readonly fault: StatusError | undefined;
}

const NO_KEY = new Uint8Array();

/** `Get` of either service. */
export function getMethod(
  path: string,
  encode: (reply: Reply) => Parts,
): Method<Asked, Reply> {
  return {
    ...hotMethod(path, {
      decode(message, owned) {
        const asked = askedBy(readGetRequest(message));
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

function askedBy({ namespace, key, assign }: GetRequest): Asked {
  try {
    return { entry: entryKey(namespace, key), assign, fault: undefined };
  } catch (error) {
    const fault = toStatusError(error);
    if (!(fault instanceof StatusError)) throw fault;
    return { entry: { name: "", namespace, key: NO_KEY }, assign, fault };
  }
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
