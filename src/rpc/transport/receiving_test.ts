import assert from "node:assert/strict";
import type { DropReason } from "./options.ts";
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
