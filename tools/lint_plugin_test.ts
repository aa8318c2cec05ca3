import assert from "node:assert/strict";
import plugin from "./lint_plugin.ts";

/** What is said of one file: the line, and the message without its reason. */
function check(path: string, source: string): string[] {
  return said(path, source).map((line) => line.replace(/ \([^()]*\)$/, ""));
}

function said(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ range, message }) =>
    `${source.slice(0, range[0]).split("\n").length}: ${message}`
  );
}

function imports(specifier: string, clause = "{ a }"): string {
  return `import ${clause} from "${specifier}";\n`;
}

/** A rule, a file that breaks it, what is said of it, and one that keeps it. */
type Case = readonly [
  name: string,
  path: string,
  bad: string,
  said: string,
  good: string,
];

const CASES: readonly Case[] = [
  [
    "rpc sees no storage",
    "src/rpc/local_service.ts",
    "// first line\n" + imports("../blobs/blob_store.ts"),
    "2: rpc must not import blobs",
    imports("../engine/executor.ts") + imports("../errors.ts") +
    imports("./wire.ts"),
  ],
  [
    "imports run one way",
    "src/engine/executor.ts",
    imports("../rpc/wire.ts"),
    "1: engine must not import rpc",
    imports("../table/step.ts") + imports("../manifest/manifest.ts"),
  ],
  [
    "only the composition root names concrete stores",
    "src/engine/executor.ts",
    imports("../manifest/sqlite_manifest.ts"),
    "1: engine must not name the concrete store src/manifest/sqlite_manifest.ts",
    imports("../manifest/manifest.ts") + imports("../blobs/blob_store.ts"),
  ],
  [
    "a re-export is an import",
    "src/ops/metrics.ts",
    `export * from "../serve.ts";`,
    "1: ops must not import serve",
    `export type { BlobStore } from "../blobs/blob_store.ts";`,
  ],
  [
    "an import() is an import",
    "src/launch/launcher.ts",
    `const { serve } = await import("../serve.ts");`,
    "1: launch must not import serve",
    `import { parse } from "../config.ts";`,
  ],
  [
    "an import() names its module",
    "src/main.ts",
    "await import(path);",
    "1: an import() must name its module",
    `await import("./serve.ts");`,
  ],
  [
    "the client knows only errors and wire",
    "src/client/client.ts",
    imports("../rpc/status.ts"),
    "1: client must not import rpc",
    imports("../rpc/wire.ts", "type { A }") + imports("../errors.ts"),
  ],
  [
    "stores import only the table's types",
    "src/manifest/manifest.ts",
    imports("../table/types.ts"),
    "1: manifest must import only types of table",
    imports("../table/types.ts", "type { A }") +
    imports("../table/types.ts", "{ type A, type B }") +
    imports("../../workers/protocol.ts"),
  ],
  [
    "workers import nothing from src",
    "workers/blob_worker.ts",
    imports("../src/limits.ts"),
    "1: workers must not import limits",
    imports("./protocol.ts"),
  ],
  [
    "the table imports only errors and limits",
    "src/table/step.ts",
    imports("../clock.ts"),
    "1: table must not import clock",
    imports("../limits.ts") + imports("./types.ts"),
  ],
  [
    "src imports nothing beside src and workers",
    "src/serve.ts",
    imports("../tests/fixture.ts"),
    "1: serve must not import tests/fixture.ts",
    imports("../deno.json", "config") +
    imports("./manifest/sqlite_manifest.ts"),
  ],
  [
    "a new room needs a rule",
    "src/utils/strings.ts",
    "",
    "1: utils is no known room",
    "",
  ],
  [
    "the server has an edge of its own",
    "src/serve.ts",
    imports("http2"),
    "1: serve must not import http2",
    imports("./rpc/edge.ts"),
  ],
  [
    "domain code is free of gRPC",
    "src/engine/executor.ts",
    imports("npm:@grpc/proto-loader@0.8.1"),
    "1: engine must not import npm:@grpc/proto-loader@0.8.1",
    imports("node:assert/strict"),
  ],
  [
    "the old edge is not even mentioned",
    "src/rpc/unary.ts",
    "/** As grpc-js has it. */",
    "1: rpc must not say grpc-js",
    "/** As others have it. */",
  ],
  [
    "the protocols import nothing from outside",
    "src/grpc/server.ts",
    imports("node:buffer"),
    "1: grpc must not import node:buffer",
    imports("../http2/mod.ts"),
  ],
  [
    "the protocols do no input or output",
    "src/http2/connection.ts",
    "const a = Deno.listen;",
    "1: http2 must not use Deno",
    "/** As Deno has it. */",
  ],
  [
    "clients take only types of the wire",
    "src/client/v1.ts",
    imports("../rpc/wire.ts"),
    "1: client must import only types of rpc",
    `import type { A } from "../rpc/wire.ts";`,
  ],
  [
    "the table imports nothing from outside",
    "src/table/step.ts",
    imports("node:buffer"),
    "1: table must not import node:buffer",
    imports("../errors.ts"),
  ],
  [
    "SQLite stands behind one file",
    "workers/manifest_worker.ts",
    imports("node:sqlite"),
    "1: workers/manifest_worker.ts must not import node:sqlite",
    imports("./sqlite.ts"),
  ],
  [
    "TOML stands behind one file",
    "src/config.ts",
    imports("smol-toml"),
    "1: src/config.ts must not import smol-toml",
    imports("./toml.ts"),
  ],
  [
    "hashing stands behind one file",
    "workers/blob_worker.ts",
    imports("node:crypto", "{ randomBytes, createHash as sha }"),
    "1: workers/blob_worker.ts must not import node:crypto",
    imports("node:crypto", "{ randomBytes }") + imports("./digest.ts"),
  ],
  [
    "Web Crypto hashes behind the same file",
    "src/rpc/wire.ts",
    "await crypto.subtle.digest(a, b);",
    "1: src/rpc/wire.ts must not use crypto.subtle",
    "crypto.getRandomValues(a);",
  ],
  [
    "programs alone read the arguments",
    "src/config.ts",
    "\nparse(Deno.args);",
    "2: src/config.ts must not use Deno.args",
    `/** Deno.args are main's. */ say("Deno.args");`,
  ],
  [
    "programs alone take signals",
    "src/serve.ts",
    `Deno.addSignalListener("SIGTERM", stop);`,
    "1: src/serve.ts must not use Deno.addSignalListener",
    "",
  ],
  ...["Deno", "setTimeout", "performance"].map((
    word,
  ): Case => [
    `the table is pure: ${word}`,
    "src/table/step.ts",
    `x = ${word} (y);`,
    `1: table must not use ${word}`,
    `// ${word}\nconst x = "${word}"; y = { ${word}: 1 }; z.${word};`,
  ]),
  ...["Math.random", "Date.now"].map((word): Case => [
    `the table is pure: ${word}`,
    "src/table/step.ts",
    `x = ${word}();`,
    `1: table must not use ${word}`,
    `/* ${word}() */ Math.max(1, 2);`,
  ]),
  ...["new Date()", "await y", "async () => {}"].map((code): Case => [
    `the table is pure: ${code}`,
    "src/table/step.ts",
    `x = ${code};`,
    `1: table must not use ${code}`,
    `/* ${code} */ x = Date;`,
  ]),
  [
    "nothing is exported as default",
    "src/rpc/server.ts",
    "export default 1;",
    "1: src/rpc/server.ts must not use export default 1;",
    "export const a = 1;",
  ],
  [
    "nothing is exported as default by a list",
    "src/rpc/server_test.ts",
    "export { a as default };",
    "1: src/rpc/server_test.ts must not use a as default",
    "export { a };",
  ],
  ...["tests/cli/support.ts", "bench/run.ts", "src/rpc/protos.ts"].map((
    path,
  ): Case => [
    `the path of a file is decoded: ${path}`,
    path,
    'const a = new URL("./b.ts", import.meta.url).pathname;',
    `1: ${path} must not use pathname`,
    'const a = fileURLToPath(new URL("./b.ts", import.meta.url));',
  ]),
  [
    "the path of a file is decoded, however it is taken",
    "tools/npm/build.ts",
    "const { pathname } = new URL(import.meta.url);",
    "1: tools/npm/build.ts must not use pathname",
    "",
  ],
];

