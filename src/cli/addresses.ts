/**
 * Where the server is, as it was said.
 *
 * @module
 */

import { addressFault, fixedAddress } from "../client/address.ts";
import { StartError } from "../errors.ts";
import { PROJECT_FILE } from "./project_file.ts";
import { securityFault } from "./security.ts";
import { variable } from "./variable.ts";
import type { Words } from "../flags/words.ts";

const DEFAULT_REMOTE = "127.0.0.1:28056";

/** Where the server is; one of the two, or both. */
export interface Addresses {
  /** Its local listener. */
  readonly local?: string;
  /** Its remote listener. */
  readonly remote?: string;
}

/** One of the two. */
export interface Listener {
  readonly kind: "local" | "remote";
  /** Where it is, `host:port`. */
  readonly address: string;
}

/** A listener, and who has said where it is. */
interface Given extends Listener {
  /** A flag, or a variable of the environment. */
  readonly by: string;
}

/** The listeners that there are addresses of, in the order in which they are asked. */
export function listenersOf(addresses: Addresses): readonly Listener[] {
  return (["local", "remote"] as const).flatMap((kind) => {
    const address = addresses[kind];
    return address === undefined ? [] : [{ kind, address }];
  });
}

/**
 * Where the server is, by flags, or else by the environment, or by the file of
 * the project.
 *
 * @throws {StartError} One of them is no address.
 */
export function addressesOf(words: Words): Addresses {
  return addressesFrom(given(words), (message) => {
    throw new StartError(2, message);
  }) ?? { remote: DEFAULT_REMOTE };
}

/**
 * The same for whoever can do without a server: a variable that holds something
 * else may be no fault of the command line's.
 *
 * @param warn Is told of a variable that is no address, or that says how a
 * server is spoken to, and cannot be used.
 * @returns `undefined`: there is none.
 * @throws {StartError} A flag is no address, or cannot be used.
 */
export function lenientAddressesOf(
  words: Words,
  warn: (message: string) => void,
): Addresses | undefined {
  const all = given(words);
  const addresses = addressesFrom(all, (message, { by }) => {
    if (by.startsWith("--")) throw new StartError(2, message);
    warn(message);
  });
  return withoutFaults(
    all.length === 0 ? { remote: DEFAULT_REMOTE } : addresses ?? {},
    warn,
  );
}

/** Those that can be spoken to as it was said. */
function withoutFaults(
  addresses: Addresses,
  warn: (message: string) => void,
): Addresses | undefined {
  const usable: { local?: string; remote?: string } = {};
  const faults = new Set<string>();
  for (const listener of listenersOf(addresses)) {
    const fault = securityFault(listener);
    if (fault === undefined) usable[listener.kind] = listener.address;
    else if (fault.isFlag) throw fault;
    else faults.add(fault.message);
  }
  for (const fault of faults) warn(fault);
  return usable.local ?? usable.remote ? usable : undefined;
}

function given(words: Words): readonly Given[] {
  const flags = ["local", "remote"].flatMap((kind) => {
    const address = words.own(kind);
    return address === undefined ? [] : [{ kind, by: `--${kind}`, address }];
  });
  const project = ["local", "remote"].flatMap((kind) => {
    const address = words.text(kind);
    const by = `${kind} of ${PROJECT_FILE}`;
    return address === undefined ? [] : [{ kind, by, address }];
  });
  const variables = ["local", "remote"].map((kind) => {
    const name = `LARDER_${kind.toUpperCase()}`;
    return { kind, by: name, address: variable(name) };
  });
  const isSaid = ({ address }: { address: string }) => address !== "";
  if (flags.length > 0) return flags.filter(isSaid) as Given[];
  const all = variables.some(isSaid) ? variables : project;
  return all.filter(isSaid) as Given[];
}

function addressesFrom(
  all: readonly Given[],
  refuse: (message: string, given: Given) => void,
): Addresses | undefined {
  const addresses: { local?: string; remote?: string } = {};
  for (const each of all) {
    const { kind, by, address } = each;
    const fault = addressFault(address);
    if (fault === undefined) addresses[kind] = fixedAddress(address);
    else refuse(`${by} ${address}: ${fault}`, each);
  }
  return addresses.local ?? addresses.remote ? addresses : undefined;
}
