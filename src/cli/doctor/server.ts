/**
 * Does a server answer, at each address that was named?
 *
 * @module
 */

import { hostOf } from "../../client/address.ts";
import { proxyFor } from "../../client/proxy.ts";
import { type Addresses, type Listener, listenersOf } from "../addresses.ts";
import { serveCommand } from "../called.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";
import { lookAt, type Seen } from "./look.ts";
import { DENO_VERSION } from "./tools.ts";

/** What was found, and where a Larder answers, if one does. */
export interface FoundServer {
  readonly findings: readonly Finding[];
  readonly listener?: Listener;
}

/** Looks whether the server answers; `isNeeded`: it is a failure if not. */
export async function serverChecks(
  addresses: Addresses,
  { isNeeded }: { readonly isNeeded: boolean },
): Promise<FoundServer> {
  const listeners = listenersOf(addresses);
  const all = await Promise.all(
    listeners.map(async (listener) => ({
      listener,
      seen: await lookAt(listener),
    })),
  );
  const answering = all.find(({ seen }) => seen.kind === "larder");
  if (!answering && all.every(({ seen }) => seen.kind === "stranger")) {
    return { findings: [nobody(all, { isNeeded })] };
  }
  // Where one answers, the other one is done without.
  const wrong = isNeeded && !answering ? fail : warn;
  const findings = all.map(({ listener, seen }) =>
    findingOf(listener, seen, wrong)
  );
  return answering ? { findings, listener: answering.listener } : { findings };
}

interface Looked {
  readonly listener: Listener;
  readonly seen: Seen;
}

function nobody(
  all: readonly Looked[],
  { isNeeded }: { readonly isNeeded: boolean },
): Finding {
  const tried = all.map(({ listener: { address } }) => address);
  const seen = all.map(({ seen }) => "what" in seen ? seen.what : undefined)
    .find((what) => what !== undefined);
  return (isNeeded ? fail : warn)(
    "server",
    `no Larder answers on ${tried.join(" and ")}` +
      (seen === undefined ? "" : `: ${seen}`),
    `start it with ${serveCommand(DENO_VERSION)}, or say where it is: ` +
      "--remote ADDR",
  );
}

function findingOf(
  { kind, address }: Listener,
  seen: Seen,
  wrong: typeof warn,
): Finding {
  if (seen.kind === "refusal") {
    const advice = "give a token that may read or watch: --token-file FILE";
    return wrong("server", seen.reason, advice);
  }
  if (seen.kind === "fault") {
    const advice =
      "it is there: what flags or variables say of it has to change";
    return wrong("server", `${address}: ${seen.what}`, advice);
  }
  if (seen.kind === "stranger") {
    const what = seen.what === undefined ? "" : `: ${seen.what}`;
    return wrong(
      "server",
      `no Larder answers on ${address}${what}`,
      `the other one is asked instead; leave --${kind} out, or correct it`,
    );
  }
  const { version, roundTripMs, isOther } = seen;
  const text =
    `${address}: larder ${version}, ${roundTripMs.toFixed(1)} ms a ` +
    "call";
  if (!isOther) return ok("server", text);
  // What needs paths is refused there; bytes come from either.
  return kind === "local"
    ? warn(
      "server",
      `${text}; it is the remote listener, which hands over no files`,
      "give it as --remote; the local listener has another address",
    )
    : warn(
      "server",
      `${text}; it is the local listener, whose values are files`,
      "give it as --local, for what runs on its machine",
    );
}

/**
 * Looks whether a proxy is between: the environment names them for the whole
 * machine, and hardly any of them carries gRPC.
 */
export function proxyCheck(addresses: Addresses): Finding[] {
  const between = listenersOf(addresses).flatMap(({ address }) => {
    const proxy = proxyFor(address);
    return proxy === undefined ? [] : [{ address, proxy }];
  });
  return between.map(({ address, proxy }) =>
    warn(
      "proxy",
      `${address} is reached ${proxy.replace(/^\((.*)\)$/, "$1")}`,
      `if it does not pass HTTP/2 on: no_proxy=${hostOf(address)}`,
    )
  );
}
