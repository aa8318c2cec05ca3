/**
 * Does a server answer, and could one listen?
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Addresses } from "../addresses.ts";
import { Server } from "../server.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

const DEFAULT_ADDRESSES = ["127.0.0.1:28055", "127.0.0.1:28056"];

/** Whoever has not answered by then is no Larder. */
const SILENCE_MS = 3_000;

/** What a server answered. */
export interface Answer {
  /** Its version. */
  readonly version: string;
  /** Of one call, in milliseconds, on a connection that is there. */
  readonly roundTripMs: number;
}

/** Asks the server at an address; `undefined`: it does not answer. */
export async function usageAt(address: string): Promise<Answer | undefined> {
  await using server = await Server.at({ remote: address });
  try {
    await server.state(SILENCE_MS);
    const startMs = performance.now();
    const { version } = await server.state();
    return { version, roundTripMs: performance.now() - startMs };
  } catch {
    return undefined;
  }
}

/** Looks whether the server answers; `isNeeded`: it is a failure if not. */
export async function serverCheck(
  addresses: Addresses,
  { isNeeded }: { readonly isNeeded: boolean },
): Promise<Finding> {
  const tried: string[] = [];
  for (const address of Object.values(addresses) as string[]) {
    const answer = await usageAt(address);
    if (answer !== undefined) {
      const { version, roundTripMs } = answer;
      const ms = roundTripMs.toFixed(1);
      return ok("server", `${address}: larder ${version}, ${ms} ms a call`);
    }
    tried.push(address);
  }
  return (isNeeded ? fail : warn)(
    "server",
    `no larder.v1 answers on ${tried.join(" and ")}`,
    "start it with deno task serve, or say where it is: --remote ADDR",
  );
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
  const all = new Set([
    ...DEFAULT_ADDRESSES,
    ...Object.values(addresses) as string[],
  ]);
  return await Promise.all([...all].map(async (address) => {
    const why = await listeningFails(address);
    if (why === undefined) return ok("port", `${address} is free`);
    if (why === "EADDRINUSE") {
      const isLarder = await usageAt(address) !== undefined;
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
