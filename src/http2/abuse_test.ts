/** Floods end; what honest clients send, however much or long, does not. */

import assert from "node:assert/strict";
import { ErrorCode } from "./error_codes.ts";
import { Flag, FrameType } from "./frames.ts";
import { encodeHeaders } from "./hpack/mod.ts";
import {
  data,
  frame,
  goaway,
  headers,
  lastData,
  paddedData,
  ping,
  POST,
  request,
  reset,
  settings,
  settingsAck,
  windowUpdate,
} from "./testing/frame_bytes.ts";
import { ServerTester } from "./testing/server_tester.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const TRAILERS = encodeHeaders([["grpc-status", "0"]]);
const body = (bytes: number) => [new Uint8Array(bytes)];

type Round = (tester: ServerTester, round: number) => void;
const send = (...frames: Uint8Array[]): Round => (tester) =>
  tester.send(...frames);

const FLOODS: Readonly<Record<string, Round>> = {
  "PING": send(ping()),
  "answers to no PING": send(ping(0, Flag.ACK)),
  "SETTINGS": send(settings()),
  "acknowledged SETTINGS": send(settingsAck()),
  "GOAWAY": send(goaway(ErrorCode.NO_ERROR, 0)),
  "PRIORITY": send(frame(FrameType.PRIORITY, 0, 1, [0, 0, 0, 0, 1])),
  "WINDOW_UPDATE": send(windowUpdate(0, 1)),
  "WINDOW_UPDATE of a stream": send(windowUpdate(1, 1)),
  "unknown frames": send(frame(0xbe, 0, 0)),
  "empty DATA": send(data(3, 0)),
  "tiny DATA": send(data(3, 1)),
  "DATA that is padding": send(paddedData(3, 0, 255)),
  "DATA that is padding, of a stream that is gone": send(
    paddedData(1, 0, 255),
  ),
  "resets of closed streams": (tester) =>
    tester.send(reset(3, ErrorCode.CANCEL)),
};

/** Requests that are begun for nothing cost more. */
const RESETS: Readonly<Record<string, Round>> = {
  "rapid resets": (tester, round) =>
    tester.send(request(5 + 2 * round), reset(5 + 2 * round, ErrorCode.CANCEL)),
  "errors that make us reset": (tester, round) =>
    tester.send(request(5 + 2 * round), windowUpdate(5 + 2 * round, 0)),
  "DATA beyond content-length": (tester, round) => {
    const id = 5 + 2 * round;
    tester.send(headers(id, [...POST, ["content-length", "1"]]), data(id, 300));
  },
  "resets of requests that brought a little": (tester, round) => {
    const id = 5 + 2 * round;
    tester.send(headers(id), data(id, 300), reset(id, ErrorCode.CANCEL));
  },
  "malformed requests": (tester, round) =>
    tester.send(request(5 + 2 * round, [])),
};

