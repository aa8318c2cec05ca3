import assert from "node:assert/strict";
import { FolderSyncs } from "./folder_syncs.ts";

/** Syncs that end when the test says so. */
function heldSyncs() {
  const begun: { folder: string; end: (error?: Error) => void }[] = [];
  const syncs = new FolderSyncs((folder) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    begun.push({
      folder,
      end: (error) => error ? reject(error) : resolve(),
    });
    return promise;
  });
  return { syncs, begun };
}

/** Notes when a promise settles, and how. */
function noting(promise: Promise<void>): { state: string } {
  const note = { state: "waiting" };
  promise.then(() => note.state = "synced", () => note.state = "failed");
  return note;
}

/** Lets everything settle that nothing holds up. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("FolderSyncs shares the sync that begins after the rename, and no other", async () => {
  const { syncs, begun } = heldSyncs();
  const first = noting(syncs.sync("a"));
  const second = noting(syncs.sync("a"));
  const third = noting(syncs.sync("a"));
  assert.equal(begun.length, 1);
  begun[0]!.end();
  await settled();
  assert.deepEqual([first, second].map(({ state }) => state), [
    "synced",
    "waiting",
  ]);
  assert.equal(begun.length, 2);
  const late = noting(syncs.sync("a"));
  begun[1]!.end();
  await settled();
  assert.deepEqual([second, third, late].map(({ state }) => state), [
    "synced",
    "synced",
    "waiting",
  ]);
  begun[2]!.end();
  await settled();
  assert.equal(late.state, "synced");
  noting(syncs.sync("a"));
  assert.equal(begun.length, 4, "nothing runs: it begins at once");
});

Deno.test("FolderSyncs tells each caller of the failure of its own sync only", async () => {
  const { syncs, begun } = heldSyncs();
  const first = noting(syncs.sync("a"));
  const second = noting(syncs.sync("a"));
  begun[0]!.end(new Error("EIO"));
  await settled();
  assert.deepEqual([first.state, second.state], ["failed", "waiting"]);
  begun[1]!.end();
  await settled();
  assert.equal(second.state, "synced");
});

Deno.test("FolderSyncs does not let one folder wait for another", () => {
  const { syncs, begun } = heldSyncs();
  noting(syncs.sync("a"));
  noting(syncs.sync("b"));
  assert.deepEqual(begun.map(({ folder }) => folder), ["a", "b"]);
});
