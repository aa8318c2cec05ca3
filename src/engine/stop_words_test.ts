import assert from "node:assert/strict";
import { entryKey } from "./entry_key.ts";
import { stopWords } from "./stop_words.ts";

function work(key: string, peer?: string) {
  return {
    entry: entryKey("sim", new TextEncoder().encode(key)),
    ...peer !== undefined && { peer },
    computingMs: 61_400,
    waiting: 0,
    isPublishing: key === "b",
  };
}

Deno.test("a stop says what it waits for, and nothing where that is nothing", () => {
  assert.equal(stopWords([], 10_000), undefined);
  assert.equal(
    stopWords([work("a", "10.0.0.7:5"), work("b")], 10_000),
    "stopping: waits up to 10 s for what is under way: sim a, computed by " +
      "10.0.0.7:5 for 61 s; sim b, published by a client of before the " +
      "restart for 61 s",
  );
  const many = ["a", "b", "c", "d", "e"].map((key) => work(key, "p"));
  assert.match(stopWords(many, 500) ?? "", /up to 1 s .*; and 2 more$/);
});
