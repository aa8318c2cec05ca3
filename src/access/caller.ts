/**
 * Who calls, and what they may do where.
 *
 * @module
 */

import {
  type CallerLimits,
  type Limited,
  overLimit,
  tooFast,
} from "./limits.ts";
import { Principal } from "./principal.ts";

/** What may be done; each includes those before it. */
export type Right = "read" | "write" | "admin";

/** Rights, by the patterns of the namespaces where they hold. */
export type Rights = { readonly [right in Right]?: readonly string[] } & {
  /** To see all that the server tells of itself, and no value. */
  readonly watch?: boolean;
};

/** The rights that include one. */
const INCLUDED_IN: { readonly [right in Right]: readonly Right[] } = {
  read: ["read", "write", "admin"],
  write: ["write", "admin"],
  admin: ["admin"],
};
/** All namespaces. */
const ALL = "*";

/** Where a right holds, taken apart once: every call is held against it. */
interface Places {
  readonly all: boolean;
  readonly names: ReadonlySet<string>;
  readonly prefixes: readonly string[];
}

/** What is known of a caller beside their name and rights. */
export interface CallerOptions {
  /** When it ends, in milliseconds since 1970; absent: never. */
  readonly expiresMs?: number;
  /** What they may take at a time; absent: as much as anybody. */
  readonly limits?: CallerLimits;
  /** Whose calls count together; absent: theirs alone. */
  readonly principal?: Principal;
}

/** Why a call may not begin. */
export interface CallRefusal {
  readonly message: string;
}

/** Somebody with a name, or anybody without one. */
export class Caller {
  /** Of a token or a certificate; `undefined`: of neither. */
  readonly name: string | undefined;
  /** When it ends, in milliseconds since 1970. */
  readonly expiresMs: number;
  readonly #places: { readonly [right in Right]: Places };
  readonly #limits: CallerLimits;
  readonly #principal: Principal;
  readonly #watches: boolean;
  /** What the rules say of them now, where those have changed since. */
  #successor: Caller | undefined;

  /** What is not given is not allowed. */
  constructor(
    name: string | undefined,
    rights: Rights,
    { expiresMs = Infinity, limits = {}, principal = new Principal() }:
      CallerOptions = {},
  ) {
    this.name = name;
    this.expiresMs = expiresMs;
    this.#limits = limits;
    this.#principal = principal;
    this.#watches = rights.watch ?? false;
    const of = (right: Right) =>
      placesOf(INCLUDED_IN[right].flatMap((each) => rights[each] ?? []));
    this.#places = {
      read: of("read"),
      write: of("write"),
      admin: of("admin"),
    };
  }

  /** Whether it may do that with the entries of a namespace. */
  may(right: Right, namespace: string): boolean {
    const { all, names, prefixes } = this.#now.#places[right];
    if (all || names.has(namespace)) return true;
    for (const prefix of prefixes) {
      if (namespace.startsWith(prefix)) return true;
    }
    return false;
  }

  /** Whether it may publish there; made once, as every id is held against it. */
  readonly mayWrite = (namespace: string): boolean =>
    this.may("write", namespace);

  /** Whether there is any namespace where it may. */
  mayAnywhere(right: Right): boolean {
    const { all, names, prefixes } = this.#now.#places[right];
    return all || names.size > 0 || prefixes.length > 0;
  }

  /** Whether it may do that in all namespaces. */
  mayEverywhere(right: Right): boolean {
    return this.#now.#places[right].all;
  }

  /** Whether it may see what the server does, of all namespaces together. */
  get mayWatch(): boolean {
    return this.#now.#watches || this.mayEverywhere("admin");
  }

  /**
   * From here on calls of its that are under way may what another may.
   *
   * @param successor Of new rules; absent, or of another name: they may nothing.
   */
  follow(successor?: Caller): void {
    this.#successor = successor?.name === this.name
      ? successor
      : new Caller(this.name, {});
  }

  /** A call begins, and counts until {@linkcode leave}; or says why it may not. */
  enter(): CallRefusal | undefined {
    const { calls } = this.#principal;
    const message = this.over("calls", calls);
    if (message !== undefined) return { message };
    this.#principal.calls = calls + 1;
    return undefined;
  }

  /** A call has ended. */
  leave(): void {
    this.#principal.calls--;
  }

  /** Whether they may send only so many bytes a second. */
  get isPaced(): boolean {
    return this.#now.#limits.uploadBytes !== undefined;
  }

  /** Counts bytes that they send; after how many milliseconds they may. */
  pace(bytes: number, nowMs: number): number {
    const { uploadBytes } = this.#now.#limits;
    if (uploadBytes === undefined) return 0;
    return this.#principal.uploads.take(bytes, uploadBytes, nowMs);
  }

  /** They do not send them after all. */
  unpace(bytes: number): void {
    const { uploadBytes } = this.#now.#limits;
    if (uploadBytes === undefined) return;
    this.#principal.uploads.giveBack(bytes, uploadBytes);
  }

  /** Why bytes would have to wait for so long, for people. */
  tooFast(delayMs: number): string {
    return tooFast(this.name, this.#now.#limits.uploadBytes ?? 0, delayMs);
  }

  /** Why they may have no more of something than they have, if so; made once. */
  readonly over = (what: Limited, held: number): string | undefined => {
    const most = this.#now.#limits[what];
    return most === undefined || held < most
      ? undefined
      : overLimit(this.name, what, { held, most });
  };

  get #now(): Caller {
    if (this.#successor === undefined) return this;
    // deno-lint-ignore no-this-alias -- the last of a chain
    let caller: Caller = this;
    while (caller.#successor !== undefined) caller = caller.#successor;
    return caller;
  }
}

/** `*` covers all, `a.*` what is below `a`, and a namespace itself. */
function placesOf(patterns: readonly string[]): Places {
  const names = new Set<string>();
  const prefixes: string[] = [];
  for (const pattern of patterns) {
    if (pattern.endsWith(".*")) prefixes.push(pattern.slice(0, -1));
    else if (pattern !== ALL) names.add(pattern);
  }
  return { all: patterns.includes(ALL), names, prefixes };
}
