/**
 * What a command is, and the options that several share.
 *
 * @module
 */

import type { Option, Words } from "../flags/words.ts";

/** One command of the command line. */
export interface Command {
  /** Its name. */
  readonly name: string;
  /** What follows the name, for the help. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** More about it, for its help. */
  readonly details?: readonly string[];
  /** It speaks to no server, and prints nothing for scripts. */
  readonly isAlone?: boolean;
  /** What it knows, beside what every command knows. */
  readonly options: readonly Option[];
  /** Runs it; the exit code. */
  run(words: Words): Promise<number>;
}

/** Where the server is. */
const ADDRESS_OPTIONS: readonly Option[] = [
  {
    name: "remote",
    argument: "ADDR",
    help: "the server's remote listener, host:port or unix:PATH " +
      "(default: $LARDER_REMOTE, or 127.0.0.1:28056)",
  },
  {
    name: "local",
    argument: "ADDR",
    help: "its local listener, from the same machine: values are handed " +
      "over as files (default: $LARDER_LOCAL)",
  },
];

/** How it is spoken to. */
const SECURITY_OPTIONS: readonly Option[] = [
  {
    name: "ca",
    argument: "FILE",
    help: "speak TLS, to a server that these certificates vouch for; system: " +
      "the usual authorities (default: $LARDER_CA)",
  },
  {
    name: "cert",
    argument: "FILE",
    help: "our own certificate (default: $LARDER_CERT)",
  },
  {
    name: "cert-key",
    argument: "FILE",
    help: "its private key (default: $LARDER_CERT_KEY)",
  },
  {
    name: "tls-on",
    argument: "WHICH",
    help: "all, local or remote: the listeners that speak TLS " +
      "(default: $LARDER_TLS_ON, or all)",
  },
  {
    name: "token-file",
    argument: "FILE",
    help: "holds the token that says who we are " +
      "(default: $LARDER_TOKEN, or $LARDER_TOKEN_FILE)",
  },
];

const HELP_OPTION: Option = {
  name: "help",
  short: "h",
  help: "print this text",
};

/** All that a command knows. */
export function optionsOf(command: Command): readonly Option[] {
  const { options, isAlone = false } = command;
  const common = isAlone ? [] : [
    ...ADDRESS_OPTIONS,
    ...SECURITY_OPTIONS,
    { name: "json", help: "print JSON, with exact numbers" },
  ];
  return [...options, ...common, HELP_OPTION];
}

/** Which namespace. */
export const NAMESPACE_OPTION: Option = {
  name: "ns",
  argument: "NS",
  help: "the namespace: identifiers with dots between them",
};

/** Which entry, beside KEY as a word. */
export const ENTRY_OPTIONS: readonly Option[] = [
  NAMESPACE_OPTION,
  {
    name: "key-file",
    argument: "FILE",
    help: "the key is what the file holds",
  },
  { name: "key-hex", argument: "HEX", help: "the key's bytes in hexadecimal" },
  {
    name: "key-json",
    argument: "JSON",
    help: "the key is the hash of a JSON value, as in the client library",
  },
];

/** Whether to be told more than errors. */
export const QUIET_OPTION: Option = {
  name: "quiet",
  short: "q",
  help: "say nothing but errors",
};
