/**
 * Could a server listen?
 *
 * @module
 */

import { lstat } from "node:fs/promises";
import { createServer } from "node:net";
import { placeOf } from "../../client/address.ts";
import { whoAnswers } from "../../client/who_answers.ts";
import { isUnixAddress, socketPath } from "../../unix_address.ts";
import { type Addresses, type Listener, listenersOf } from "../addresses.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";
import { lookAt } from "./look.ts";

const DEFAULT_ADDRESSES = {
  local: "127.0.0.1:28055",
  remote: "127.0.0.1:28056",
};

/** Looks whether a server that is not there could listen. */
export async function portChecks(addresses: Addresses): Promise<Finding[]> {
  const all = new Map(
    [...listenersOf(DEFAULT_ADDRESSES), ...listenersOf(addresses)]
      .map((listener) => [listener.address, listener]),
  );
  return await Promise.all([...all.values()].map(portCheck));
}

async function portCheck(listener: Listener): Promise<Finding> {
  const { address } = listener;
  const why = await listeningFails(address);
  if (why === undefined) return ok("port", `${address} is free`);
  if (why !== "EADDRINUSE") {
    const advice = isUnixAddress(address)
      ? "is its folder there, and may this user write to it?"
      : "is it this machine's?";
    return warn("port", `${address}: ${why}`, advice);
  }
  if (await isStale(address)) {
    return ok("port", `${address} is free: a server left it, and has gone`);
  }
  const seen = await lookAt(listener);
  if (seen.kind !== "stranger" && seen.kind !== "fault") {
    return warn(
      "port",
      `${address} is taken by another Larder`,
      "choose another one for this root: --local, --remote",
    );
  }
  const what = seen.what === undefined ? "" : `: ${seen.what}`;
  return fail(
    "port",
    `${address} is taken by another program${what}`,
    "choose another one: --local, --remote",
  );
}

/** Whether it is a socket that nobody serves: a start replaces it. */
async function isStale(address: string): Promise<boolean> {
  if (!isUnixAddress(address)) return false;
  const info = await lstat(socketPath(address)).catch(() => undefined);
  return info?.isSocket() === true && await whoAnswers(address) === "nothing";
}

/** Why one cannot listen there; `undefined`: one can. */
function listeningFails(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const listener = createServer();
    listener.once(
      "error",
      ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message),
    );
    listener.listen(
      placeOf(address),
      () => listener.close(() => resolve(undefined)),
    );
  });
}
