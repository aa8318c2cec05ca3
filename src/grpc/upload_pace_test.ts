/** A caller that sends too much is held back, and holds nothing meanwhile. */

import assert from "node:assert/strict";
import type { CountedCaller } from "./counted_caller.ts";
import { INITIAL_WINDOW_BYTES, STANDING_GRANT_BYTES } from "./limits.ts";
import { Status } from "./status.ts";
import {
  bytes,
  frame,
  settled,
  TestServer,
  type TestServerOptions,
} from "./testing/test_server.ts";
import { upload } from "./testing/upload.ts";

const STEP_BYTES = 65_536;

/** Is told to wait as a test wants it, in turn; then for nothing. */
class Paced implements CountedCaller {
  readonly isPaced = true;
  bytes = 0;

  constructor(readonly delaysMs: number[]) {}

  enter() {
    return undefined;
  }
  leave(): void {}
  pace(bytes: number): number {
    this.bytes += bytes;
    return this.delaysMs.shift() ?? 0;
  }
  unpace(bytes: number): void {
    this.bytes -= bytes;
  }
  tooFast(delayMs: number): string {
    return `${delayMs} ms`;
  }
}

function paced(delaysMs: number[], options: TestServerOptions = {}) {
  const caller = new Paced(delaysMs);
  const refused: unknown[] = [];
  const server = new TestServer({
    unary: () => bytes("done"),
    authenticate: () => caller,
    onRefused: (...told) => void refused.push(told),
    ...options,
  });
  return { caller, server, refused };
}

Deno.test("the window of a large message is opened when its caller may send it, and holds no memory until then", async () => {
  const { caller, server } = paced([2_000]);
  const message = frame(new Uint8Array(200_000));
  const stream = server.open("Unary");
  const left = upload(stream, message);
  await settled();
  assert.deepEqual(stream.allowed, []);
  assert.equal(server.budget.usedBytes, 0);
  server.clock.advance(1_999);
  assert.deepEqual(stream.allowed, []);
  server.clock.advance(1);
  assert.deepEqual(stream.allowed, [200_000]);
  assert.equal(upload(stream, left).length, 0);
  stream.receiveEnd();
  assert.equal(stream.status?.code, Status.OK);
  assert.equal(caller.bytes, 200_000);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a message that came whole waits for its handler; a tiny one does not", async () => {
  const { caller, server } = paced([9_999, 3_000]);
  const tiny = server.call("Unary", [new Uint8Array(4_096)]);
  assert.equal(tiny.status?.code, Status.OK);
  tiny.flush();
  const stream = server.call("Unary", [new Uint8Array(5_000)]);
  assert.equal(server.budget.usedBytes, 0);
  server.clock.advance(2_999);
  assert.equal(stream.queued.length, 0);
  server.clock.advance(1);
  assert.equal(stream.status?.code, Status.OK);
  assert.equal(caller.bytes, 9_096);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("what would have to wait for long is refused, and does not count", async () => {
  const { caller, server, refused } = paced([5_001, 5_001]);
  const small = server.call("Unary", [new Uint8Array(5_000)]);
  assert.equal(small.status?.code, Status.RESOURCE_EXHAUSTED);
  assert.equal(small.status.message, "5001 ms");
  small.flush();
  const large = server.open("Unary");
  upload(large, frame(new Uint8Array(200_000)));
  assert.equal(large.status?.code, Status.RESOURCE_EXHAUSTED);
  large.flush();
  assert.deepEqual(refused, Array(2).fill(["callerUpload", "5001 ms"]));
  assert.equal(caller.bytes, 0);
  await server.assertQuiet();
});

Deno.test("who goes while held back has sent nothing", async () => {
  const { caller, server } = paced([1_000, 1_000]);
  const large = server.open("Unary");
  upload(large, frame(new Uint8Array(200_000)));
  const fields = ["grpc-timeout", "500m"];
  const late = server.call("Unary", [new Uint8Array(5_000)], { fields });
  assert.equal(caller.bytes, 205_000);
  large.lose();
  await settled();
  server.clock.advance(500);
  assert.equal(late.status?.code, Status.DEADLINE_EXCEEDED);
  late.flush();
  assert.equal(caller.bytes, 0);
  server.clock.advance(1_000);
  await server.assertQuiet();
});

Deno.test("the window of a stream is opened in steps, as its caller may send", async () => {
  const { caller, server } = paced([0, 0, 0, 0, 0, 7_000, 0, 800], {
    clientStream: async (requests) => {
      for await (const _ of requests);
      return bytes("done");
    },
  });
  const stream = server.open("ClientStream");
  const message = frame(new Uint8Array(STANDING_GRANT_BYTES));
  let left = upload(stream, message);
  await settled();
  // The first window has been counted; of the grant, which comes before the
  // last frame of it, two steps are open, and one is waited for.
  assert.equal(caller.bytes, INITIAL_WINDOW_BYTES + 3 * STEP_BYTES);
  assert.deepEqual(stream.allowed, [2 * STEP_BYTES]);
  left = upload(stream, left);
  // Nobody waits for longer than some seconds: they would think we had gone.
  server.clock.advance(4_999);
  assert.deepEqual(stream.allowed, [2 * STEP_BYTES]);
  server.clock.advance(1);
  assert.deepEqual(stream.allowed, [2 * STEP_BYTES, STEP_BYTES]);
  server.clock.advance(800);
  const opened = stream.allowed.reduce((sum, some) => sum + some, 0);
  assert.equal(opened, STANDING_GRANT_BYTES);
  assert.equal(caller.bytes, INITIAL_WINDOW_BYTES + STANDING_GRANT_BYTES);
  left = upload(stream, left);
  assert.equal(left.length, 0);
  stream.receiveEnd();
  await settled();
  assert.equal(stream.status?.code, Status.OK);
  stream.flush();
  await server.assertQuiet();
});

Deno.test("a stream that is lost while it is held back waits no more", async () => {
  const { caller, server } = paced([0, 0, 0, 1_000], {
    clientStream: async (requests) => {
      for await (const _ of requests);
      return bytes("done");
    },
  });
  const stream = server.open("ClientStream");
  upload(stream, frame(new Uint8Array(STANDING_GRANT_BYTES)));
  await settled();
  stream.lose();
  await settled();
  assert.equal(caller.bytes, INITIAL_WINDOW_BYTES);
  server.clock.advance(1_000);
  assert.deepEqual(stream.allowed, []);
  await server.assertQuiet();
});

Deno.test("a stream that is answered early is held back no more", async () => {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const { caller, server } = paced([0, 0, 0, 1_000], {
    clientStream: () => promise,
  });
  const stream = server.open("ClientStream");
  upload(stream, frame(new Uint8Array(STANDING_GRANT_BYTES)));
  await settled();
  resolve(bytes("enough"));
  await settled();
  assert.equal(stream.status?.code, Status.OK);
  assert.equal(caller.bytes, INITIAL_WINDOW_BYTES);
  server.clock.advance(1_000);
  assert.deepEqual(stream.allowed, []);
  stream.flush();
  await server.assertQuiet();
});
