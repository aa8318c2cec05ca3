/** A caller's calls are counted, however they end. */

import assert from "node:assert/strict";
import type { CountedCaller } from "./counted_caller.ts";
import { Status } from "./status.ts";
import { bytes, frame, settled, TestServer } from "./testing/test_server.ts";

/** May have so many calls under way. */
class TestCaller implements CountedCaller {
  calls = 0;

  constructor(public most: number) {}

  enter() {
    if (this.calls >= this.most) return { message: `has ${this.calls}` };
    this.calls++;
    return undefined;
  }

  leave(): void {
    this.calls--;
    assert.ok(this.calls >= 0);
  }

  readonly isPaced: boolean = false;
  pace(): number {
    assert.fail("it is not paced");
  }
  unpace(): void {
    assert.fail("it is not paced");
  }
  tooFast(): string {
    assert.fail("it is not paced");
  }
}

/** Whoever calls from the port 1 is the first, and so on. */
function between(callers: readonly TestCaller[]) {
  return (_: unknown, { peer }: { readonly peer: string }) =>
    callers[Number(peer.split(":")[1]) - 1]!;
}

const from = (port: number) => ({ connection: { peer: `192.0.2.1:${port}` } });

Deno.test("a greedy caller is refused, on whatever connections, and a fair one is answered", async () => {
  const [greedy, fair] = [new TestCaller(2), new TestCaller(2)];
  const refused: [string, string | undefined][] = [];
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const server = new TestServer({
    unary: (request) => request.length > 0 ? request : promise,
    authenticate: between([greedy, fair]),
    onRefused: (reason, detail) => void refused.push([reason, detail]),
  });
  const waiting = [1, 2].map(() => server.call("Unary", [bytes("")], from(1)));
  for (let calls = 0; calls < 3; calls++) {
    const more = server.call("Unary", [bytes("a")], from(1));
    assert.equal(more.status?.code, Status.RESOURCE_EXHAUSTED);
    assert.equal(more.status.message, "has 2");
    more.flush();
    const other = server.call("Unary", [bytes("a")], from(2));
    assert.equal(other.status?.code, Status.OK);
    other.flush();
  }
  assert.deepEqual(refused[2], ["callerCalls", "has 2"]);
  assert.equal(refused.length, 3);
  resolve(bytes("b"));
  await settled();
  for (const stream of waiting) stream.flush();
  assert.equal(greedy.calls + fair.calls, 0);
  const again = server.call("Unary", [bytes("a")], from(1));
  assert.equal(again.status?.code, Status.OK);
  again.flush();
  await server.assertQuiet();
});

Deno.test("a call counts until it has ended, however it does", async () => {
  const caller = new TestCaller(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = new TestServer({
    unary: async (request, call) => {
      if (request.length === 0) throw new Error("no");
      await new Promise<void>((ended) => call.whenEnded(() => ended()));
      return request;
    },
    clientStream: async (requests) => {
      for await (const _ of requests);
      await promise;
      return bytes("");
    },
    authenticate: between([caller]),
    maxUnfinishedRequests: 1,
  });
  const counts = (calls: number, why: string) =>
    assert.equal(caller.calls, calls, why);

  const failed = server.call("Unary", [bytes("")], from(1));
  await settled();
  failed.flush();
  counts(0, "its handler failed");

  const lost = server.call("Unary", [bytes("a")], from(1));
  counts(1, "it waits");
  lost.lose();
  await settled();
  counts(0, "its connection was lost");

  const fields = ["grpc-timeout", "1S"];
  const late = server.call("Unary", [bytes("a")], { ...from(1), fields });
  await settled();
  server.clock.advance(1_000);
  await settled();
  late.flush();
  counts(0, "its deadline has passed");

  const still = server.open("Unary", from(1));
  counts(1, "its request has begun");
  const malformed = server.open("Unary", from(1));
  counts(1, "the other one was refused");
  malformed.flush();
  still.receive(frame(bytes("a")).subarray(0, 3));
  still.receiveEnd();
  still.flush();
  counts(0, "its request broke off");

  const stream = server.open("ClientStream", from(1));
  counts(1, "its handler reads");
  stream.lose();
  await settled();
  counts(1, "its handler has not ended");
  resolve();
  await settled();
  counts(0, "its handler has ended");
  await server.assertQuiet();
});

Deno.test("what a method says is given instead of an error, and some do not count", async () => {
  const caller = new TestCaller(0);
  const options = { unary: () => bytes("a"), authenticate: between([caller]) };
  const asking = new TestServer({ ...options, overLimit: [bytes("none")] });
  // Before its request has come: what still does is thrown away.
  const early = asking.open("Unary", from(1));
  assert.equal(early.status?.code, Status.OK);
  assert.deepEqual(early.messages, [bytes("none")]);
  early.receiveEnd();
  early.flush();
  await asking.assertQuiet();
  const passing = new TestServer({ ...options, overLimit: "passes" });
  const call = passing.call("Unary", [bytes("")], from(1));
  assert.deepEqual(call.messages, [bytes("a")]);
  call.flush();
  await passing.assertQuiet();
  assert.equal(caller.calls, 0);
});
