/**
 * Checks that the drawing in `docs/ARCHITECTURE.md` shows the imports between
 * rooms that there are, and that no file is left that nothing uses. Who may
 * import whom is a matter of `lint_plugin.ts`.
 *
 * ```sh
 * deno run --allow-read=. --allow-run tools/check_drawing.ts           # one line a difference
 * deno run --allow-read=. --allow-run tools/check_drawing.ts --drawing # prints the drawing
 * ```
 *
 * @module
 */

import { filesBelow } from "./files_below.ts";
import { FLOOR } from "./import_rules.ts";
import { pathOf, roomOf, TESTS } from "./rooms.ts";

const DOCUMENT = "docs/ARCHITECTURE.md";
/** The ways in. `grpc` has its own: the servers of the conformance suites. */
const ENTRIES: readonly string[] = [
  ...["src/main.ts", "src/main/launcher.ts", "src/main/confined.ts"],
  ...["src/mod.ts", "src/npm/bin.ts", "src/npm/on_deno.ts"],
  ...["workers/blob_worker.ts", "workers/manifest_worker.ts"],
  "src/grpc/mod.ts",
];

/** What `deno info --json` says of modules, as far as it counts here. */
export interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

/** The imports between rooms, sorted: `rpc -> engine`. Without the floor. */
export function edgesOf({ modules }: ModuleGraph): string[] {
  const edges = new Set<string>();
  for (const { specifier, dependencies = [] } of modules) {
    const from = houseRoom(specifier);
    if (from === undefined) continue;
    for (const { code, type } of dependencies) {
      const to = houseRoom((code ?? type)?.specifier);
      const isDrawn = to !== undefined && to !== from && !FLOOR.includes(to);
      if (isDrawn) edges.add(`${from} -> ${to}`);
    }
  }
  return [...edges].sort();
}

/** The room of a module of ours that is no test. */
function houseRoom(specifier: string | undefined): string | undefined {
  if (!specifier?.startsWith("file:") || !specifier.endsWith(".ts")) return;
  const path = pathOf(specifier);
  return TESTS.test(path) ? undefined : roomOf(path);
}

/** Compares the drawing, a block tagged `imports`, with the edges there are. */
export function checkDrawing(
  markdown: string,
  edges: readonly string[],
): string[] {
  const [, body] = /^```imports\s*\n(.*?)^```/ms.exec(markdown) ?? [];
  if (body === undefined) {
    return [`${DOCUMENT}: there is no block tagged \`imports\``];
  }
  const drawn = new Set(
    body.split("\n").flatMap((text) => {
      const [from, targets] = text.replace(/#.*/, "").split("->");
      return targets?.split(",").map((to) =>
        `${from!.trim()} -> ${to.trim()}`
      ) ??
        [];
    }),
  );
  return [
    ...edges.filter((edge) => !drawn.has(edge))
      .map((edge) => `${DOCUMENT}: the drawing lacks ${edge}`),
    ...[...drawn].filter((edge) => !edges.includes(edge))
      .map((edge) =>
        `${DOCUMENT}: the drawing shows ${edge}, which no file imports`
      ),
  ];
}

/** Files that nothing brings in: dead, or for tests, and then in a `testing` folder. */
export function unreached(
  files: readonly string[],
  { modules }: ModuleGraph,
): string[] {
  const reached = new Set(modules.map(({ specifier }) => pathOf(specifier)));
  return files.filter((file) => !reached.has(file)).map((file) =>
    `${file}: no way in leads here; what only tests use is in a folder 'testing'`
  );
}

function sourceFiles(folder: string): string[] {
  return filesBelow(".", folder)
    .filter((path) => path.endsWith(".ts") && !TESTS.test(path));
}

/** What the ways in bring in; `deno info` takes one at a time. */
function graphOf(entries: readonly string[]): ModuleGraph {
  const modules = entries.flatMap((entry) => {
    const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
    }).outputSync();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    const graph: ModuleGraph = JSON.parse(new TextDecoder().decode(stdout));
    return graph.modules;
  });
  return { modules };
}

if (import.meta.main) {
  const graph = graphOf(ENTRIES);
  const edges = edgesOf(graph);
  if (Deno.args.includes("--drawing")) {
    console.log(edges.join("\n"));
  } else {
    const faults = [
      ...checkDrawing(Deno.readTextFileSync(DOCUMENT), edges),
      ...unreached([...sourceFiles("src"), ...sourceFiles("workers")], graph),
    ];
    for (const line of faults) console.error(line);
    if (faults.length > 0) Deno.exit(1);
  }
}
