/**
 * Errors of commands, in words that say what there is at the address.
 *
 * @module
 */

import { CacheError, hasCode } from "../client/cache_error.ts";
import { isDirect } from "../client/proxy.ts";
import { whatAnswers } from "../client/what_answers.ts";
import { messageOf } from "../errors.ts";
import { type Addresses, listenersOf } from "./addresses.ts";
import { securityOf } from "./security.ts";

/** For who must not wait: whoever is no Larder answers at once. */
const QUICK_MS = 250;

/** How the client library says that nobody has answered in time. */
const SILENT = /no (answer|connection) within/;

/** What a server answers with that can be spoken to. */
const IS_SERVED: readonly unknown[] = ["http2", "tls"];

const NO_LARDER = "a gRPC server answers there that does not know this call: " +
  "an original server, of which only get, put and run can ask, or no Larder";

/** A server is there: to start one is of no use. */
export class AnsweredError extends CacheError {}

/**
 * An error of a call, in words that say what there is at the address.
 *
 * @param error What the call failed with; any but one that no server, or another
 * one, answers with comes back as it is.
 * @param addresses Who was asked.
 * @param options When somebody who says nothing is taken for silent.
 */
export async function explained(
  error: unknown,
  addresses: Addresses,
  options: { readonly silenceMs?: number } = {},
): Promise<unknown> {
  const isForeign = hasCode(error, "unimplemented");
  if (!isForeign && !hasCode(error, "unavailable")) return error;
  for (const listener of listenersOf(addresses)) {
    const { address } = listener;
    // Of one behind a proxy only the proxy could be seen.
    if (!isDirect(address)) continue;
    const { words, isOurFault, answering } = isForeign
      ? { words: NO_LARDER, isOurFault: false, answering: undefined }
      : await whatAnswers(address, securityOf(listener), options);
    const isThere = isOurFault || IS_SERVED.includes(answering);
    if (words === undefined && !isThere) continue;
    const Kind = isThere ? AnsweredError : CacheError;
    const message = words === undefined
      ? error.message
      : `${address}: ${words}`;
    return new Kind(error.code, message, { cause: error });
  }
  return error;
}

/** The same for a command that could be run meanwhile: silence has cost enough. */
export async function quicklyExplained(
  error: unknown,
  addresses: Addresses,
): Promise<unknown> {
  if (SILENT.test(messageOf(error))) return error;
  return await explained(error, addresses, { silenceMs: QUICK_MS });
}
