/** Busy connections beside one that asks for little. */

import assert from "node:assert/strict";
import { encodeHeaders } from "./hpack/mod.ts";
import { CLOSES_PER_TURN, FRAMES_PER_LOOK, TURN_MS } from "./limits.ts";
import type { RequestHandler } from "./stream_api.ts";
import { request } from "./testing/frame_bytes.ts";
import { turns } from "./testing/pipe.ts";
import { ServedPipes } from "./testing/served_pipe.ts";
import { nextTurn } from "./turns.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const CONNECTIONS = 20;
const CALLS = 250;
/** What a call takes: so many as are handled between two looks are a turn. */
const CALL_MS = TURN_MS / FRAMES_PER_LOOK;

const requests = (count: number) =>
  Array.from({ length: count }, (_, at) => request(2 * at + 1));

Deno.test("busy connections together keep others waiting no longer than one", async () => {
  const served = new ServedPipes();
  const working: RequestHandler = (stream) => ({
    data() {},
    end() {
      served.nowMs += CALL_MS;
      stream.headers(HEAD, true);
    },
    closed() {},
  });
  const busy = [];
  for (let at = 0; at < CONNECTIONS; at++) {
    busy.push(await served.ready(working));
  }
  const endMs = served.nowMs + CONNECTIONS * CALLS * CALL_MS;
  for (const { pipe } of busy) pipe.send(...requests(CALLS));
  await turns();
  const turnsMs: number[] = [];
  // Nobody is forgotten over it.
  while (served.nowMs < endMs && turnsMs.length < 10_000) {
    const beforeMs = served.nowMs;
    await new Promise<void>(nextTurn);
    turnsMs.push(served.nowMs - beforeMs);
  }
  assert.equal(served.nowMs, endMs);
  const longestMs = Math.max(...turnsMs);
  assert.ok(longestMs <= 2 * TURN_MS, `a turn took ${longestMs} ms`);
  await served.end();
});

Deno.test("calls of a lost connection end in turns, each of them once", async () => {
  const served = new ServedPipes();
  const count = 3 * CLOSES_PER_TURN;
  const { pipe, connection, ended } = await served.ready();
  pipe.send(...requests(count));
  while (served.calls.length < count) await turns();
  const closed = () => served.calls.slice(count);
  connection.close();
  assert.equal(closed().length, CLOSES_PER_TURN);
  // Those that have not heard of it do nothing any more.
  for (const stream of served.streams.values()) stream.headers(HEAD, true);
  const last = served.streams.get(2 * count - 1)!;
  last.reset(0);
  last.allow(1);
  await ended;
  const expected = requests(count).map((_, at) => `closed ${2 * at + 1} false`);
  assert.deepEqual(closed(), expected);
  await served.end();
});

Deno.test("who asks for little and was slow once waits for no busy connections", async () => {
  const served = new ServedPipes();
  const answeredMs: number[] = [];
  const working = (onEnd: () => void): RequestHandler => (stream) => ({
    data() {},
    end() {
      served.nowMs += CALL_MS;
      onEnd();
      stream.headers(HEAD, true);
    },
    closed() {},
  });
  const polite = await served.ready(
    working(() => answeredMs.push(served.nowMs)),
  );
  polite.pipe.send(request(1));
  await turns();
  const busy = [];
  for (let at = 0; at < CONNECTIONS; at++) {
    busy.push(await served.ready(working(() => {})));
  }
  for (const { pipe } of busy) pipe.send(...requests(CALLS));
  await turns();
  const sentMs = served.nowMs;
  polite.pipe.send(request(3));
  await turns();
  const tookMs = answeredMs[1]! - sentMs;
  assert.ok(tookMs <= 3 * TURN_MS, `it took ${tookMs} ms`);
  await served.end();
});
