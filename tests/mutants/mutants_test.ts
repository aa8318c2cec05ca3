import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { MUTANTS } from "./mutants.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("each mutant is of a text that stands once in its file", () => {
  for (const { name, file, from, to } of MUTANTS) {
    const found = Deno.readTextFileSync(REPOSITORY + file).split(from);
    assert.equal(found.length, 2, `${name}: ${file}`);
    assert.notEqual(from, to, name);
  }
  const names = new Set(MUTANTS.map(({ name }) => name));
  assert.equal(names.size, MUTANTS.length, "each has a name of its own");
});
