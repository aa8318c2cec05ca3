/**
 * Makes the npm package: the client library for Node, from the same source.
 *
 * ```sh
 * deno task npm            # writes dist/npm
 * deno task npm SOME/DIR   # from where it is called
 * ```
 *
 * Each module is transpiled by itself, to JavaScript and to its declarations.
 * Nothing is bundled: the files keep their places, and so find the .proto files.
 *
 * @module
 */

import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  writeFile,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** What the package offers, and the module behind it. */
const EXPORTS: Readonly<Record<string, string>> = {
  ".": "src/client/mod.ts",
};
/** The programs that the package installs, and the module behind each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  larder: "src/cli/bin.ts",
};
/** Copied as they are. */
const FOLDERS = ["proto"];
const FILES = ["LICENSE"];
/** The library says `Symbol.asyncDispose`, `AbortSignal.any`, `ReadableStream.from`. */
const NODE_VERSIONS = ">=20.12";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const COMPILER_OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  strict: true,
  exactOptionalPropertyTypes: true,
};

interface DenoConfig {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly imports: Readonly<Record<string, string>>;
}

/**
 * Writes the package.
 *
 * @param folder Where to; created, and what is there is overwritten.
 */
export async function buildNpmPackage(folder: string): Promise<void> {
  const offered = Object.values(EXPORTS);
  const programs = Object.values(PROGRAMS);
  const packages = await writeAll([...offered, ...programs], folder, {
    extension: ".js",
    options: {},
    transpile: ts.transpileModule,
  });
  // Only what the declarations of the offered modules lead to: others need not
  // say all their types.
  const types = await writeAll(offered, folder, {
    extension: ".d.ts",
    options: { declaration: true, isolatedDeclarations: true },
    transpile: ts.transpileDeclaration,
  });
  for (const name of FOLDERS) await copyFolder(name, folder);
  for (const name of FILES) {
    await copyFile(join(ROOT, name), join(folder, name));
  }
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify(await manifestOf(packages.union(types)), null, 2) + "\n",
  );
}

/** One kind of output. */
interface Output {
  readonly extension: string;
  readonly options: ts.CompilerOptions;
  readonly transpile: typeof ts.transpileModule;
}

/** Writes modules and all that their outputs import; the packages among that. */
async function writeAll(
  modules: readonly string[],
  folder: string,
  output: Output,
): Promise<Set<string>> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const open = [...modules];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const specifier of await writeModule(path, folder, output)) {
      const [scope, name] = specifier.split("/");
      if (specifier.startsWith(".")) {
        const imported = specifier.replace(/\.js$/, ".ts");
        open.push(join(dirname(path), imported));
      } else if (!specifier.startsWith("node:")) {
        packages.add(scope!.startsWith("@") ? `${scope}/${name}` : scope!);
      }
    }
  }
  return packages;
}

/** Writes what a module becomes; what that imports. */
async function writeModule(
  path: string,
  folder: string,
  { extension, options, transpile }: Output,
): Promise<string[]> {
  const source = await readFile(join(ROOT, path), "utf8");
  const { outputText, diagnostics } = transpile(source, {
    compilerOptions: { ...COMPILER_OPTIONS, ...options },
    fileName: path,
    reportDiagnostics: true,
  });
  const [first] = diagnostics ?? [];
  if (first) {
    const why = ts.flattenDiagnosticMessageText(first.messageText, "\n");
    throw new Error(`cannot transpile ${path} to ${extension}: ${why}`);
  }
  await mkdir(join(folder, dirname(path)), { recursive: true });
  const text = extension === ".js" ? outputText : declarations(outputText);
  await writeFile(join(folder, path.replace(/\.ts$/, extension)), text);
  return ts.preProcessFile(text).importedFiles
    .map(({ fileName }) => fileName);
}

/** What the compiler leaves to be done in declarations. */
function declarations(text: string): string {
  return text
    // It rewrites the imports of JavaScript only.
    .replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"')
    // It declares a method with a computed name a second time, as a property.
    .replaceAll(/^ +\[Symbol\.\w+\]: \(\) => .*\n/gm, "");
}

async function copyFolder(name: string, folder: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  const entries = await readdir(join(ROOT, name), { withFileTypes: true });
  for (const entry of entries) {
    const path = join(name, entry.name);
    if (entry.isDirectory()) await copyFolder(path, folder);
    else await copyFile(join(ROOT, path), join(folder, path));
  }
}

async function manifestOf(packages: ReadonlySet<string>): Promise<object> {
  const text = await readFile(join(ROOT, "deno.json"), "utf8");
  const { name, version, license, imports }: DenoConfig = JSON.parse(text);
  const compiled = (path: string) => `./${path.replace(/\.ts$/, "")}`;
  return {
    name,
    version,
    license,
    description: "Compute it once, anywhere: the client of the Larder cache",
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
  };
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

if (import.meta.main) {
  const [folder = join(ROOT, "dist", "npm"), ...more] = Deno.args;
  if (folder.startsWith("-") || more.length > 0) {
    console.error("larder: usage: deno task npm [FOLDER]");
    Deno.exit(2);
  }
  // A task runs in the clone, wherever it was called.
  const path = resolve(Deno.env.get("INIT_CWD") ?? "", folder);
  await buildNpmPackage(path);
  console.log(`larder: npm package in ${path}`);
}
