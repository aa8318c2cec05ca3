import assert from "node:assert/strict";
import type { DropReason } from "./options.ts";
import { ECHO_PATH } from "./testing/echo_service.ts";
import { startEchoServer } from "./testing/in_process.ts";
import { ask, FRAME, RawClient, request, reset } from "./testing/raw_client.ts";
import { soon } from "./testing/soon.ts";

const REFUSED_STREAM = 7;
const LIMIT = 20;

/** Opens calls that stay open, as they lack their body. */
async function opens(
  client: RawClient,
  { count, from = 0 }: { count: number; from?: number },
): Promise<void> {
  for (let i = from; i < from + count; i++) {
    await client.send(request(2 * i + 1, ECHO_PATH));
  }
  await client.ping();
}

async function refused(client: RawClient, streamId: number): Promise<void> {
  const end = (await soon(client.stream(streamId), `the end of ${streamId}`))
    .at(-1);
  assert.equal(end?.type, FRAME.RST_STREAM);
  assert.equal(new DataView(end.payload.buffer).getUint32(0), REFUSED_STREAM);
}

Deno.test("who has most calls open gets no more when there are too many", async () => {
  const drops: DropReason[] = [];
  using echo = await startEchoServer({
    maxOpenCalls: LIMIT,
    onDrop: (reason) => drops.push(reason),
  });
  using other = await RawClient.open(echo.port);
  {
    using greedy = await RawClient.open(echo.port);
    await opens(greedy, { count: LIMIT + 1 });
    await refused(greedy, 2 * LIMIT + 1);
    // Half of the limit is shared by the two.
    await opens(other, { count: 5 });
    await other.send(request(11, ECHO_PATH));
    await refused(other, 11);
    assert.deepEqual(drops, ["manyCalls", "manyCalls"]);
    // A call that ends makes room for the next.
    await other.send(ask(13, ECHO_PATH, 5));
    await refused(other, 13);
    await other.send(reset(1));
    await other.ping();
    await other.send(ask(15, ECHO_PATH, 5));
    await soon(other.stream(15), "the answer");
  }
  await other.ping();
  await opens(other, { from: 8, count: LIMIT / 2 });
  assert.equal(drops.length, 3);
});

Deno.test("everybody may have a few calls, however many have them", async () => {
  const drops: DropReason[] = [];
  using echo = await startEchoServer({
    maxOpenCalls: 4,
    onDrop: (reason) => drops.push(reason),
  });
  using stack = new DisposableStack();
  for (let i = 0; i < 10; i++) {
    const client = stack.use(await RawClient.open(echo.port));
    await opens(client, { count: 4 });
  }
  assert.deepEqual(drops, []);
});
