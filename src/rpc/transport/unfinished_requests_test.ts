import assert from "node:assert/strict";
import type { DropReason } from "./options.ts";
import { ECHO_PATH } from "./testing/echo_service.ts";
import { startEchoServer } from "./testing/in_process.ts";
import {
  ask,
  body,
  FRAME,
  frame,
  join,
  RawClient,
  request,
} from "./testing/raw_client.ts";
import { soon } from "./testing/soon.ts";

const REFUSED_STREAM = 7;

async function refused(client: RawClient, streamId: number): Promise<void> {
  const end = (await soon(client.stream(streamId), `the end of ${streamId}`))
    .at(-1);
  assert.equal(end?.type, FRAME.RST_STREAM);
  assert.equal(new DataView(end.payload.buffer).getUint32(0), REFUSED_STREAM);
}

/** A message of 30,000 bytes that lacks one, in two pieces. */
function lacksOne(streamId: number): Uint8Array {
  const piece = new Uint8Array(15_002);
  new DataView(piece.buffer).setUint32(1, 30_000);
  return join(
    frame(FRAME.DATA, 0, streamId, piece),
    frame(FRAME.DATA, 0, streamId, new Uint8Array(15_002)),
  );
}

Deno.test("requests that never end make room for others, the stillest first", async () => {
  const drops: DropReason[] = [];
  using echo = await startEchoServer({
    maxUnfinishedRequests: 3,
    onDrop: (reason) => drops.push(reason),
  });
  using client = await RawClient.open(echo.port);
  for (const id of [1, 3, 5]) await client.send(request(id, ECHO_PATH));
  await client.ping();
  // A piece of the first: now the second is the stillest.
  const piece = new Uint8Array([0, 0, 0, 0, 4, 9]);
  await client.send(frame(FRAME.DATA, 0, 1, piece));
  await client.ping();
  await client.send(request(7, ECHO_PATH));
  await refused(client, 3);
  await client.send(frame(FRAME.DATA, 1, 1, new Uint8Array(3)));
  await soon(client.stream(1), "the answer to the one that went on");
  // What is complete counts no more.
  await client.send(ask(9, ECHO_PATH, 5), ask(11, ECHO_PATH, 5));
  await soon(client.stream(11), "the answers to whole requests");
  assert.deepEqual(drops, ["unfinished"]);
});

Deno.test("bodies that lack a byte are bounded together", async () => {
  using echo = await startEchoServer({ maxUnfinishedBytes: 70_000 });
  using client = await RawClient.open(echo.port, 1_000_000);
  for (const id of [1, 3, 5]) {
    await client.send(request(id, ECHO_PATH), lacksOne(id));
  }
  await refused(client, 1);
  await client.send(frame(FRAME.DATA, 1, 5, new Uint8Array(1)));
  await soon(client.stream(5), "the answer to the last");
});

Deno.test("a connection that begins many requests and ends none is dropped when others come", async () => {
  using echo = await startEchoServer({ maxUnfinishedRequests: 100 });
  using rude = await RawClient.open(echo.port);
  await rude.send(
    ...Array.from({ length: 100 }, (_, i) => request(2 * i + 1, ECHO_PATH)),
  );
  await rude.ping();
  using polite = await RawClient.open(echo.port);
  await polite.send(request(1, ECHO_PATH));
  const read = async () => {
    for await (const _ of rude.frames()) { /* until the server closes */ }
  };
  await soon(read(), "the end of the rude connection");
  await polite.send(body(1, new Uint8Array(4)));
  await soon(polite.stream(1), "the answer to the polite one");
});
