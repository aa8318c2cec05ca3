import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

Deno.test("the client's sources use nothing that only Deno has", () => {
  const sources = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith("_test.ts"));
  assert(sources.length > 5);
  for (const path of sources) {
    const text = readFileSync(`${FOLDER}/${path}`, "utf8");
    assert.doesNotMatch(text, /\bDeno\.\w/, path);
    assert.doesNotMatch(text, /from "(jsr|npm|https?):/, path);
  }
});