for (const [what, round] of Object.entries({ ...FLOODS, ...RESETS })) {
  Deno.test(`a flood of ${what} ends in ENHANCE_YOUR_CALM`, () => {
    const tester = ServerTester.ready();
    tester.send(request(1), headers(3));
    const lines: string[] = [];
    let rounds = 0;
    for (; rounds < 2_500 && !tester.connection.isOver; rounds++) {
      round(tester, rounds);
      lines.push(...tester.received());
    }
    assert.match(lines.at(-1)!, /^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
    assert.ok(rounds >= 400, `only ${rounds}`);
    if (what in RESETS) assert.ok(rounds <= 600, `as many as ${rounds}`);
    tester.assertNothingLeft();
  });
}

Deno.test("a header block without end, of frames that bring nothing", () => {
  const tester = ServerTester.ready();
  tester.send(frame(FrameType.HEADERS, 0, 1));
  for (let at = 0; at < 20; at++) {
    tester.send(frame(FrameType.CONTINUATION, 0, 1));
  }
  assert.deepEqual(tester.received(), ["GOAWAY 0 ENHANCE_YOUR_CALM"]);
});

Deno.test("answers to PING that are not read are bounded", () => {
  const tester = ServerTester.ready();
  for (let at = 0; !tester.connection.isOver; at++) {
    tester.nowMs += 100;
    tester.send(ping());
    assert.ok(at < 5_000);
  }
  assert.match(tester.received().at(-1)!, /^GOAWAY 0 ENHANCE_YOUR_CALM$/);
});

Deno.test("a window that is opened byte by byte is no progress", () => {
  const tester = ServerTester.ready();
  tester.send(settings([4, 0]), request(1));
  tester.stream(1).respond(HEAD, body(100_000), TRAILERS);
  let rounds = 0;
  for (; !tester.connection.isOver; rounds++) {
    assert.ok(rounds < 2_500);
    tester.send(windowUpdate(1, 1));
    tester.received();
  }
});

/** What clients do that mean well; each round ends with nothing of it open. */
const HONEST: Readonly<Record<string, Round>> = {
  "a bandwidth PING with each call (grpc-go, hyper)": (tester, round) => {
    call(tester, 2 * round + 1, 300);
    tester.send(ping(round));
  },
  "a WINDOW_UPDATE or two with each reply (C core)": (tester, round) => {
    const id = 2 * round + 1;
    tester.send(windowUpdate(0, 5), windowUpdate(0, 10));
    call(tester, id, 10);
    tester.send(windowUpdate(id, 5), windowUpdate(0, 10));
  },
  "a third of the calls cancelled": (tester, round) => {
    const id = 2 * round + 1;
    tester.send(headers(id), lastData(id, 20));
    if (round % 3 === 0) tester.send(reset(id, ErrorCode.CANCEL));
    else tester.stream(id).respond(HEAD, body(10), TRAILERS);
  },
  "small calls whose message and end come apart": (tester, round) => {
    const id = 2 * round + 1;
    tester.send(headers(id), data(id, 5), data(id, 20), lastData(id));
    tester.stream(id).respond(HEAD, body(10), TRAILERS);
  },
  "small messages to and fro on one stream": (tester, round) => {
    if (round === 0) {
      tester.send(headers(1));
      tester.stream(1).headers(HEAD);
    }
    tester.send(data(1, 20), windowUpdate(1, 20), windowUpdate(0, 20));
    tester.stream(1).allow(20);
    tester.stream(1).data(body(20));
  },
};

for (const [what, round] of Object.entries(HONEST)) {
  Deno.test(`${what} is never dropped`, () => {
    const tester = ServerTester.ready();
    tester.send(windowUpdate(0, 2 ** 30));
    for (let at = 0; at < 10_000; at++) {
      round(tester, at);
      tester.receivedBytes();
      assert.equal(tester.connection.isOver, false, `after ${at}`);
    }
    tester.connection.lost();
    assert.deepEqual(tester.errors, []);
  });
}

function call(tester: ServerTester, id: number, bytes: number): void {
  tester.send(headers(id), lastData(id, bytes));
  tester.stream(id).respond(HEAD, body(bytes), TRAILERS);
}

Deno.test("a download whose window comes back in small steps is never dropped", () => {
  const tester = ServerTester.ready();
  tester.send(request(1));
  tester.stream(1).respond(HEAD, body(64 * 1024 * 1024), TRAILERS);
  for (let taken = 0; tester.connection.streams.size > 0; taken += 8_192) {
    tester.receivedBytes();
    tester.send(windowUpdate(1, 8_192), windowUpdate(0, 8_192));
    assert.equal(tester.connection.isOver, false, `after ${taken}`);
  }
});

Deno.test("a PING every ten seconds is welcome for days", () => {
  const tester = ServerTester.ready();
  const days = 3;
  for (let at = 0; at < days * 8_640; at++) {
    tester.nowMs += 10_000;
    tester.exchange([ping()], "PING ACK");
  }
});

Deno.test("small messages now and then are welcome for days", () => {
  const tester = ServerTester.ready();
  tester.send(headers(1));
  for (let at = 0; at < 10_000; at++) {
    tester.nowMs += 1_000;
    tester.send(data(1, 10));
    tester.stream(1).allow(10);
    tester.receivedBytes();
    assert.equal(tester.connection.isOver, false, `after ${at}`);
  }
});
