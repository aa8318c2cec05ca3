/**
 * Does a server answer, and could one listen?
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { hasCode } from "../../client/cache_error.ts";
import { Channel, loadService } from "../../client/channel.ts";
import { isDirect, proxyFor } from "../../client/proxy.ts";
import { messageOf } from "../../errors.ts";
import { type Addresses, type Listener, listenersOf } from "../addresses.ts";
import { serveCommand } from "../called.ts";
import { securityOf } from "../security.ts";
import { Server } from "../server.ts";
import { ANSWERING, PLAIN, whoAnswers } from "../../client/who_answers.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";
import { DENO_VERSION } from "./tools.ts";

const DEFAULT_ADDRESSES = {
  local: "127.0.0.1:28055",
  remote: "127.0.0.1:28056",
};

/** Whoever has not answered by then is no Larder. */
const SILENCE_MS = 3_000;

/** What a server answered. */
export interface Answer {
  /** Its version. */
  readonly version: string;
  /** Of one call, in milliseconds, on a connection that is there. */
  readonly roundTripMs: number;
}

/** Asks the server at a listener; `undefined`: it does not answer. */
async function usageAt(
  { kind, address }: Listener,
): Promise<Answer | undefined> {
  await using server = await Server.at({ [kind]: address });
  try {
    await server.state(SILENCE_MS);
    const startMs = performance.now();
    const { version } = await server.state();
    return { version, roundTripMs: performance.now() - startMs };
  } catch {
    return undefined;
  }
}

/** What was found, and where a Larder answers, if one does. */
export interface FoundServer {
  readonly finding: Finding;
  readonly listener?: Listener;
}

/** Looks whether the server answers; `isNeeded`: it is a failure if not. */
export async function serverCheck(
  addresses: Addresses,
  { isNeeded }: { readonly isNeeded: boolean },
): Promise<FoundServer> {
  const tried: string[] = [];
  let seen: string | undefined;
  for (const listener of listenersOf(addresses)) {
    const { address } = listener;
    const answer = await usageAt(listener);
    if (answer !== undefined) {
      const { version, roundTripMs } = answer;
      const ms = roundTripMs.toFixed(1);
      const text = `${address}: larder ${version}, ${ms} ms a call`;
      return { finding: ok("server", text), listener };
    }
    const refusal = await refusalAt(listener);
    if (refusal !== undefined) {
      const advice = "give a token that may read: --token-file FILE";
      const finding = (isNeeded ? fail : warn)("server", refusal, advice);
      return { finding };
    }
    tried.push(address);
    seen ??= await foreignAt(listener);
  }
  const finding = (isNeeded ? fail : warn)(
    "server",
    `no Larder answers on ${tried.join(" and ")}` +
      (seen === undefined ? "" : `: ${seen}`),
    `start it with ${serveCommand(DENO_VERSION)}, or say where it is: ` +
      "--remote ADDR",
  );
  return { finding };
}

/** What there is instead of a Larder; `undefined`: nothing, or nobody can tell. */
async function foreignAt(listener: Listener): Promise<string | undefined> {
  const { address } = listener;
  // Of one behind a proxy only the proxy could be seen.
  if (!isDirect(address)) return undefined;
  const answering = await whoAnswers(address);
  if (answering !== "http2") return ANSWERING[answering];
  if (securityOf(listener).isTls) return PLAIN;
  return await isOriginal(listener)
    ? "it is an original server, of which get, put and run can ask"
    : "it is a gRPC server, and no Larder";
}

/** What a server says that answers, and refuses; `undefined`: it does not. */
async function refusalAt(
  { kind, address }: Listener,
): Promise<string | undefined> {
  await using server = await Server.at({ [kind]: address });
  try {
    await server.state(SILENCE_MS);
    return undefined;
  } catch (error) {
    return hasCode(error, "failed") ? messageOf(error) : undefined;
  }
}

/** Asks for a value that nobody has, which changes nothing. */
async function isOriginal(listener: Listener): Promise<boolean> {
  const channel = new Channel(listener.address, securityOf(listener));
  const services = [
    ["remote.proto", "remote.RemoteCache"],
    ["local.proto", "local.LocalCache"],
  ] as const;
  try {
    for (const [file, name] of services) {
      const method = loadService(file, name)["Get"]!;
      const request = { namespace: "larder.doctor", key: new Uint8Array() };
      const answered = channel.unary(method, request, { timeoutMs: SILENCE_MS })
        .then(() => true, () => false);
      if (await answered) return true;
    }
    return false;
  } finally {
    channel.close();
  }
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
      `if it does not pass HTTP/2 on: no_proxy=${address.replace(/:\d+$/, "")}`,
    )
  );
}

/** Whether a server answers on one of these. */
export async function isServed(addresses: Addresses): Promise<boolean> {
  for (const listener of listenersOf(addresses)) {
    if (await usageAt(listener) !== undefined) return true;
  }
  return false;
}

/** What the `Cache.toml` of a root says of its server, running or not. */
export async function servedAddresses(root: string): Promise<Addresses> {
  try {
    const text = await readFile(join(root, "Cache.toml"), "utf8");
    const found: { local?: string; remote?: string } = {};
    for (const kind of ["local", "remote"] as const) {
      const line = new RegExp(`^${kind}_addr = "([^"]+)"`, "m").exec(text);
      if (line) found[kind] = line[1]!;
    }
    return found;
  } catch {
    return {};
  }
}

/** Looks whether a server that is not there could listen. */
export async function portChecks(addresses: Addresses): Promise<Finding[]> {
  const all = new Map(
    [...listenersOf(DEFAULT_ADDRESSES), ...listenersOf(addresses)]
      .map((listener) => [listener.address, listener]),
  );
  return await Promise.all([...all].map(async ([address, listener]) => {
    const why = await listeningFails(address);
    if (why === undefined) return ok("port", `${address} is free`);
    if (why === "EADDRINUSE") {
      const isLarder = await usageAt(listener) !== undefined;
      return isLarder
        ? warn(
          "port",
          `${address} is taken by another Larder`,
          "choose another one for this root: --local, --remote",
        )
        : fail(
          "port",
          `${address} is taken by another program`,
          "choose another one: --local, --remote",
        );
    }
    return warn("port", `${address}: ${why}`, "is it this machine's?");
  }));
}

/** Why one cannot listen there; `undefined`: one can. */
function listeningFails(address: string): Promise<string | undefined> {
  const [, host, port] = /^(.*):(\d+)$/.exec(address)!;
  return new Promise((resolve) => {
    const listener = createServer();
    listener.once(
      "error",
      ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message),
    );
    listener.listen(
      { host: host!.replace(/^\[|\]$/g, ""), port: Number(port) },
      () => listener.close(() => resolve(undefined)),
    );
  });
}
