import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { guardStreams } from "./guarded_streams.ts";
import { ChildServer } from "./testing/child_server.ts";
import { goaway, RawClient, request } from "./testing/raw_client.ts";
import { soon } from "./testing/soon.ts";

Deno.test("an unknown method and a GOAWAY with an error in one packet leave the server alive", async () => {
  await using child = await ChildServer.start();
  for (let i = 0; i < 20; i++) {
    using client = await RawClient.open(child.port);
    await client.send(request(1, "/no.Such/Method"), goaway(2));
    for await (const _ of client.frames()) { /* until the server closes */ }
  }
  assert.equal(child.dead, false);
  await child.status();
});

// The cure for GOAWAY, deferredClose, keeps the same stream alive: with either
// the server lives. So what one of them does shows only without the other.
for (
  const [what, cures, lives] of [
    ["only the guard", { deferredClose: false }, true],
    ["only the deferred close", { guardedStreams: false }, true],
    ["neither", { deferredClose: false, guardedStreams: false }, false],
  ] as const
) {
  Deno.test(`an unknown method and a GOAWAY with an error, with ${what}, leave the server ${lives ? "alive" : "dead"}`, async () => {
    await using child = await ChildServer.start({ cures });
    using client = await RawClient.open(child.port);
    await client.send(request(1, "/no.Such/Method"), goaway(2));
    for await (const _ of client.frames()) { /* until the server closes */ }
    if (lives) await child.status();
    else await soon(child.ended(), "the end of the server");
    assert.equal(child.dead, !lives);
  });
}

class FakeStream extends EventEmitter {
  destroyed = false;
  closed = false;
  closedWith: number | undefined;
  close(code: number): void {
    this.closed = true;
    this.closedWith = code;
  }
}

Deno.test("a listener that throws costs one call and one warning", () => {
  const warnings: string[] = [];
  const listener = guardStreams([() => {
    throw new Error("no");
  }], (message) => warnings.push(message));
  const stream = new FakeStream();
  listener(stream as unknown as ServerHttp2Stream);
  assert.equal(stream.closedWith, 2);
  assert.equal(warnings.length, 1);
  stream.emit("error", new Error("late errors are nobody's business"));
});

Deno.test("a stream that is already gone reaches no listener", () => {
  let reached = 0;
  const listener = guardStreams([() => reached++], () => {});
  const stream = new FakeStream();
  stream.destroyed = true;
  listener(stream as unknown as ServerHttp2Stream);
  assert.equal(reached, 0);
});
