/**
 * Checks the import rules of `import_rules.ts` over `src/` and `workers/`, what
 * no file says over all code, and that the drawing in `docs/ARCHITECTURE.md`
 * shows the imports there are.
 *
 * ```sh
 * deno run --allow-read=. tools/check_imports.ts           # one line a violation
 * deno run --allow-read=. tools/check_imports.ts --drawing # prints the drawing
 * ```
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import {
  CODE,
  type CodeRule,
  COMPOSERS,
  CONCRETE_STORES,
  EVERYWHERE,
  FLOOR,
  MODULES,
  ROOMS,
  WORDS,
} from "./import_rules.ts";
import {
  blank,
  importsOf,
  type ImportStatement,
  lineAt,
} from "./source_text.ts";

/** Source text by path within the repository (`src/rpc/server.ts`). */
export type Files = ReadonlyMap<string, string>;

/** What {@linkcode checkImports} found. */
export interface Report {
  /** One line each: `src/rpc/x.ts:3: rpc must not import blobs (why)`. */
  readonly violations: readonly string[];
  /** The room-level imports, sorted: `rpc -> engine`. Without the floor. */
  readonly edges: readonly string[];
}

/** Tests, and what only they use, may import what they like. */
const TESTS = /_test\.ts$|\/testing\//;
/** What the rooms are in. */
const HOUSE = /^(src|workers)\//;

/** Checks a set of files. */
export function checkImports(files: Files): Report {
  const violations: string[] = [];
  const edges = new Set<string>();
  for (const [path, source] of files) {
    const code = blank(source);
    const room = roomOf(path);
    for (const rule of EVERYWHERE) {
      checkCode({ path, room, code }, rule, violations);
    }
    if (TESTS.test(path) || !HOUSE.test(path)) continue;
    if (ROOMS[room] === undefined) {
      violations.push(
        `${path}:1: ${room} is no known room (name it in tools/import_rules.ts)`,
      );
      continue;
    }
    for (const rule of CODE) checkCode({ path, room, code }, rule, violations);
    for (const rule of WORDS) {
      checkCode({ path, room, code: source }, rule, violations);
    }
    for (const statement of importsOf(source, code)) {
      const edge = checkImport({ path, room }, statement, violations);
      if (edge !== undefined) edges.add(edge);
    }
  }
  return { violations, edges: [...edges].sort() };
}

/** Compares the drawing, a block tagged `imports`, with the edges there are. */
export function checkDrawing(
  markdown: string | undefined,
  edges: readonly string[],
): string[] {
  const path = "docs/ARCHITECTURE.md";
  const start = markdown?.search(/^```imports\s*$/m) ?? -1;
  if (markdown === undefined || start < 0) {
    return [
      `${path}:1: there is no block tagged \`imports\` (--drawing prints it)`,
    ];
  }
  const line = lineAt(markdown, start);
  const body = markdown.slice(markdown.indexOf("\n", start) + 1).split(
    /^```/m,
  )[0]!;
  const drawn = new Set<string>();
  for (const text of body.split("\n")) {
    const [from, targets] = text.replace(/#.*/, "").split("->");
    for (const to of targets?.split(",") ?? []) {
      drawn.add(`${from!.trim()} -> ${to.trim()}`);
    }
  }
  return [
    ...edges.filter((edge) => !drawn.has(edge))
      .map((edge) =>
        `${path}:${line}: the drawing lacks ${edge} (the code has it)`
      ),
    ...[...drawn].filter((edge) => !edges.includes(edge))
      .map((edge) =>
        `${path}:${line}: the drawing shows ${edge} (the code has no such import)`
      ),
  ];
}

interface Place {
  readonly path: string;
  readonly room: string;
}

/** Returns the edge to draw, if the import leaves its room. */
function checkImport(
  { path, room }: Place,
  { specifier, names, typeOnly, line }: ImportStatement,
  violations: string[],
): string | undefined {
  const say = (text: string) =>
    void violations.push(`${path}:${line}: ${text}`);
  if (specifier === undefined) {
    return say(
      "an import() must name its module (a computed path cannot be checked)",
    );
  }
  if (!/^\.{0,2}\//.test(specifier)) {
    for (const rule of MODULES) {
      if (!rule.module.test(specifier) || path === rule.except) continue;
      if (rule.rooms !== undefined && !rule.rooms.includes(room)) continue;
      if (
        rule.names !== undefined &&
        !names.some((name) => rule.names!.includes(name))
      ) continue;
      say(
        `${
          rule.except ? path : room
        } must not import ${specifier} (${rule.why})`,
      );
    }
    return undefined;
  }
  const target = resolve("/", dirname(path), specifier).slice(1);
  // JSON, such as the version in deno.json, is data and draws no edge.
  if (!target.endsWith(".ts")) return undefined;
  const to = roomOf(target);
  if (to === room) return undefined;
  const { may, types, why } = ROOMS[room]!;
  const file = target.replace(/^src\//, "");
  if (types?.includes(to) || types?.includes(file)) {
    if (!typeOnly) say(`${room} must import only types of ${to} (${why})`);
  } else if (!may.includes(to) && !may.includes(file)) {
    say(`${room} must not import ${ROOMS[to] ? to : target} (${why})`);
  } else if (
    CONCRETE_STORES.some((store) => store.test(target)) &&
    !COMPOSERS.includes(room)
  ) {
    say(
      `${room} must not name the concrete store ${target} (only ${
        COMPOSERS.join(", ")
      } may)`,
    );
  }
  return FLOOR.includes(to) ? undefined : `${room} -> ${to}`;
}

function checkCode(
  { path, room, code }: Place & { readonly code: string },
  rule: CodeRule,
  violations: string[],
): void {
  if (
    path === rule.except ||
    rule.rooms !== undefined && !rule.rooms.includes(room)
  ) return;
  for (const match of code.matchAll(rule.code)) {
    const where = rule.rooms === undefined ? path : room;
    const text = match[0].replace(/\s+/g, " ");
    violations.push(
      `${path}:${
        lineAt(code, match.index)
      }: ${where} must not use ${text} (${rule.why})`,
    );
  }
}

/** `src/rpc/server.ts` is in `rpc`, `src/limits.ts` in `limits`. */
function roomOf(path: string): string {
  const parts = path.split("/");
  if (parts[0] !== "src") return parts[0]!;
  return parts[1]!.replace(/(_test)?\.ts$/, "");
}

function readTree(folder: string, files: Map<string, string>): Files {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) readTree(path, files);
    else if (/\.m?ts$|\.mjs$/.test(path)) {
      files.set(path, Deno.readTextFileSync(path));
    }
  }
  return files;
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const files = new Map<string, string>();
  for (const folder of ["src", "workers", "tools", "bench", "tests", "docs"]) {
    readTree(folder, files);
  }
  const { violations, edges } = checkImports(files);
  if (Deno.args.includes("--drawing")) {
    console.log(edges.join("\n"));
  } else {
    const all = [
      ...violations,
      ...checkDrawing(readIfThere("docs/ARCHITECTURE.md"), edges),
    ].sort();
    for (const line of all) console.error(line);
    console.error(
      `${files.size} files, ${edges.length} imports between rooms, ${all.length} violations`,
    );
    if (all.length > 0) Deno.exit(1);
  }
}
