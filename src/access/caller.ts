/**
 * Who calls, and what they may do where.
 *
 * @module
 */

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

/** Somebody with a name, or anybody without one. */
export class Caller {
  /** Of a token or a certificate; `undefined`: of neither. */
  readonly name: string | undefined;
  /** When it ends, in milliseconds since 1970. */
  readonly expiresMs: number;
  readonly #patterns: { readonly [right in Right]: readonly string[] };
  readonly #watches: boolean;
  /** What the rules say of them now, where those have changed since. */
  #successor: Caller | undefined;

  /** What is not given is not allowed. */
  constructor(
    name: string | undefined,
    rights: Rights,
    expiresMs: number = Infinity,
  ) {
    this.name = name;
    this.expiresMs = expiresMs;
    this.#watches = rights.watch ?? false;
    const of = (right: Right) =>
      INCLUDED_IN[right].flatMap((each) => rights[each] ?? []);
    this.#patterns = {
      read: of("read"),
      write: of("write"),
      admin: of("admin"),
    };
  }

  /** Whether it may do that with the entries of a namespace. */
  may(right: Right, namespace: string): boolean {
    return this.#now.#patterns[right].some((pattern) =>
      covers(pattern, namespace)
    );
  }

  /** Whether it may publish there; made once, as every id is held against it. */
  readonly mayWrite = (namespace: string): boolean =>
    this.may("write", namespace);

  /** Whether there is any namespace where it may. */
  mayAnywhere(right: Right): boolean {
    return this.#now.#patterns[right].length > 0;
  }

  /** Whether it may do that in all namespaces. */
  mayEverywhere(right: Right): boolean {
    return this.#now.#patterns[right].includes(ALL);
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

  get #now(): Caller {
    // deno-lint-ignore no-this-alias -- the last of a chain
    let caller: Caller = this;
    while (caller.#successor !== undefined) caller = caller.#successor;
    return caller;
  }
}

/** `*` covers all, `a.*` what is below `a`, and a namespace itself. */
function covers(pattern: string, namespace: string): boolean {
  if (pattern === ALL || pattern === namespace) return true;
  return pattern.endsWith(".*") && namespace.startsWith(pattern.slice(0, -1));
}
