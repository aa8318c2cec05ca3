import assert from "node:assert/strict";
import type { Engine, OnReply, Submission } from "../engine/engine.ts";
import { LarderError } from "../errors.ts";
import { Status, StatusError } from "../grpc/status.ts";
import { entryKey } from "../engine/entry_key.ts";
import { memoryEngine } from "../engine/testing/memory_engine.ts";
import type { Reply } from "../table/types.ts";
import { FakeCall } from "./testing/fake_call.ts";
import { submit } from "./unary.ts";

const HEARTBEAT: Submission = { kind: "heartbeat", id: "7" };

/** An engine that does as it is told, and notes what it was asked. */
class Told {
  readonly asked: Submission[] = [];
  readonly cancelled: number[] = [];
  reply: OnReply = () => {};
  readonly #atOnce: Reply | undefined;

  constructor(atOnce?: Reply) {
    this.#atOnce = atOnce;
  }

  get engine(): Engine {
    return this as unknown as Engine;
  }

  submit(request: Submission, onReply: OnReply): number {
    this.asked.push(request);
    if (this.asked.length > 1) return this.asked.length;
    this.reply = onReply;
    if (this.#atOnce) onReply(this.#atOnce);
    return 1;
  }

  cancel(ticket: number): void {
    this.cancelled.push(ticket);
  }
}

Deno.test("what the engine answers at once is no promise", () => {
  const told = new Told({ kind: "ok" });
  const call = new FakeCall();
  assert.deepEqual(submit(told.engine, HEARTBEAT, call), { kind: "ok" });
  assert.equal(call.listeners, 0, "nobody has to hear of its end");
});

Deno.test("a heartbeat and a Get of a hot value are answered in their turn", async () => {
  const { engine } = memoryEngine({ cacheBytes: 1_000_000 });
  const call = new FakeCall();
  const entry = entryKey("ns", Uint8Array.of(1));
  const ask = () =>
    submit(engine, { kind: "get", api: "remote", entry, assign: true }, call);
  const assigned = await ask();
  assert(assigned.kind === "assigned");
  const { id } = assigned.assignment;
  const renewed = submit(engine, { kind: "heartbeat", id }, call);
  assert.deepEqual(renewed, { kind: "ok" });
  const value = Uint8Array.of(7);
  await submit(engine, { kind: "set", id, value }, call);
  // Now it is hot.
  await ask();
  const hit = ask();
  assert(!(hit instanceof Promise) && hit.kind === "value");
  assert.deepEqual(hit.value, Uint8Array.of(7));
  await engine.close();
});

Deno.test("an error is thrown, or rejects, as its status", async () => {
  const error = new LarderError("no-file", "there is no file");
  const reply: Reply = { kind: "error", error };
  const expected = {
    name: "StatusError",
    code: Status.FAILED_PRECONDITION,
    message: "there is no file",
  };
  const told = new Told(reply);
  assert.throws(() => submit(told.engine, HEARTBEAT, new FakeCall()), expected);
  const late = new Told();
  const answer = submit(late.engine, HEARTBEAT, new FakeCall());
  late.reply(reply);
  await assert.rejects(Promise.resolve(answer), expected);
});

for (
  const [what, reply, given] of [
    [
      "an assignment",
      { kind: "assigned", assignment: { id: "5" } },
      { kind: "abandon", id: "5" },
    ],
    [
      "a handle",
      {
        kind: "handle",
        id: "6",
        name: "ns/0",
        digest: { size: 0, sha256: "" },
        stamp: { size: 0, mtimeMs: 0, ino: "1" },
      },
      { kind: "drop", id: "6" },
    ],
  ] as const
) {
  for (const atOnce of [true, false]) {
    const when = atOnce ? "at once" : "later";
    Deno.test(`${what} given ${when} comes back unless it was delivered`, async () => {
      for (const delivered of [true, false]) {
        const told = new Told(atOnce ? reply : undefined);
        const call = new FakeCall();
        const answer = submit(told.engine, HEARTBEAT, call);
        if (!atOnce) told.reply(reply);
        assert.equal(await answer, reply);
        call.end(delivered);
        assert.deepEqual(told.asked.slice(1), delivered ? [] : [given]);
        assert.deepEqual(told.cancelled, []);
      }
    });
  }
}

Deno.test("the memory of a value is given back when its call has ended", async () => {
  for (const delivered of [true, false]) {
    const told = new Told();
    const call = new FakeCall();
    const answer = submit(told.engine, HEARTBEAT, call);
    let released = 0;
    const value = new Uint8Array(1);
    told.reply({ kind: "value", value }, { release: () => released++ });
    await answer;
    assert.equal(released, 0);
    call.end(delivered);
    assert.equal(released, 1);
  }
});

Deno.test("whoever goes before there is an answer takes nothing", async () => {
  const told = new Told();
  const call = new FakeCall();
  const answer = submit(told.engine, HEARTBEAT, call);
  call.end(false);
  assert.deepEqual(told.cancelled, [1]);
  await assert.rejects(Promise.resolve(answer), StatusError);
});
