import assert from "node:assert/strict";
import {
  checkDrawing,
  edgesOf,
  type ModuleGraph,
  unreached,
} from "./check_drawing.ts";

function graph(imports: Readonly<Record<string, string[]>>): ModuleGraph {
  const at = (path: string) => new URL(`../${path}`, import.meta.url).href;
  return {
    modules: Object.entries(imports).map(([path, targets]) => ({
      specifier: at(path),
      dependencies: targets.map((target, i) => ({
        [i % 2 === 0 ? "code" : "type"]: { specifier: at(target) },
      })),
    })),
  };
}

Deno.test("edgesOf collects the imports between rooms, without the floor", () => {
  const found = graph({
    "src/rpc/a.ts": ["src/errors.ts", "src/engine/b.ts", "src/rpc/b.ts"],
    "src/rpc/b.ts": ["src/engine/c.ts"],
    "src/rpc/b_test.ts": ["src/manifest/a.ts"],
    "src/engine/b.ts": ["src/errors.ts", "src/table/step.ts"],
  });
  assert.deepEqual(edgesOf(found), ["engine -> table", "rpc -> engine"]);
});

Deno.test("unreached names the files that nothing brings in", () => {
  const [fault, ...others] = unreached(
    ["src/rpc/a.ts", "src/rpc/dead.ts"],
    graph({ "src/rpc/a.ts": [] }),
  );
  assert.match(fault ?? "", /^src\/rpc\/dead\.ts: no way in/);
  assert.deepEqual(others, []);
});

const DRAWING =
  "# Title\n\n```imports\nrpc -> engine\nengine -> table, blobs # and so on\n```\n";

Deno.test("checkDrawing accepts a drawing that equals the imports", () => {
  assert.deepEqual(
    checkDrawing(DRAWING, [
      "engine -> blobs",
      "engine -> table",
      "rpc -> engine",
    ]),
    [],
  );
});

Deno.test("checkDrawing names what is missing and what is too much", () => {
  assert.deepEqual(
    checkDrawing(DRAWING, ["engine -> table", "rpc -> engine", "rpc -> table"]),
    [
      "docs/ARCHITECTURE.md: the drawing lacks rpc -> table",
      "docs/ARCHITECTURE.md: the drawing shows engine -> blobs, which no file imports",
    ],
  );
});

Deno.test("checkDrawing asks for a drawing", () => {
  assert.match(checkDrawing("# Title", [])[0] ?? "", /no block tagged/);
});
