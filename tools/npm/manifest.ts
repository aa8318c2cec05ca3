/**
 * The `package.json` of the package.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What the package offers, and the module behind it. */
export const EXPORTS: Readonly<Record<string, string>> = {
  ".": "src/client/mod.ts",
};
/** The programs that the package installs, and the module behind each. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  larder: "src/npm/bin.ts",
};
/** The library says `Symbol.asyncDispose`, `AbortSignal.any`, `ReadableStream.from`. */
const NODE_VERSIONS = ">=20.12";

interface DenoConfig {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly imports: Readonly<Record<string, string>>;
}

/**
 * Makes the text of `package.json`.
 *
 * @param from The folder of the sources.
 * @param packages What the library imports.
 */
export async function manifestOf(
  from: string,
  packages: ReadonlySet<string>,
): Promise<string> {
  const text = await readFile(join(from, "deno.json"), "utf8");
  const { name, version, license, imports }: DenoConfig = JSON.parse(text);
  const compiled = (path: string) => `./${path.replace(/\.ts$/, "")}`;
  const manifest = {
    name,
    version,
    license,
    description: "Compute it once, anywhere: the Larder cache, its client " +
      "library and its server",
    type: "module",
    engines: { node: NODE_VERSIONS },
    exports: mapValues(EXPORTS, (path) => ({
      types: `${compiled(path)}.d.ts`,
      default: `${compiled(path)}.js`,
    })),
    bin: mapValues(PROGRAMS, (path) => `${compiled(path)}.js`),
    dependencies: Object.fromEntries(
      [...packages].sort().map((each) => [each, versionOf(each, imports)]),
    ),
    // Only `larder serve` needs it, and it is large: --omit=optional.
    optionalDependencies: { deno: Deno.version.deno },
  };
  return JSON.stringify(manifest, null, 2) + "\n";
}

/** `npm:NAME@VERSION` of the import map, to the same exact version. */
function versionOf(
  name: string,
  imports: Readonly<Record<string, string>>,
): string {
  const version = /^npm:.+@([^@]+)$/.exec(imports[name] ?? "")?.[1];
  if (version === undefined) {
    throw new Error(`deno.json names no exact npm version of ${name}`);
  }
  return version;
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, map(value)]),
  );
}
