/**
 * Errors of commands, in words that say what there is at the address.
 *
 * @module
 */

import { CacheError, hasCode } from "../client/cache_error.ts";
import { isDirect } from "../client/proxy.ts";
import { ANSWERING, PLAIN, whoAnswers } from "../client/who_answers.ts";
import { messageOf } from "../errors.ts";
import { type Addresses, type Listener, listenersOf } from "./addresses.ts";
import { securityOf } from "./security.ts";

/** For who must not wait: whoever is no Larder answers at once. */
const QUICK_MS = 250;

/** How the client library says that nobody has answered in time. */
const SILENT = /no (answer|connection) within/;

const NO_LARDER = "a gRPC server answers there that does not know this call: " +
  "an original server, of which only get, put and run can ask, or no Larder";

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
    const words = isForeign ? NO_LARDER : await wordsFor(listener, options);
    if (words === undefined) continue;
    return new CacheError(error.code, `${address}: ${words}`, { cause: error });
  }
  return error;
}

async function wordsFor(
  listener: Listener,
  options: { readonly silenceMs?: number },
): Promise<string | undefined> {
  const answering = await whoAnswers(listener.address, options);
  const isPlain = answering === "http2" && securityOf(listener).isTls;
  return isPlain ? PLAIN : ANSWERING[answering];
}

/** The same for a command that could be run meanwhile: silence has cost enough. */
export async function quicklyExplained(
  error: unknown,
  addresses: Addresses,
): Promise<unknown> {
  if (SILENT.test(messageOf(error))) return error;
  return await explained(error, addresses, { silenceMs: QUICK_MS });
}
