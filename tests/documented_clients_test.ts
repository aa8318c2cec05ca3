/** A program that is shown has to read a value wherever it may come. */

import assert from "node:assert/strict";

function textOf(path: string): Promise<string> {
  return Deno.readTextFile(new URL(`../${path}`, import.meta.url));
}

/** The fields of a message of larder.v1 that hold bytes of a value. */
function valueFields(proto: string, message: string): string[] {
  const [, body = ""] = proto.split(`message ${message} {`);
  const fields = body.split("\n}")[0]!.matchAll(/^ *bytes (\w+) = \d+;/gm);
  return [...fields].map(([, name]) => name!).filter((name) =>
    name !== "sha256"
  );
}

Deno.test("the program in Go that is shown reads a value wherever it may come", async () => {
  const proto = await textOf("proto/larder/v1/cache.proto");
  const [, program = ""] = (await textOf("docs/CLIENTS.md")).split("```go\n");
  const fields = ["FetchReply", "Ready"].flatMap((message) =>
    valueFields(proto, message)
  );
  assert.deepEqual(fields, ["chunk", "value"]);
  for (const field of fields) {
    const getter = `.Get${field[0]!.toUpperCase()}${field.slice(1)}()`;
    assert.ok(program.split("```")[0]!.includes(getter), getter);
  }
});
