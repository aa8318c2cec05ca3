import assert from "node:assert/strict";
import { MAX_KEYS_BYTES } from "../limits.ts";
import { newEntry } from "./asking.ts";
import { State } from "./state.ts";
import { entryKey } from "./testing/fake_engine.ts";

const READY = {
  kind: "ready",
  generation: "1",
  pins: 0,
  reading: undefined,
  verifying: undefined,
} as const;

function emptyState(): State {
  return new State({
    ...{ leaseTimeoutMs: 1, restartGraceMs: 1, handleLeaseMs: 1 },
    ...{ maxValueBytes: 1, servedBefore: false, startWallMs: 0 },
    newId: () => "1",
    newStaging: () => "s",
  }, 0);
}

/** An entry at rest, whose key is not the least that it may be. */
function resting(s: State, letter: string, keyBytes = 1) {
  const key = { ...entryKey("ns", letter), key: new Uint8Array(keyBytes) };
  const entry = newEntry(s, key);
  entry.state = { ...READY };
  s.rest(entry);
  return entry;
}

Deno.test("a value that all ask for makes room for keys, too", () => {
  const s = emptyState();
  resting(s, "a", MAX_KEYS_BYTES / 2);
  const hot = resting(s, "b");
  newEntry(s, {
    ...entryKey("ns", "c"),
    key: new Uint8Array(MAX_KEYS_BYTES / 2),
  });
  assert.equal(s.whyNot("ns"), "full");
  s.rest(hot);
  assert.equal(s.whyNot("ns"), undefined);
  assert.deepEqual([...s.resting.values()], [hot]);
});
