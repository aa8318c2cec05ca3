import assert from "node:assert/strict";
import type { ServerHttp2Session } from "node:http2";
import { Connection } from "./connection.ts";
import type { SessionHandle } from "./internals.ts";
import type { DropReason } from "./options.ts";
import { guardReceive } from "./receiving.ts";
import { ECHO_PATH } from "./testing/echo_service.ts";
import { startEchoServer } from "./testing/in_process.ts";
import {
  ask,
  FRAME,
  frame,
  join,
  RawClient,
  request,
  reset,
} from "./testing/raw_client.ts";

Deno.test("a client that opens and resets streams by the thousand is dropped", async () => {
  const drops: DropReason[] = [];
  using echo = await startEchoServer({
    onDrop: (reason) => drops.push(reason),
  });
  using client = await RawClient.open(echo.port);
  const storm: Uint8Array[] = [];
  for (let id = 1; id < 20_000; id += 2) {
    storm.push(request(id, ECHO_PATH), reset(id));
  }
  await client.send(join(...storm)).catch(() => {/* dropped in the middle */});
  for await (const _ of client.frames()) { /* until the server closes */ }
  assert.deepEqual(drops, ["streamFlood"]);
});

Deno.test("a client that stays within the announced limit is served", async () => {
  using echo = await startEchoServer();
  using client = await RawClient.open(echo.port);
  const calls = Array.from({ length: 250 }, (_, i) => 2 * i + 1);
  await client.send(join(...calls.map((id) => ask(id, ECHO_PATH, id))));
  const open = new Set(calls);
  for await (const one of client.frames()) {
    const ended = one.type === FRAME.HEADERS && (one.flags & 1) !== 0;
    if (ended) open.delete(one.streamId);
    if (open.size === 0) break;
  }
});

Deno.test("frames that lie across two pieces are understood", async () => {
  using echo = await startEchoServer();
  using client = await RawClient.open(echo.port);
  const message = new Uint8Array(60_000).map((_, i) => i % 251);
  const header = new Uint8Array([0, 0, 0, 0, 0]);
  new DataView(header.buffer).setUint32(1, message.byteLength);
  const whole = join(header, message);
  const pieces: Uint8Array[] = [request(1, ECHO_PATH)];
  for (let at = 0; at < whole.byteLength; at += 10_000) {
    const last = at + 10_000 >= whole.byteLength ? 1 : 0;
    pieces.push(
      frame(FRAME.DATA, last, 1, whole.subarray(at, at + 10_000)),
    );
  }
  await client.send(join(...pieces));
  const data = (await client.stream(1)).filter(({ type }) =>
    type === FRAME.DATA
  );
  assert.deepEqual(join(...data.map(({ payload }) => payload)), whole);
});

Deno.test("a packet that comes while nghttp2 is at one waits for its turn", async () => {
  const seen: string[] = [];
  const waits = Promise.withResolvers<void>();
  const native = {
    receive([packet]: Uint8Array) {
      seen.push(`begin ${packet}`);
      // JavaScript that native code calls feeds the session its next packet,
      // and reads another one into the same memory.
      if (packet === 1) {
        const memory = new Uint8Array([2]);
        native.receive(memory);
        memory[0] = 3;
        native.receive(memory);
      }
      seen.push(`end ${packet}`);
    },
  };
  const connection = new Connection(
    {} as ServerHttp2Session,
    { socket: undefined, handle: native as SessionHandle },
    0,
  );
  const limit = { maxTrackedStreams: 1, onFlood() {}, onShreds: undefined };
  guardReceive(connection, limit);
  native.receive(new Uint8Array([1]));
  assert.deepEqual(seen, [1, 2, 3].flatMap((n) => [`begin ${n}`, `end ${n}`]));

  // Sending is native code, too, and nobody comes back to look.
  seen.length = 0;
  connection.native(() => native.receive(new Uint8Array([4])));
  assert.deepEqual(seen, []);
  setImmediate(waits.resolve);
  await waits.promise;
  assert.deepEqual(seen, ["begin 4", "end 4"]);
});
