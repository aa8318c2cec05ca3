/**
 * How the server is spoken to, by flags, the environment or the file of the
 * project: set once, for the one command of this process.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { Security, type SecurityOptions } from "../client/security.ts";
import { messageOf, StartError } from "../errors.ts";
import type { Words } from "./words.ts";

/** The settings, by their flags, and what the library calls them. */
const SETTINGS = {
  "ca": "ca",
  "cert": "cert",
  "cert-key": "key",
  "tls-on": "tlsOn",
  "token-file": "tokenFile",
} as const;

let given: Record<string, string> = {};

/** Reads what was said; whether it can be used turns out when it is. */
export function useSecurity(words: Words): void {
  given = {};
  for (const [flag, name] of Object.entries(SETTINGS)) {
    const variable = `LARDER_${flag.toUpperCase().replaceAll("-", "_")}`;
    const value = words.own(flag) || process.env[variable] || words.text(flag);
    if (value) given[name] = value;
  }
  const { LARDER_TOKEN: token } = process.env;
  if (token && words.own("token-file") === undefined) given["token"] = token;
}

/**
 * What the library is told.
 *
 * @throws {StartError} The file of the token cannot be read.
 */
export function securityOptions(): SecurityOptions {
  const { tokenFile, ...options } = given;
  if (tokenFile === undefined || options["token"] !== undefined) return options;
  try {
    return { ...options, token: readFileSync(tokenFile, "utf8").trim() };
  } catch (error) {
    throw new StartError(2, `--token-file ${tokenFile}: ${messageOf(error)}`);
  }
}

/**
 * How an address is spoken to.
 *
 * @throws {StartError} What was said cannot be used.
 */
export function securityOf(
  kind: "local" | "remote",
  address: string,
): Security {
  try {
    return new Security(address, { ...securityOptions(), kind });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new StartError(2, error.message, { cause: error });
  }
}