for (const [name, path, bad, wrong, good] of CASES) {
  Deno.test(`the rules of the house: ${name}`, () => {
    assert.deepEqual(check(path, bad), [wrong]);
    if (good !== "") assert.deepEqual(check(path, good), []);
  });
}

Deno.test("the rules of the house give their reason", () => {
  const [fault] = said("src/rpc/a.ts", imports("../blobs/blob_store.ts"));
  assert.match(fault ?? "", /\(the gRPC edge .*\)$/);
});

Deno.test("the rules of the house let programs read arguments and signals", () => {
  const source = `Deno.args; Deno.addSignalListener("SIGINT", f);`;
  for (const program of ["main.ts", "main/launcher.ts", "main/confined.ts"]) {
    assert.deepEqual(check(`src/${program}`, source), [], program);
  }
});

Deno.test("the rules of the house let tests import what they like", () => {
  for (const path of ["src/table/step_test.ts", "src/rpc/testing/child.ts"]) {
    const source = imports("node:sqlite") + "await Deno.args;";
    assert.deepEqual(check(path, source), [], path);
  }
});

Deno.test("the rules of the house hold in the house alone", () => {
  assert.deepEqual(check("tools/x.ts", imports("node:sqlite")), []);
});

Deno.test("the rules of the house read imports of many shapes", () => {
  for (
    const source of [
      `import "../blobs/a.ts";`,
      `import * as a from '../blobs/a.ts';`,
      `import a from "../blobs/a.ts";`,
      `import type A from "../blobs/a.ts";`,
      `import a, {\n  b, // with a comment\n  type C,\n} from "../blobs/a.ts";`,
      `export { a } from "../blobs/a.ts";`,
      `export * as a from "../blobs/a.ts";`,
      `import("../blobs/a.ts");`,
    ]
  ) {
    assert.deepEqual(check("src/rpc/a.ts", source), [
      "1: rpc must not import blobs",
    ]);
  }
});
