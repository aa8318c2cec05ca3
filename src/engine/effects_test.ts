import assert from "node:assert/strict";
import { BlobError } from "../blobs/blob_store.ts";
import { MemoryBlobStore } from "../blobs/testing/memory_blob_store.ts";
import { askFor, LEASE_MS, memoryEngine } from "./testing/memory_engine.ts";

/** A store that can be in trouble. */
class TroubledStore extends MemoryBlobStore {
  error: BlobError | undefined;

  override get trouble(): BlobError | undefined {
    return this.error;
  }
}

Deno.test("no work is given out while the disk takes no values, and what is there is read", async () => {
  const blobs = new TroubledStore();
  const { engine, clock, lines } = memoryEngine({ blobs });
  const get = async (key: string) => {
    const reply = await askFor(engine, key);
    return reply.kind === "assigned" ? reply.assignment.id : reply.kind;
  };
  const id = await get("ready");
  await engine.ask({ kind: "set", id, value: Uint8Array.of(1) });
  await get("expired");
  clock.advance(LEASE_MS);

  blobs.error = new BlobError("full", "No space left: open '/some/path'");
  assert.equal(await get("ready"), "value");
  assert.equal(await get("expired"), "unassigned", "nor is it taken over");
  assert.equal(await get("new"), "unassigned");
  assert.match(lines.join(), /takes no values \(No space left\)/);
  assert.doesNotMatch(lines.join(), /path/, "so that it is one line");

  blobs.error = undefined;
  assert.match(await get("expired"), /^\d+$/);
  assert.match(await get("new"), /^\d+$/);
  await engine.close();
});

Deno.test("the file of work that is given back is gone before its row may go, or stay", async () => {
  const { engine, blobs, manifest } = memoryEngine();
  const { assignment: { id = "" } = {} } = Object(
    await askFor(engine, "key", "local"),
  );
  const steps: string[] = [];
  const discarding = Promise.withResolvers<void>();
  blobs.local.discard = () => {
    steps.push("file");
    return discarding.promise;
  };
  manifest.remove = () => {
    steps.push("row");
    return Promise.reject(new Error("no space left"));
  };
  const abandoned = engine.ask({ kind: "abandon", id });
  // What its holder says meanwhile comes after it.
  const heard = engine.ask({ kind: "heartbeat", id })
    .then(() => steps.push("heard"));
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(steps, ["file"]);
  discarding.resolve();
  assert.equal((await abandoned).kind, "error");
  await heard;
  assert.deepEqual(steps, ["file", "row", "heard"]);
  assert.equal((await engine.ask({ kind: "heartbeat", id })).kind, "ok");
  await engine.close();
});
