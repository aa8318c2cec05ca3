/**
 * The namespace that a command line names.
 *
 * @module
 */

import { isNamespace } from "../../workers/root_names.ts";
import { StartError } from "../errors.ts";
import type { Words } from "../flags/words.ts";

/**
 * What `--ns` says, also where no server can be asked about it.
 *
 * @param namespace What it says, where that is more than a namespace.
 * @throws {StartError} There is none, or it is no namespace.
 */
export function namespaceOf(
  words: Words,
  namespace: string = words.needed("ns"),
): string {
  if (/^(.*\.)?\*$/.test(namespace)) {
    throw new StartError(
      2,
      `--ns ${namespace}: a key is in one namespace, and this means several; ` +
        "ls, verify, and rm without a key take it",
    );
  }
  return checkedNamespace(namespace);
}

/** The same text, if it is a namespace. */
function checkedNamespace(namespace: string): string {
  if (isNamespace(namespace)) return namespace;
  throw new StartError(
    2,
    `invalid namespace ${
      JSON.stringify(namespace)
    }: letters, digits and _, no ` +
      `digit first, with dots between names; ${
        proposalFor(namespace)
      } would do`,
  );
}

function proposalFor(namespace: string): string {
  const names = namespace.split(".").filter((name) => name !== "").map((name) =>
    name.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_")
  );
  const proposal = names.join(".");
  return isNamespace(proposal) ? proposal : "sim.ring_osc";
}

/** Some namespaces: one, or all that lie below it. */
export interface Pattern {
  /** The only one; `undefined`: there may be several. */
  readonly only: string | undefined;
  /** Whether a namespace is meant. */
  has(namespace: string): boolean;
}

/**
 * What is given as NS or as `--ns NS`: the one is shorter, the other as with all
 * commands. A project's namespace does not count, for without a word all are meant.
 *
 * @throws {StartError} Both are given, or there is another word.
 */
export function givenPattern(words: Words): string | undefined {
  const [word] = words.positionals;
  const own = words.own("ns");
  if (word !== undefined && own !== undefined) {
    throw new StartError(
      2,
      `${word}: the namespace is given as NS or as --ns NS, not as both`,
    );
  }
  words.atMost(1);
  return own ?? word;
}

/**
 * The namespaces that a word means: one, `a.*` for all below `a`, `*` for all,
 * as the server's quotas write it.
 *
 * @param word `undefined` for all.
 * @throws {StartError} It is neither.
 */
export function patternOf(word: string = "*"): Pattern {
  if (word === "*") return { only: undefined, has: () => true };
  if (!word.endsWith(".*")) {
    const only = checkedNamespace(word);
    return { only, has: (namespace) => namespace === only };
  }
  const above = checkedNamespace(word.slice(0, -".*".length));
  return {
    only: undefined,
    has: (namespace) => namespace.startsWith(`${above}.`),
  };
}
