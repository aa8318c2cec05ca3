/**
 * The namespace that a command line names.
 *
 * @module
 */

import { isNamespace } from "../../workers/root_names.ts";
import { StartError } from "../errors.ts";
import type { Words } from "./words.ts";

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
