/**
 * What there is at one listener's address.
 *
 * @module
 */

import { asCacheError, hasCode } from "../../client/cache_error.ts";
import { Channel } from "../../client/channel.ts";
import { loadService } from "../../client/services.ts";
import { isDirect } from "../../client/proxy.ts";
import { whatAnswers } from "../../client/what_answers.ts";
import { messageOf } from "../../errors.ts";
import type { Listener } from "../addresses.ts";
import { securityOf } from "../security.ts";
import { Server } from "../server.ts";

/** Whoever has not answered by then is no Larder. */
const SILENCE_MS = 3_000;

/** What is at an address. */
export type Seen =
  | {
    readonly kind: "larder";
    /** Its version. */
    readonly version: string;
    /** Of one call, in milliseconds, on a connection that is there. */
    readonly roundTripMs: number;
    /** It is the server's other listener than it was said to be. */
    readonly isOther: boolean;
  }
  /** A server that answers, and refuses; what it says. */
  | { readonly kind: "refusal"; readonly reason: string }
  /** A server that was spoken to in another way than it speaks; what that is. */
  | { readonly kind: "fault"; readonly what: string }
  /** No Larder; what there is, as far as anybody can tell. */
  | { readonly kind: "stranger"; readonly what: string | undefined };

/** Asks whoever is there. */
export async function lookAt(listener: Listener): Promise<Seen> {
  const { kind, address } = listener;
  await using server = await Server.at({ [kind]: address });
  try {
    const ask = await askerOf(server);
    const startMs = performance.now();
    const version = await ask();
    const roundTripMs = performance.now() - startMs;
    const isOther = await knows(listener, kind) === "no";
    return { kind: "larder", version, roundTripMs, isOther };
  } catch (error) {
    if (hasCode(error, "failed")) {
      return { kind: "refusal", reason: messageOf(error) };
    }
    return await strangerAt(listener);
  }
}

/**
 * What tells the version, and has told it once: who may only watch is refused
 * where the others look.
 */
async function askerOf(server: Server): Promise<() => Promise<string>> {
  const usage = async (timeoutMs?: number) =>
    (await server.state(timeoutMs)).version;
  const status = async () => (await server.status()).version;
  try {
    await usage(SILENCE_MS);
    return () => usage();
  } catch (error) {
    if (!hasCode(error, "failed")) throw error;
    try {
      await status();
    } catch {
      // What the first one said is what most callers need.
      throw error;
    }
    return status;
  }
}

async function strangerAt(listener: Listener): Promise<Seen> {
  const { address } = listener;
  const stranger = (what?: string): Seen => ({ kind: "stranger", what });
  // Of one behind a proxy only the proxy could be seen.
  if (!isDirect(address)) return stranger();
  const found = await whatAnswers(address, securityOf(listener));
  const { answering, words, isOurFault } = found;
  if (isOurFault && words !== undefined) return { kind: "fault", what: words };
  if (words !== undefined || answering !== "http2") return stranger(words);
  const isOriginal = await knows(listener, "remote") === "yes" ||
    await knows(listener, "local") === "yes";
  return stranger(
    isOriginal
      ? "it is an original server, of which get, put and run can ask"
      : "it is a gRPC server, and no Larder",
  );
}

const SERVICES = {
  remote: ["remote.proto", "remote.RemoteCache"],
  local: ["local.proto", "local.LocalCache"],
} as const;

/**
 * Whether a service of the original's is known there, which is one listener's
 * alone. It is asked for a value that nobody has, which changes nothing.
 */
async function knows(
  listener: Listener,
  service: keyof typeof SERVICES,
): Promise<"yes" | "no" | "unclear"> {
  const channel = new Channel(listener.address, securityOf(listener));
  try {
    const [file, name] = SERVICES[service];
    const method = loadService(file, name)["Get"]!;
    const request = { namespace: "larder.doctor", key: new Uint8Array() };
    await channel.unary(method, request, { timeoutMs: SILENCE_MS });
    return "yes";
  } catch (error) {
    const isUnknown = hasCode(asCacheError(error, ""), "unimplemented");
    return isUnknown ? "no" : "unclear";
  } finally {
    channel.close();
  }
}
