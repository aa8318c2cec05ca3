import assert from "node:assert/strict";
import type { DropReason } from "./options.ts";
import { ECHO_PATH } from "./testing/echo_service.ts";
import { startEchoServer } from "./testing/in_process.ts";
import {
  FRAME,
  frame,
  join,
  RawClient,
  request,
} from "./testing/raw_client.ts";
import { soon } from "./testing/soon.ts";

/** The begin of a message, and so many pieces of it. */
function pieces(count: number, pieceBytes: number): Uint8Array {
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(1, count * pieceBytes);
  const piece = frame(FRAME.DATA, 0, 1, new Uint8Array(pieceBytes));
  return join(
    frame(FRAME.DATA, 0, 1, head),
    ...Array.from({ length: count }, () => piece),
  );
}

Deno.test("a client that sends its request byte by byte, a frame each, is dropped", async () => {
  const drops: DropReason[] = [];
  using echo = await startEchoServer({
    onDrop: (reason) => drops.push(reason),
  });
  using client = await RawClient.open(echo.port);
  await client.send(request(1, ECHO_PATH));
  await client.ping();
  await client.send(pieces(10_000, 1));
  const read = async () => {
    for await (const _ of client.frames()) { /* until the server closes */ }
  };
  await soon(read(), "the end of the connection");
  assert.deepEqual(drops, ["shreds"]);
});

Deno.test("many pieces of some length, and few of none, are taken", async () => {
  using echo = await startEchoServer();
  for (const [count, pieceBytes] of [[2_000, 300], [1_000, 1]] as const) {
    using client = await RawClient.open(echo.port, 1_000_000);
    await client.send(request(1, ECHO_PATH));
    await client.ping();
    await client.send(
      pieces(count, pieceBytes),
      frame(FRAME.DATA, 1, 1, new Uint8Array()),
    );
    const last = (await soon(client.stream(1), "an answer")).at(-1);
    assert.equal(last?.type, FRAME.HEADERS);
  }
});
