/** For how long the bytes of a value are there. */

import assert from "node:assert/strict";
import type { Reply } from "../table/types.ts";
import type { Grant } from "./admission.ts";
import { entryKey } from "./entry_key.ts";
import { askFor, memoryEngine } from "./testing/memory_engine.ts";

const VALUE_BYTES = 100_000;
/** Nothing here is asked of another thread. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("the bytes of a value are there until the last of its calls has ended", async () => {
  const freed: ArrayBuffer[] = [];
  const { engine } = memoryEngine({
    onUnused: (buffer) => freed.push(buffer),
  });
  const work = await askFor(engine, "a");
  assert.ok(work.kind === "assigned");
  const value = new Uint8Array(VALUE_BYTES).fill(7);
  await engine.ask({ kind: "set", id: work.assignment.id, value });

  const sent: { reply: Reply; grant: Grant | undefined }[] = [];
  const entry = entryKey("ns", new TextEncoder().encode("a"));
  const get = () =>
    engine.submit(
      { kind: "get", api: "remote", entry, assign: false },
      (reply, grant) => sent.push({ reply, grant }),
    );
  get();
  get();
  // Nobody listens any more when it has been read.
  engine.cancel(get());
  await settled();
  const [one, other] = sent;
  assert.ok(one?.reply.kind === "value" && other?.reply.kind === "value");
  assert.equal(one.reply.value, other.reply.value, "it is read once");
  assert.deepEqual(freed, []);

  one.grant?.release();
  one.grant?.release();
  await settled();
  assert.deepEqual(freed, [], "the other call goes on");

  other.grant?.release();
  await settled();
  assert.deepEqual(freed, [one.reply.value.buffer]);
  await engine.close();
});

Deno.test("a value that was read for nobody is freed", async () => {
  const freed: ArrayBuffer[] = [];
  const { engine } = memoryEngine({
    onUnused: (buffer) => freed.push(buffer),
  });
  const work = await askFor(engine, "a");
  assert.ok(work.kind === "assigned");
  const value = new Uint8Array(VALUE_BYTES);
  await engine.ask({ kind: "set", id: work.assignment.id, value });
  const entry = entryKey("ns", new TextEncoder().encode("a"));
  const ticket = engine.submit(
    { kind: "get", api: "remote", entry, assign: false },
    () => assert.fail("it was cancelled"),
  );
  engine.cancel(ticket);
  await settled();
  assert.equal(freed.length, 1);
  await engine.close();
});
