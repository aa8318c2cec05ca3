/**
 * What a Get asks for. Clients ask for the same entries again and again, so that
 * most messages have been read a moment ago.
 *
 * @module
 */

import { entryKey } from "../engine/entry_key.ts";
import { StatusError } from "../grpc/status.ts";
import { latin1 } from "../latin1.ts";
import type { EntryKey } from "../table/types.ts";
import { readGetRequest } from "./requests.ts";
import { toStatusError } from "./status.ts";
import type { GetRequest } from "./wire.ts";

/** A `GetRequest` of which the entry is known. */
export interface Asked {
  readonly entry: EntryKey;
  readonly assign: boolean;
  /** Why there can be no such entry: for those who may ask for it. */
  readonly fault: StatusError | undefined;
}

const NO_KEY = new Uint8Array();

/** Messages that are remembered: they take 2 MiB at most. */
const MAX_RECENT = 4_096;
/** Messages that are worth it: most keys are hashes or short texts. */
const MAX_RECENT_BYTES = 256;
const recent = new Map<string, Asked>();

/**
 * Reads a `GetRequest`; keeps no part of the message.
 *
 * @throws {StatusError} It is malformed.
 */
export function readAsked(message: Uint8Array): Asked {
  if (message.length > MAX_RECENT_BYTES) return read(message);
  const written = latin1(message, 0, message.length);
  const known = recent.get(written);
  if (known !== undefined) return known;
  const asked = read(message);
  // An error has a stack, which may hold what it was made in.
  if (asked.fault !== undefined) return asked;
  if (recent.size >= MAX_RECENT) recent.clear();
  recent.set(written, asked);
  return asked;
}

function read(message: Uint8Array): Asked {
  const { namespace, key, assign }: GetRequest = readGetRequest(message);
  try {
    return { entry: entryKey(namespace, key), assign, fault: undefined };
  } catch (error) {
    const fault = toStatusError(error);
    if (!(fault instanceof StatusError)) throw fault;
    return { entry: { name: "", namespace, key: NO_KEY }, assign, fault };
  }
}
