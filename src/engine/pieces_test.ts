import assert from "node:assert/strict";
import type { LarderError } from "../errors.ts";
import { STREAM_BYTES } from "../limits.ts";
import type { Reply } from "../table/types.ts";
import type { Budget } from "./admission.ts";
import { entryKey } from "./entry_key.ts";
import { type HandleReply, Pieces } from "./pieces.ts";
import { HANDLE_LEASE_MS, memoryEngine } from "./testing/memory_engine.ts";

const ENTRY = entryKey("ns", new TextEncoder().encode("k"));
const SIZE_IN_PIECES = 4;
const SIZE = (SIZE_IN_PIECES - 1) * STREAM_BYTES + 5;

/** A published value that is larger than a piece, and a handle on it. */
async function large() {
  const inside = memoryEngine();
  const { engine, blobs } = inside;
  let taken = 0;
  const grant = (bytes: number) => {
    taken += bytes;
    return { release: () => void (taken -= bytes) };
  };
  const budget: Budget = {
    takeNow: (_owner, bytes) => grant(bytes),
    take: (_owner, bytes) => grant(bytes),
  };
  const value = new Uint8Array(SIZE).map((_, at) => at >> 8);
  const work = await ask("assigned");
  const { id } = work.assignment;
  await engine.ask({ kind: "set", id, value: value.slice() });

  async function ask<K extends Reply["kind"]>(
    kind: K,
  ): Promise<Reply & { kind: K }> {
    const reply = await engine.ask({
      kind: "get",
      api: "stream",
      entry: ENTRY,
      assign: true,
    });
    assert.equal(reply.kind, kind);
    return reply as Reply & { kind: K };
  }

  function read(handle: HandleReply, offset = 0, length = SIZE) {
    return new Pieces({ engine, blobs, budget, warn: () => {} }).read(
      ENTRY,
      handle,
      {
        range: { offset, length },
        owner: {},
        signal: new AbortController().signal,
      },
    );
  }
  return { ...inside, value, ask, read, taken: () => taken };
}

Deno.test("a value is read piece by piece, in the memory of three", async () => {
  const { value, ask, read, taken } = await large();
  const handle = await ask("handle");
  let at = 7;
  for await (const piece of read(handle, 7, SIZE - 9)) {
    assert.ok(piece.length <= STREAM_BYTES);
    assert.deepEqual(piece, value.slice(at, at + piece.length));
    assert.equal(taken(), Math.min(SIZE - 9, 3 * STREAM_BYTES));
    at += piece.length;
  }
  assert.equal(at, SIZE - 2);
  assert.equal(taken(), 0);
});

Deno.test("a reader who goes gives the memory back", async () => {
  const { ask, read, taken } = await large();
  for await (const _ of read(await ask("handle"))) break;
  assert.equal(taken(), 0);
});

Deno.test("a slow reader keeps its handle", async () => {
  const { clock, engine, ask, read } = await large();
  let pieces = 0;
  for await (const _ of read(await ask("handle"))) {
    // When the last one has been read, nothing needs the file any more.
    if (++pieces === SIZE_IN_PIECES - 1) break;
    clock.advance(HANDLE_LEASE_MS - 1);
    assert.equal(engine.counts().handles, 1);
  }
});

Deno.test("a file that changes ends the reading, and is found damaged", async () => {
  const { blobs, engine, ask, read, taken } = await large();
  const handle = await ask("handle");
  async function readAll(): Promise<void> {
    for await (const _ of read(handle)) {
      blobs.tamper(ENTRY.name, (bytes) => bytes.fill(1));
    }
  }
  await assert.rejects(readAll, ({ code }: LarderError) => {
    assert.equal(code, "storage-failed");
    return true;
  });
  assert.equal(taken(), 0);
  while (engine.counts().handles > 0 || engine.counts().entries > 0) {
    await engine.ask({ kind: "drop", id: handle.id });
    await new Promise((resolve) => setTimeout(resolve));
  }
  await ask("assigned");
});
