/** SETTINGS, PING and GOAWAY: RFC 9113, 6.5, 6.7 and 6.8. */

import assert from "node:assert/strict";
import { ErrorCode } from "./error_codes.ts";
import { FrameType } from "./frames.ts";
import { encodeHeaders } from "./hpack/mod.ts";
import { RETIRING_STREAM_ID } from "./limits.ts";
import { Setting } from "./settings.ts";
import {
  frame,
  goaway,
  ping,
  PREFACE,
  request,
  settings,
  settingsAck,
} from "./testing/frame_bytes.ts";
import { ServerTester } from "./testing/server_tester.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const GOODBYE = frame(
  FrameType.PING,
  1,
  0,
  new TextEncoder().encode("goodbye!"),
);

Deno.test("the server's SETTINGS come first, then the acknowledgement", () => {
  const tester = new ServerTester({ maxStreams: 256 });
  assert.deepEqual(tester.received(), []);
  tester.exchange(
    [PREFACE, settings()],
    "SETTINGS MAX_CONCURRENT_STREAMS=256 MAX_HEADER_LIST_SIZE=16384",
    `WINDOW_UPDATE 0 ${1024 * 1024 - 65_535}`,
    "SETTINGS ACK",
  );
  assert.equal(tester.connection.isAcknowledged, false);
  tester.exchange([settingsAck()]);
  assert.equal(tester.connection.isAcknowledged, true);
});

Deno.test("the first frame has to be SETTINGS", () => {
  for (const first of [request(1), ping(), settingsAck()]) {
    const tester = new ServerTester();
    tester.send(PREFACE, first);
    assert.equal(tester.received().at(-1), "GOAWAY 0 PROTOCOL_ERROR");
  }
});

Deno.test("a peer that lowers the header table is told so in the next block", () => {
  const tester = ServerTester.ready();
  const table = (bytes: number) => settings([Setting.HEADER_TABLE_SIZE, bytes]);
  tester.exchange([table(8_192)], "SETTINGS ACK");
  tester.send(request(1), request(3));
  tester.stream(1).headers(HEAD);
  assert.deepEqual(tester.received(), ["HEADERS 1 :status=200"]);
  tester.exchange([table(0), table(4_096)], "SETTINGS ACK", "SETTINGS ACK");
  tester.stream(1).trailers(HEAD);
  tester.stream(3).headers(HEAD, true);
  assert.deepEqual(tester.received(), [
    "HEADERS 1 [table 0] :status=200 END_STREAM",
    "HEADERS 3 :status=200 END_STREAM",
  ]);
});

Deno.test("a block that is withdrawn leaves the table's new size to the next", () => {
  const tester = ServerTester.ready();
  tester.send(settings([Setting.HEADER_TABLE_SIZE, 0]), request(1), request(3));
  tester.stream(1).headers(HEAD);
  tester.stream(1).reset(ErrorCode.CANCEL);
  tester.stream(3).headers(HEAD, true);
  assert.deepEqual(tester.received(), [
    "SETTINGS ACK",
    "RST_STREAM 1 CANCEL",
    "HEADERS 3 [table 0] :status=200 END_STREAM",
  ]);
});

Deno.test("settings out of their range are errors", () => {
  const cases: [number, number, string][] = [
    [Setting.ENABLE_PUSH, 2, "PROTOCOL_ERROR"],
    [Setting.INITIAL_WINDOW_SIZE, 2 ** 31, "FLOW_CONTROL_ERROR"],
    [Setting.MAX_FRAME_SIZE, 16_383, "PROTOCOL_ERROR"],
    [Setting.MAX_FRAME_SIZE, 2 ** 24, "PROTOCOL_ERROR"],
  ];
  for (const [setting, value, code] of cases) {
    const tester = ServerTester.ready();
    tester.exchange([settings([setting, value])], `GOAWAY 0 ${code}`);
  }
  const tester = ServerTester.ready();
  tester.exchange([settings([0xf0, 2 ** 32 - 1])], "SETTINGS ACK");
});

