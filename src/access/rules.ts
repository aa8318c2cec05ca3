/**
 * The file of `--access`: who may do what.
 *
 * @module
 */

import { StartError } from "../errors.ts";
import { isTable, parseToml, type TomlTable } from "../toml.ts";
import { Caller, type Right, type Rights } from "./caller.ts";
import { limitsOf } from "./limits_table.ts";
import type { CallerLimits } from "./limits.ts";
import { Principals } from "./principal.ts";

/** What a file says. */
export interface Rules {
  /** By the SHA-256 of their tokens, in hex. */
  readonly tokens: ReadonlyMap<string, Caller>;
  /** By a name that their certificates have. */
  readonly certificates: ReadonlyMap<string, Caller>;
  /** Callers without either, by listener; absent: as by default. */
  readonly anyone: {
    readonly local?: Anyone;
    readonly remote?: Anyone;
    readonly http?: Anyone;
  };
}

/** What callers without a name may, and take at a time together. */
export interface Anyone {
  readonly rights: Rights;
  readonly limits: CallerLimits;
}

const RIGHTS: readonly Right[] = ["read", "write", "admin"];
const PATTERN = /^(\*|([A-Za-z_]\w*\.)*([A-Za-z_]\w*|\*))$/;
const SHA256 = /^[0-9a-f]{64}$/;
const MAX_NAME_LENGTH = 255;

/**
 * Reads the text of a file.
 *
 * @param principals What is under way of those whom the rules name.
 * @throws {StartError} It says something that is not known, or twice the same.
 */
export function parseRules(
  text: string,
  principals: Principals = new Principals(),
): Rules {
  const table = parsed(text);
  const { token = [], certificate = [], anyone = {}, limits = {}, ...others } =
    table;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw wrong(
      `no such key: ${unknown}; there are token, certificate, anyone, ` +
        "limits",
    );
  }
  const usual = limitsOf("limits", limits);
  const tokens = new Map<string, Caller>();
  for (const [at, entry] of listOf("token", token).entries()) {
    const where = `token ${at + 1}`;
    const { name, sha256, expires, limits, ...rights } = entry;
    if (typeof sha256 !== "string" || !SHA256.test(sha256)) {
      throw wrong(`${where}: sha256 must be 64 digits of 0-9 and a-f`);
    }
    if (tokens.has(sha256)) throw wrong(`${where}: its sha256 is there twice`);
    const known = nameOf(where, name);
    const caller = new Caller(known, rightsOf(where, rights), {
      expiresMs: expiryOf(where, expires),
      limits: limitsOf(`${where}: limits`, limits, usual),
      principal: principals.of(known),
    });
    tokens.set(sha256, caller);
  }
  const certificates = new Map<string, Caller>();
  for (const [at, entry] of listOf("certificate", certificate).entries()) {
    const where = `certificate ${at + 1}`;
    const { name, limits, ...rights } = entry;
    const known = nameOf(where, name);
    if (certificates.has(known)) {
      throw wrong(`${where}: ${known} is there twice`);
    }
    // A token of the same name is somebody else.
    const own = `certificate ${known}`;
    const caller = new Caller(own, rightsOf(where, rights), {
      limits: limitsOf(`${where}: limits`, limits, usual),
      principal: principals.of(own),
    });
    certificates.set(known, caller);
  }
  return { tokens, certificates, anyone: anyoneOf(anyone) };
}

function parsed(text: string): TomlTable {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw wrong(error.message);
  }
}

function anyoneOf(value: unknown): Rules["anyone"] {
  const { local, remote, http, ...others } = tableOf("anyone", value);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw wrong(
      `anyone.${unknown}: there are anyone.local, anyone.remote, anyone.http`,
    );
  }
  const of = (where: string, value: unknown): Anyone => {
    const { limits, ...rights } = tableOf(where, value);
    return {
      rights: rightsOf(where, rights),
      limits: limitsOf(`${where}: limits`, limits),
    };
  };
  return {
    ...local !== undefined && { local: of("anyone.local", local) },
    ...remote !== undefined && { remote: of("anyone.remote", remote) },
    ...http !== undefined && { http: of("anyone.http", http) },
  };
}

function nameOf(where: string, name: unknown): string {
  if (
    typeof name === "string" && name.length > 0 &&
    name.length <= MAX_NAME_LENGTH && !/\p{C}/u.test(name)
  ) return name;
  throw wrong(
    `${where}: name must be a text of 1 to ${MAX_NAME_LENGTH} letters`,
  );
}

function expiryOf(where: string, expires: unknown): number {
  if (expires === undefined) return Infinity;
  const endMs = expires instanceof Date
    ? expires.getTime()
    : typeof expires === "string"
    ? Date.parse(expires)
    : NaN;
  if (Number.isFinite(endMs)) return endMs;
  throw wrong(`${where}: expires must be a time, such as 2027-01-31T00:00:00Z`);
}

function rightsOf(where: string, given: TomlTable): Rights {
  const { watch, ...others } = given;
  const rights: { [right in Right]?: readonly string[] } = {};
  for (const [name, patterns] of Object.entries(others)) {
    const right = RIGHTS.find((right) => right === name);
    if (right === undefined) {
      throw wrong(
        `${where}: no such key: ${name}; rights are read, write, admin, watch`,
      );
    }
    if (!Array.isArray(patterns) || !patterns.every(isPattern)) {
      throw wrong(
        `${where}: ${name} must be a list of namespaces: "a.b", "a.*" for all ` +
          'below a, "*" for all',
      );
    }
    rights[right] = patterns;
  }
  if (watch === undefined) return rights;
  if (typeof watch !== "boolean") {
    throw wrong(`${where}: watch must be true or false`);
  }
  return { ...rights, watch };
}

function isPattern(pattern: unknown): pattern is string {
  return typeof pattern === "string" && PATTERN.test(pattern);
}

function listOf(name: string, value: unknown): TomlTable[] {
  if (!Array.isArray(value)) {
    throw wrong(`${name}: write [[${name}]] above each`);
  }
  return value.map((each) => tableOf(name, each));
}

function tableOf(name: string, value: unknown): TomlTable {
  if (isTable(value)) return value;
  throw wrong(`${name} must be a table`);
}

function wrong(why: string): StartError {
  return new StartError(2, why);
}
