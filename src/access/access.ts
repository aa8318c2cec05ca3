/**
 * Who may do what: the rules of a file, looked at again while the server runs,
 * and who a caller is by them.
 *
 * @module
 */

import { sha256Hex } from "../../workers/digest.ts";
import {
  CredentialFiles,
  type CredentialOptions,
  ExposedFile,
  type FileOwnership,
  readCredentials,
  whyNot,
  whyRightsExposed,
} from "../credential_files.ts";
import { StartError } from "../errors.ts";
import { ACCESS_LOOK_MS } from "../limits.ts";
import { Caller } from "./caller.ts";
import { Principal, Principals } from "./principal.ts";
import { type Anyone, parseRules, type Rules } from "./rules.ts";

/** A listener, as far as it matters for who may call it. */
export interface Door {
  readonly kind: "local" | "remote" | "http";
  /** Nobody beyond this machine reaches it. */
  readonly isHere: boolean;
  /** What is said there can be neither read nor changed on the way. */
  readonly isTls: boolean;
}

/**
 * A client on this machine, with its port or without: from elsewhere no packet
 * comes with such an address.
 */
const HERE = /^(127\.|::1$|::ffff:127\.|\[(::1|::ffff:127\.[\d.]+)\]:)/;
const SCHEME = /^bearer +([\w.~+/-]+=*)$/i;
/** Of a caller without a name, where the file says nothing of them. */
const AS_EVER: Anyone = { rights: { admin: ["*"] }, limits: {} };
const NOTHING: Anyone = { rights: {}, limits: {} };
const IN_PLAIN_TEXT =
  "a token is not taken in plain text, where others may read it: make a new " +
  "one, and use TLS, or a loopback address on the server's own machine";

/** What rules need of the world, and of the server. */
export interface AccessOptions extends CredentialOptions {
  /** Why rules cannot hold on this server; absent: all can. */
  readonly refuse?: (rules: Rules) => string | undefined;
  /** Whose file it may be, beside root's; absent: anybody's. */
  readonly serverUid?: number | null;
}