Deno.test("frames of a wrong length are errors", () => {
  for (
    const wrong of [
      frame(FrameType.SETTINGS, 0, 0, [1, 2, 3]),
      frame(FrameType.SETTINGS, 1, 0, [1, 2, 3, 4, 5, 6]),
      frame(FrameType.PING, 0, 0, [1]),
      frame(FrameType.GOAWAY, 0, 0, [1]),
      frame(FrameType.WINDOW_UPDATE, 0, 0, [1]),
      frame(FrameType.RST_STREAM, 0, 1, [1]),
      frame(FrameType.PING, 0, 0, new Array(16_385).fill(0)),
    ]
  ) {
    const tester = ServerTester.ready();
    tester.exchange([wrong], "GOAWAY 0 FRAME_SIZE_ERROR");
  }
});

Deno.test("frames of the connection name no stream", () => {
  for (const type of [FrameType.SETTINGS, FrameType.PING, FrameType.GOAWAY]) {
    const tester = ServerTester.ready();
    const wrong = frame(type, 0, 1, new Array(type === 4 ? 6 : 8).fill(0));
    tester.exchange([wrong], "GOAWAY 0 PROTOCOL_ERROR");
  }
});

Deno.test("a goodbye takes two steps: nothing on its way is lost", () => {
  const tester = ServerTester.ready();
  tester.send(request(1));
  tester.connection.goAway();
  tester.connection.goAway();
  assert.deepEqual(tester.received(), [
    `GOAWAY ${2 ** 31 - 1} NO_ERROR`,
    "PING",
  ]);
  // It crossed the first GOAWAY.
  tester.exchange([request(3)]);
  tester.exchange([ping(1, 1)]);
  tester.exchange([GOODBYE], "GOAWAY 3 NO_ERROR");
  tester.exchange([request(5)], "RST_STREAM 5 REFUSED_STREAM");
  for (const id of [1, 3]) {
    assert.equal(tester.connection.isOver, false);
    tester.stream(id).headers(HEAD, true);
    tester.received();
  }
  assert.equal(tester.connection.isOver, true);
  tester.assertNothingLeft();
});

Deno.test("a client that does not answer the goodbye has a second", () => {
  const tester = ServerTester.ready();
  tester.connection.goAway();
  tester.received();
  tester.connection.hurryGoodbye(999);
  assert.deepEqual(tester.received(), []);
  tester.connection.hurryGoodbye(1_000);
  assert.deepEqual(tester.received(), ["GOAWAY 0 NO_ERROR"]);
  assert.equal(tester.connection.isOver, true);
});

Deno.test("a connection whose ids run out makes place for a new one", () => {
  const tester = ServerTester.ready();
  const id = Math.ceil(RETIRING_STREAM_ID / 2) * 2 + 1;
  tester.exchange([request(id - 4)]);
  tester.exchange([request(id)], `GOAWAY ${2 ** 31 - 1} NO_ERROR`, "PING");
  tester.exchange([request(id + 2)]);
  tester.exchange([GOODBYE], `GOAWAY ${id + 2} NO_ERROR`);
});

Deno.test("a client's GOAWAY lets its calls end, unless it has an error", () => {
  const tester = ServerTester.ready();
  tester.send(request(1));
  tester.exchange([goaway(ErrorCode.NO_ERROR, 0)]);
  tester.exchange([ping(1)], "PING ACK");
  assert.equal(tester.connection.isOver, false);
  tester.exchange([goaway(ErrorCode.INTERNAL_ERROR, 0)]);
  assert.equal(tester.called().at(-1), "closed 1 false");
  assert.equal(tester.connection.isOver, true);
});

Deno.test("a client that has gone, and has no calls, is sent nothing", () => {
  const tester = ServerTester.ready();
  tester.exchange([request(1)]);
  tester.stream(1).headers(HEAD, true);
  tester.received();
  tester.exchange([ping(1), goaway(ErrorCode.NO_ERROR, 0)]);
  assert.equal(tester.connection.isOver, true);
});
