/**
 * How the server is spoken to, by flags, the environment or the file of the
 * project: set once, for the one command of this process.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { whyUnreadable } from "../client/pem.ts";
import {
  Security,
  SecurityError,
  type SecurityNames,
  type SecurityOptions,
} from "../client/security.ts";
import { StartError } from "../errors.ts";
import type { Listener } from "./addresses.ts";
import { emptyWord } from "./empty_word.ts";
import { PROJECT_FILE } from "./project_file.ts";
import { variable } from "./variable.ts";
import type { Words } from "../flags/words.ts";

/** The settings, by their flags, and what the library calls them. */
const SETTINGS = {
  "ca": "ca",
  "cert": "cert",
  "cert-key": "key",
  "tls-on": "tlsOn",
  "token-file": "tokenFile",
} as const;

/** The names of the library, and of what only the command line reads. */
type Name = typeof SETTINGS[keyof typeof SETTINGS] | "token";

/** What was said, and who has. */
interface Setting {
  /** A flag, a variable of the environment, or a line of the project's file. */
  readonly by: string;
  readonly value: string;
}

const LISTENERS = ["all", "local", "remote"];

let given: { readonly [name in Name]?: Setting } = {};

/** What was said cannot be used. */
export class SecurityFault extends StartError {
  /** Whether a flag has said it, so that the command line is wrong. */
  readonly isFlag: boolean;

  /** The message names who has said it. */
  constructor({ by }: Setting, message: string, options?: ErrorOptions) {
    super(2, message, options);
    this.isFlag = by.startsWith("--");
  }
}

/** Reads what was said; whether it can be used turns out when it is. */
export function useSecurity(words: Words): void {
  const said: { [name in Name]?: Setting } = {};
  for (const [flag, name] of Object.entries(SETTINGS)) {
    if (words.own(flag) === "") {
      throw emptyWord(`--${flag}`);
    }
    const environment = environmentOf(flag);
    const setting = [
      { by: `--${flag}`, value: words.own(flag) },
      { by: environment, value: variable(environment) },
      { by: `${flag} of ${PROJECT_FILE}`, value: words.text(flag) },
    ].find(({ value }) => value);
    if (setting) said[name] = setting as Setting;
  }
  // Secrets of CI systems end in a newline, as files do.
  const token = variable("LARDER_TOKEN")?.trim();
  if (token && words.own("token-file") === undefined) {
    said.token = { by: "LARDER_TOKEN", value: token };
  }
  given = said;
}

/**
 * What the library is told.
 *
 * @throws {SecurityFault} The file of the token cannot be read, or there is no
 * such listener.
 */
export function securityOptions(): SecurityOptions {
  const { tokenFile, tlsOn } = given;
  const options = Object.fromEntries(
    Object.entries(given).filter(([name]) => name !== "tokenFile")
      .map(([name, { value }]) => [name, value]),
  );
  if (tlsOn && !LISTENERS.includes(tlsOn.value)) {
    const { by, value } = tlsOn;
    throw new SecurityFault(tlsOn, `${by} ${value}: all, local or remote`);
  }
  if (tokenFile === undefined || options["token"] !== undefined) return options;
  try {
    const token = readFileSync(tokenFile.value, "utf8").trim();
    return { ...options, token };
  } catch (error) {
    const { by, value } = tokenFile;
    throw new SecurityFault(
      tokenFile,
      `${by} ${value}: ${whyUnreadable(error)}`,
    );
  }
}

/**
 * How a listener is spoken to.
 *
 * @throws {SecurityFault} What was said cannot be used.
 */
export function securityOf({ kind, address }: Listener): Security {
  try {
    return new Security(address, { ...securityOptions(), kind }, namesOf());
  } catch (error) {
    if (!(error instanceof SecurityError)) throw error;
    throw faultOf(error);
  }
}

/** Why a listener cannot be spoken to as it was said; `undefined`: it can. */
export function securityFault(
  listener: Listener,
): SecurityFault | undefined {
  try {
    securityOf(listener);
    return undefined;
  } catch (error) {
    if (error instanceof SecurityFault) return error;
    throw error;
  }
}

/** What the library does not take, said of who has given it. */
function faultOf(error: SecurityError): SecurityFault {
  const { about, message } = error;
  const setting = given[about] ??
    (about === "token" ? given.tokenFile : undefined);
  if (!setting) throw error;
  return new SecurityFault(setting, message, { cause: error });
}

/** What messages call the settings: as they were given, or could be. */
function namesOf(): SecurityNames {
  return {
    ca: nameOf("ca"),
    cert: nameOf("cert"),
    key: nameOf("cert-key"),
    token: given.token?.by ?? nameOf("token-file"),
    tlsOn: nameOf("tls-on"),
  };
}

function nameOf(flag: keyof typeof SETTINGS): string {
  return given[SETTINGS[flag]]?.by ??
    `--${flag} (${environmentOf(flag)})`;
}

/** The variable of the environment that says the same as a flag. */
function environmentOf(flag: string): string {
  return `LARDER_${flag.toUpperCase().replaceAll("-", "_")}`;
}