/** Knows callers. */
export class Access implements Disposable {
  readonly #path: string;
  readonly #options: AccessOptions;
  readonly #files: CredentialFiles<string>;
  #text: string;
  #rules: Rules;
  /** Those that were known by their headers, since the rules are these. */
  readonly #known = new Map<string, Caller>();
  readonly #anyone = new Map<Door, Caller>();
  readonly #principals = new Principals();
  /** Of those without a name, by the kind of the listener. */
  readonly #nameless = {
    local: new Principal(),
    remote: new Principal(),
    http: new Principal(),
  };

  private constructor(
    path: string,
    options: AccessOptions,
    { text, exposed }: {
      readonly text: string;
      readonly exposed: ExposedFile;
    },
  ) {
    this.#path = path;
    this.#options = options;
    this.#text = text;
    this.#rules = this.#parsed(text);
    const { clock, log, read = readCredentials } = options;
    this.#files = new CredentialFiles({
      clock,
      log,
      everyMs: ACCESS_LOOK_MS,
      exposed,
      read: () => read(path),
      take: (text) => this.#take(text),
      stays: `the rights stay those from before: ${path}`,
      afterwards: () => this.#endExpired(),
    });
  }

  /**
   * Reads the rules for the first time.
   *
   * @throws {StartError} They cannot be read, or say what is not known.
   */
  static async open(
    path: string,
    options: AccessOptions,
  ): Promise<Access> {
    try {
      const { log, read = readCredentials, serverUid = null } = options;
      const why = (file: FileOwnership) =>
        whyRightsExposed(path, file, serverUid);
      const exposed = new ExposedFile(path, { log, why });
      await exposed.look();
      return new Access(path, options, { text: await read(path), exposed });
    } catch (error) {
      throw new StartError(2, `--access ${path}: ${whyNot(error)}`, {
        cause: error,
      });
    }
  }

  /**
   * Who calls.
   *
   * @param door Where.
   * @param authorization The header, if there is one.
   * @param names Of the certificate, if there is one.
   * @param client Its address: a listener that others reach is called from this
   * machine as well.
   * @returns Why nobody is known, where that is so.
   */
  whoIs(
    door: Door,
    authorization: string | undefined,
    names: readonly string[],
    client = "",
  ): Caller | string {
    if (authorization !== undefined) {
      const isSafe = door.isTls || door.isHere || HERE.test(client);
      return isSafe ? this.#holder(authorization) : IN_PLAIN_TEXT;
    }
    for (const name of names) {
      const caller = this.#rules.certificates.get(name);
      if (caller !== undefined) return caller;
    }
    let anyone = this.#anyone.get(door);
    if (anyone === undefined) {
      this.#anyone.set(door, anyone = this.#anyoneAt(door));
    }
    return anyone.mayAnywhere("read") || anyone.mayWatch
      ? anyone
      : "this needs a token, and the call has none";
  }

  /** Looks whether the rules are others now. */
  look(): Promise<void> {
    return this.#files.look();
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }

  #anyoneAt({ kind, isHere }: Door): Caller {
    const byDefault = isHere ? AS_EVER : NOTHING;
    const { rights, limits } = this.#rules.anyone[kind] ?? byDefault;
    const principal = this.#nameless[kind];
    return new Caller(undefined, rights, { limits, principal });
  }

  #holder(authorization: string): Caller | string {
    let caller = this.#known.get(authorization);
    if (caller === undefined) {
      const [, token] = SCHEME.exec(authorization) ?? [];
      if (token === undefined) return "the token is none: write Bearer TOKEN";
      caller = this.#rules.tokens.get(sha256Hex(token));
      if (caller !== undefined) this.#remember(authorization, caller);
    }
    if (caller && this.#options.clock.wallMs() < caller.expiresMs) {
      return caller;
    }
    return "the token is not known, or has expired";
  }

  /** One token may be written in several ways. */
  #remember(authorization: string, caller: Caller): void {
    if (this.#known.size >= this.#rules.tokens.size) this.#known.clear();
    this.#known.set(authorization, caller);
  }

  #take(text: string): void {
    if (text === this.#text) return;
    this.#follow(this.#parsed(text));
    this.#text = text;
    const { tokens, certificates } = this.#rules;
    this.#options.log(
      `the rights of ${this.#path} are now those of ${tokens.size} tokens ` +
        `and ${certificates.size} certificates`,
      { level: "info" },
    );
  }

  /** The rules of a text, where they can hold. */
  #parsed(text: string): Rules {
    // As it is for a moment while somebody writes it: without the rules of
    // those who have no token they may everything on this machine.
    if (isEmpty(text)) {
      throw new Error(
        "it is empty: larder token new NAME --file FILE --read PATTERN makes " +
          "an entry",
      );
    }
    const rules = parseRules(text, this.#principals);
    const why = this.#options.refuse?.(rules);
    if (why !== undefined) throw new Error(why);
    return rules;
  }

  /** Also calls that are under way are held against the new rules. */
  #follow(rules: Rules): void {
    const before = this.#rules;
    this.#rules = rules;
    this.#known.clear();
    for (const kind of ["tokens", "certificates"] as const) {
      for (const [key, caller] of before[kind]) {
        caller.follow(rules[kind].get(key));
      }
    }
    for (const [door, caller] of this.#anyone) {
      const now = this.#anyoneAt(door);
      caller.follow(now);
      this.#anyone.set(door, now);
    }
    const named = [...rules.tokens.values(), ...rules.certificates.values()];
    this.#principals.keep(new Set(named.map(({ name }) => name!)));
  }

  /** A call may wait for longer than its token is good for. */
  #endExpired(): void {
    const nowMs = this.#options.clock.wallMs();
    for (const caller of this.#rules.tokens.values()) {
      if (caller.expiresMs <= nowMs) caller.follow();
    }
  }
}

/** Whether nothing is said: a line of a comment says nothing. */
function isEmpty(text: string): boolean {
  return text.split("\n").every((line) => /^\s*(#|$)/.test(line));
}
