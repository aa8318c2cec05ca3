/**
 * What grpc-js prints when a proxy fails: a line at each attempt, whoever has
 * asked. The error of the call says it, once.
 *
 * @module
 */

import { setLogger } from "@grpc/grpc-js";
import process from "node:process";

/** Whoever sets one of these wants to see what grpc-js prints. */
const WANTED = [
  ...["GRPC_VERBOSITY", "GRPC_NODE_VERBOSITY"],
  ...["GRPC_TRACE", "GRPC_NODE_TRACE"],
];
const REFUSED =
  /^Failed to connect to \S+ through proxy \S+ with status (\d+)$/;
const FAILED = /^Failed to connect to proxy \S+ with error (.*)$/s;

let isInstalled = false;
let last: string | undefined;

/** Why a proxy has failed last: there is one for all. */
export function lastProxyFailure(): string | undefined {
  return last;
}

/** From here on these lines are kept, and not printed; all others are. */
export function withoutProxyLines(): void {
  if (isInstalled) return;
  isInstalled = true;
  if (WANTED.some(isSet)) return;
  // As grpc-js prints by itself.
  const print = (letter: string) => (message: unknown, ...rest: unknown[]) => {
    if (keep(String(message))) return;
    console.error(`${letter} ${message}`, ...rest);
  };
  setLogger({ error: print("E"), info: print("I"), debug: print("D") });
}

function keep(line: string): boolean {
  const [, status] = REFUSED.exec(line) ?? [];
  const [, error] = FAILED.exec(line) ?? [];
  if (status === undefined && error === undefined) return false;
  last = status === undefined ? error : `the proxy answers with ${status}`;
  return true;
}

function isSet(name: string): boolean {
  try {
    return Boolean(process.env[name]);
  } catch {
    return false;
  }
}
