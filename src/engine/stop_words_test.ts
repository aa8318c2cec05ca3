import assert from "node:assert/strict";
import { logLine } from "../log/log.ts";
import { entryKey } from "./entry_key.ts";
import { leftWords, type Said, stopWords } from "./stop_words.ts";

function work(key: string, peer?: string) {
  return {
    entry: entryKey("sim", new TextEncoder().encode(key)),
    ...peer !== undefined && { peer },
    computingMs: 61_400,
    quietMs: 0,
    waiting: 0,
    waiters: [],
    isPublishing: key === "b",
  };
}

function lines(said: readonly Said[]): string[] {
  return said.map(({ message, facts }) =>
    logLine(message, facts, { format: "text", wallMs: 0 })
  );
}

Deno.test("a stop says what it waits for, a line each, and nothing where that is nothing", () => {
  assert.deepEqual(stopWords([], 10_000), []);
  const at = "1970-01-01T00:00:00.000Z info  ";
  assert.deepEqual(
    lines(stopWords([work("a", "10.0.0.7:5"), work("b")], 10_000)),
    [
      `${at}stopping: waits up to 10 s for 2 entries under way`,
      `${at}stopping: waits for what is computed namespace=sim key=a ` +
      "client=10.0.0.7:5 seconds=61.4",
      `${at}stopping: waits for what is published namespace=sim key=b ` +
      "seconds=61.4",
    ],
  );
  const many = Array.from({ length: 12 }, (_, i) => work(`${i}`, "p"));
  const said = stopWords(many, 500);
  assert.match(said[0]!.message, /up to 1 s for 12 entries/);
  assert.equal(said.length, 11, "the longest ten are named");
});

Deno.test("a stop that has waited in vain says what is left", () => {
  assert.equal(leftWords([]), undefined);
  const { message } = leftWords([work("a")])!;
  assert.match(message, /with 1 entry still under way: .*--restart-grace/);
});
