import assert from "node:assert/strict";
import { announcementsAvailable } from "./announced_messages.ts";
import { MemoryBudget } from "../../engine/memory_budget.ts";
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

/** How much comes before it is asked whether there is room for the rest. */
const FIRST_BYTES = 70_000;

const message = new Uint8Array(MESSAGE_BYTES + 5);
new DataView(message.buffer).setUint32(1, MESSAGE_BYTES);

/** A part of the message, in frames. */
function part(streamId: number, from: number, to: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = from; at < to; at += 10_000) {
    const end = Math.min(at + 10_000, to);
    const flags = end === message.length ? 1 : 0;
    pieces.push(
      frame(FRAME.DATA, flags, streamId, message.subarray(at, end)),
    );
  }
  return join(...pieces);
}

/** The first piece of a call whose message is announced to be large. */
function begin(streamId: number, bytes = FIRST_BYTES): Uint8Array {
  return join(request(streamId, ECHO_PATH), part(streamId, 0, bytes));
}

/** The rest of it. */
function finish(streamId: number): Uint8Array {
  return part(streamId, FIRST_BYTES, message.length);
}

Deno.test("this grpc-js lets announced lengths be seen", () => {
  assert.equal(announcementsAvailable(), true);
});

Deno.test("a large request of which little has come holds nothing", async () => {
  const requestBudget = new MemoryBudget({ totalBytes: 1_000_000 });
  using echo = await startEchoServer({ requestBudget });
  using client = await RawClient.open(echo.port, 10_000_000);
  await client.send(begin(1, 1_000));
  await client.ping();
  assert.equal(requestBudget.usedBytes, 0);
  await client.send(part(1, 1_000, FIRST_BYTES));
  await until(() => requestBudget.usedBytes === MESSAGE_BYTES);
});

Deno.test("an upload that pauses loses its room early when others wait for it", async () => {
  const requestBudget = new MemoryBudget({ totalBytes: 1_000_000 });
  using echo = await startEchoServer({
    requestBudget,
    contendedStallTimeoutMs: 100,
    sweepIntervalMs: 20,
  });
  using pausing = await RawClient.open(echo.port, 10_000_000);
  await pausing.send(begin(1));
  await until(() => requestBudget.usedBytes === MESSAGE_BYTES);
  using waiting = await RawClient.open(echo.port, 10_000_000);
  await waiting.send(begin(1), finish(1));
  const ended = await soon(pausing.stream(1), "the end of the pausing upload");
  assert.equal(ended.at(-1)?.type, FRAME.RST_STREAM);
  await soon(waiting.stream(1), "the turn of the one that waits");
});

Deno.test("a large request counts from its first piece until its call has ended", async () => {
  const requestBudget = new MemoryBudget({ totalBytes: 1_000_000 });
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
  const requestBudget = new MemoryBudget({ totalBytes: 1_000_000 });
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
  const requestBudget = new MemoryBudget({ totalBytes: 1_000_000 });
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
