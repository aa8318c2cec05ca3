/**
 * What there is at an address where no Larder answers: gRPC's own errors do not
 * say.
 *
 * @module
 */

import { connect } from "node:net";
import { CacheError, hasCode } from "../client/cache_error.ts";
import { isHere, proxyFor } from "../client/proxy.ts";
import { messageOf } from "../errors.ts";
import type { Addresses } from "./addresses.ts";

/** Whoever is there, and is no Larder that hangs, says something by then. */
const SILENCE_MS = 1_000;

/** The same for who must not wait: whoever is no Larder answers at once. */
const QUICK_MS = 250;

/** How the client library says that nobody has answered in time. */
const SILENT = /no (answer|connection) within/;

/** The beginning of every HTTP/2 connection, and SETTINGS without a setting. */
const HELLO = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/** A frame of HTTP/2 has its type there; the first is SETTINGS. */
const TYPE_AT = 3;
const SETTINGS = 4;

/** What answers a greeting in HTTP/2. */
export type Answering =
  /** Nobody listens, or the address leads nowhere. */
  | "nothing"
  /** The connection is taken, and nothing is said. */
  | "silence"
  /** An HTTP server of the kind that browsers talk to. */
  | "http"
  /** HTTP/2, as Larder and every gRPC server speak it. */
  | "http2"
  /** Something that speaks otherwise, or hangs up. */
  | "other";

/** Finds out, by a connection of its own. */
export function whoAnswers(
  address: string,
  { silenceMs = SILENCE_MS }: {
    /** When that is taken for silence. */
    readonly silenceMs?: number;
  } = {},
): Promise<Answering> {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(address) ?? [];
  return new Promise((resolve) => {
    const socket = connect({
      host: host.replace(/^\[|\]$/g, ""),
      port: Number(port),
    });
    let isConnected = false;
    const end = (answering: Answering) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answering);
    };
    const timer = setTimeout(
      () => end(isConnected ? "silence" : "nothing"),
      silenceMs,
    );
    socket.once("connect", () => {
      isConnected = true;
      socket.write(HELLO);
    });
    socket.once("data", (bytes) => end(kindOf(bytes as Uint8Array)));
    socket.once("error", () => end(isConnected ? "other" : "nothing"));
    socket.once("close", () => end(isConnected ? "other" : "nothing"));
  });
}

function kindOf(bytes: Uint8Array): Answering {
  if (bytes[TYPE_AT] === SETTINGS) return "http2";
  const text = new TextDecoder().decode(bytes.subarray(0, 64));
  return /^(HTTP\/|\s*<(!doctype|html))/i.test(text) ? "http" : "other";
}

/** What there is where no Larder answers, in words. */
export const ANSWERING: { readonly [kind in Answering]?: string } = {
  silence: "the connection is taken, and nothing is said: the server hangs, " +
    "or it is no Larder",
  http:
    "an HTTP server answers there, and no Larder, so it may be the wrong port",
  other: "what answers there is no Larder, and no gRPC server, so it may " +
    "be the wrong port",
};
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
  for (const address of Object.values(addresses) as string[]) {
    // Of one behind a proxy only the proxy could be seen.
    if (!isHere(address) && proxyFor(address) !== undefined) continue;
    const words = isForeign
      ? NO_LARDER
      : ANSWERING[await whoAnswers(address, options)];
    if (words === undefined) continue;
    return new CacheError(error.code, `${address}: ${words}`, { cause: error });
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
