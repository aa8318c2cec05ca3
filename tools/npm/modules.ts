/**
 * Modules as JavaScript, and as declarations. Each is transpiled by itself, and
 * keeps its place.
 *
 * @module
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ts from "typescript";

const COMPILER_OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  strict: true,
  exactOptionalPropertyTypes: true,
};

/**
 * What a declaration may need that a project's `lib` need not name:
 * `AsyncDisposable`.
 */
const REFERENCE = '/// <reference lib="esnext.disposable" />\n';

/** One kind of output. */
interface Output {
  readonly extension: string;
  readonly options: ts.CompilerOptions;
  readonly transpile: typeof ts.transpileModule;
}

const PROGRAMS: Output = {
  extension: ".js",
  options: {},
  transpile: ts.transpileModule,
};
const DECLARATIONS: Output = {
  extension: ".d.ts",
  options: { declaration: true, isolatedDeclarations: true },
  transpile: ts.transpileDeclaration,
};

/** From where to where. */
export interface Places {
  /** The folder of the sources. */
  readonly from: string;
  /** The folder of the package. */
  readonly to: string;
}

/** Writes modules and all that they import, as JavaScript; the packages among that. */
export function writePrograms(
  modules: readonly string[],
  places: Places,
): Promise<Set<string>> {
  return writeAll(modules, places, PROGRAMS);
}

/**
 * Writes the declarations of modules, and of what those lead to: others need not
 * say all their types. The packages among that.
 */
export function writeDeclarations(
  modules: readonly string[],
  places: Places,
): Promise<Set<string>> {
  return writeAll(modules, places, DECLARATIONS);
}

/** The path of the JavaScript that a module becomes. */
export function compiled(path: string): string {
  return path.replace(/\.ts$/, PROGRAMS.extension);
}

/** Writes modules and all that their outputs import; the packages among that. */
async function writeAll(
  modules: readonly string[],
  places: Places,
  output: Output,
): Promise<Set<string>> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const open = [...modules];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const specifier of await writeModule(path, places, output)) {
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
  { from, to }: Places,
  { extension, options, transpile }: Output,
): Promise<string[]> {
  const source = await readFile(join(from, path), "utf8");
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
  await mkdir(join(to, dirname(path)), { recursive: true });
  const text = extension === ".js" ? outputText : declarations(outputText);
  await writeFile(join(to, path.replace(/\.ts$/, extension)), text);
  return ts.preProcessFile(text).importedFiles
    .map(({ fileName }) => fileName);
}

/** What the compiler leaves to be done in declarations. */
function declarations(text: string): string {
  const finished = text
    // It rewrites the imports of JavaScript only.
    .replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"')
    // It declares a method with a computed name a second time, as a property.
    .replaceAll(/^ +\[Symbol\.\w+\]: \(\) => .*\n/gm, "");
  return /\bAsyncDisposable\b|\bSymbol\.asyncDispose\b/.test(finished)
    ? REFERENCE + finished
    : finished;
}
