import assert from "node:assert/strict";
import { announcementsAvailable } from "./announced_messages.ts";
import { ReplyBudget } from "./budget.ts";
import { ECHO_PATH } from "./testing/echo_service.ts";
import { soon, until } from "./testing/soon.ts";
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

const MESSAGE_BYTES = 900_000;

/** The first piece of a call whose message is announced to be large. */
function begin(streamId: number): Uint8Array {
  const piece = new Uint8Array(1_000);
  new DataView(piece.buffer).setUint32(1, MESSAGE_BYTES);
  return join(
    request(streamId, ECHO_PATH),
    frame(FRAME.DATA, 0, streamId, piece),
  );
}

/** The rest of it. */
function finish(streamId: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let leftBytes = MESSAGE_BYTES + 5 - 1_000;
  while (leftBytes > 0) {
    const bytes = Math.min(leftBytes, 10_000);
    leftBytes -= bytes;
    pieces.push(
      frame(
        FRAME.DATA,
        leftBytes === 0 ? 1 : 0,
        streamId,
        new Uint8Array(bytes),
      ),
    );
  }
  return join(...pieces);
}

Deno.test("this grpc-js lets announced lengths be seen", () => {
  assert.equal(announcementsAvailable(), true);
});

Deno.test("a large request counts from its announcement until its call has ended", async () => {
  const requestBudget = new ReplyBudget({ totalBytes: 1_000_000 });
  using echo = await startEchoServer({ requestBudget });
  using client = await RawClient.open(echo.port, 10_000_000);
  await client.send(begin(1));
  await until(() => requestBudget.usedBytes === MESSAGE_BYTES);
  await client.send(finish(1));
  const data = (await soon(client.stream(1))).filter(({ type }) =>
    type === FRAME.DATA
  );
  const echoed = join(...data.map(({ payload }) => payload));
  assert.equal(echoed.byteLength, MESSAGE_BYTES + 5);
  await until(() => requestBudget.usedBytes === 0);
});

Deno.test("a large request waits for room, and small ones do not", async () => {
  const requestBudget = new ReplyBudget({ totalBytes: 1_000_000 });
  using echo = await startEchoServer({ requestBudget });
  using first = await RawClient.open(echo.port, 10_000_000);
  await first.send(begin(1));
  await until(() => requestBudget.usedBytes === MESSAGE_BYTES);

  using second = await RawClient.open(echo.port, 10_000_000);
  await second.send(begin(1));
  await until(() => requestBudget.contended);
  await second.send(finish(1), ask(3, ECHO_PATH, 7));
  await soon(second.stream(3));
  assert.equal(requestBudget.contended, true);

  await first.send(finish(1));
  await soon(first.stream(1));
  const data = (await soon(second.stream(1))).filter(({ type }) =>
    type === FRAME.DATA
  );
  const echoed = join(...data.map(({ payload }) => payload));
  assert.equal(echoed.byteLength, MESSAGE_BYTES + 5);
  await until(() => requestBudget.usedBytes === 0);
});

Deno.test("a client that goes away while it waits, or while it counts, frees its room", async () => {
  const requestBudget = new ReplyBudget({ totalBytes: 1_000_000 });
  using echo = await startEchoServer({ requestBudget });
  {
    using counting = await RawClient.open(echo.port);
    await counting.send(begin(1));
    await until(() => requestBudget.usedBytes === MESSAGE_BYTES);
    using waiting = await RawClient.open(echo.port);
    await waiting.send(begin(1));
    await until(() => requestBudget.contended);
  }
  await until(() => requestBudget.usedBytes === 0 && !requestBudget.contended);
  using client = await RawClient.open(echo.port);
  await client.send(request(1, ECHO_PATH), body(1, new Uint8Array(4)));
  await soon(client.stream(1));
});
