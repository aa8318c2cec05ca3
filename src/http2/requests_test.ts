/** Requests as RFC 9113, section 8, wants them; and what they get otherwise. */

import assert from "node:assert/strict";
import { ErrorCode } from "./error_codes.ts";
import { Flag, FrameType } from "./frames.ts";
import { encodeHeaders } from "./hpack/mod.ts";
import { ModelEncoder } from "./hpack/testing/model_encoder.ts";
import {
  data,
  type Field,
  frame,
  headers,
  lastData,
  POST,
  PREFACE,
  request,
  reset,
  settings,
  settingsAck,
} from "./testing/frame_bytes.ts";
import { join } from "./testing/octets.ts";
import { ServerTester } from "./testing/server_tester.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const [METHOD, SCHEME, PATH] = POST as [Field, Field, Field];

Deno.test("a request is told when its header list is whole", () => {
  const heads: unknown[] = [];
  const tester = ServerTester.ready({
    handler: (_, head) => {
      heads.push(head);
      return { data() {}, end() {}, closed() {} };
    },
  });
  tester.exchange([
    request(1, [...POST, ["te", "trailers"], ["x", "1"], ["x", "2"]]),
    request(3, [[":authority", "odd host"], ...POST]),
  ]);
  const [method, scheme, path] = ["POST", "http", "/test"];
  const fields = ["te", "trailers", "x", "1", "x", "2"];
  assert.deepEqual(heads, [
    { method, scheme, path, authority: undefined, fields },
    { method, scheme, path, authority: "odd host", fields: [] },
  ]);
});

const MALFORMED: Readonly<Record<string, readonly Field[]>> = {
  "no :method": [SCHEME, PATH],
  "two :method": [METHOD, METHOD, SCHEME, PATH],
  "no :scheme": [METHOD, PATH],
  "no :path": [METHOD, SCHEME],
  "two :path": [METHOD, SCHEME, PATH, PATH],
  "an empty :path": [METHOD, SCHEME, [":path", ""]],
  "CONNECT": [[":method", "CONNECT"], [":authority", "a:1"]],
  "a pseudo-field after others": [METHOD, SCHEME, ["x", "1"], PATH],
  "a pseudo-field of replies": [...POST, [":status", "200"]],
  "an unknown pseudo-field": [...POST, [":x", "1"]],
  "te: gzip": [...POST, ["te", "gzip"]],
  "connection": [...POST, ["connection", "close"]],
  "transfer-encoding": [...POST, ["transfer-encoding", "chunked"]],
  "upper case": [...POST, ["X-Upper", "1"]],
  "an empty name": [...POST, ["", "1"]],
  "a space in a name": [...POST, ["a b", "1"]],
  "a line's end in a value": [...POST, ["x", "1\r\ny: 2"]],
  "a space around a value": [...POST, ["x", " 1"]],
  "two lengths": [...POST, ["content-length", "1"], ["content-length", "2"]],
  "a length that is none": [...POST, ["content-length", "+1"]],
};

for (const [what, fields] of Object.entries(MALFORMED)) {
  Deno.test(`a request with ${what} is malformed`, () => {
    const tester = ServerTester.ready();
    tester.exchange([request(1, fields)], "RST_STREAM 1 PROTOCOL_ERROR");
    assert.deepEqual(tester.called(), []);
    // The connection lives on.
    tester.exchange([request(3)]);
    assert.equal(tester.called().length, 2);
  });
}

Deno.test("content-length has to be what comes", () => {
  const sized: Field[] = [...POST, ["content-length", "10"]];
  const cases: [Uint8Array[], boolean][] = [
    [[headers(1, sized), data(1, 4), lastData(1, 6)], true],
    [[headers(1, sized), data(1, 10), lastData(1)], true],
    [[headers(1, sized), lastData(1, 9)], false],
    [[headers(1, sized), data(1, 11)], false],
    [[request(1, sized)], false],
    [[headers(1, sized), data(1, 9), request(1, [["x", "1"]])], false],
    [[request(1, [...POST, ["content-length", "0"]])], true],
  ];
  for (const [frames, isRight] of cases) {
    const tester = ServerTester.ready();
    const errors = isRight ? [] : ["RST_STREAM 1 PROTOCOL_ERROR"];
    tester.exchange(frames, ...errors);
    const last = tester.called().at(-1);
    assert.equal(last, isRight ? "end 1" : "closed 1 false");
  }
});

Deno.test("trailers end a request, and are dropped", () => {
  const tester = ServerTester.ready();
  tester.exchange([headers(1), data(1, 3), request(1, [["x", "1"]])]);
  const calls = ["request 1 POST /test", "data 1 3", "end 1"];
  assert.deepEqual(tester.called(), calls);
  tester.exchange(
    [headers(3), headers(3, [["x", "1"]])],
    "RST_STREAM 3 PROTOCOL_ERROR",
  );
  tester.exchange(
    [headers(5), request(5, [[":path", "/other"]])],
    "RST_STREAM 5 PROTOCOL_ERROR",
  );
});

Deno.test("after END_STREAM nothing but small frames may come", () => {
  for (const late of [data(1, 1), request(1, [["x", "1"]])]) {
    const open = ServerTester.ready();
    open.exchange([request(1), late], "RST_STREAM 1 STREAM_CLOSED");
    const closed = ServerTester.ready();
    closed.send(request(1));
    closed.stream(1).headers(HEAD, true);
    closed.received();
    closed.exchange([late], "GOAWAY 1 STREAM_CLOSED");
  }
});

Deno.test("ids go up, and are odd", () => {
  for (
    const frames of [
      [request(2)],
      [request(0)],
      [request(5), request(3)],
      [data(1, 1)],
      [data(0, 1)],
      [request(5), data(3, 1)],
      [reset(1, 0)],
      [request(5), reset(3, 0)],
    ]
  ) {
    const tester = ServerTester.ready();
    tester.send(...frames);
    assert.match(tester.received().join(), /^GOAWAY \d PROTOCOL_ERROR$/);
  }
});

Deno.test("streams above the limit are refused, and can be tried again", () => {
  const tester = ServerTester.ready({ maxStreams: 2 });
  tester.exchange(
    [request(1), request(3), request(5)],
    "RST_STREAM 5 REFUSED_STREAM",
  );
  tester.stream(1).headers(HEAD, true);
  tester.received();
  tester.exchange([request(7)]);
  assert.equal(tester.connection.streams.size, 2);
});

Deno.test("before it knows the limit a client may open any number", () => {
  const tester = new ServerTester({ maxStreams: 2 });
  tester.send(PREFACE, settings());
  tester.received();
  const ids = Array.from({ length: 3_000 }, (_, at) => 2 * at + 1);
  for (const id of ids) {
    tester.send(headers(id));
    tester.received();
  }
  // What it had on its way for all of them comes as well.
  for (const id of ids.slice(2)) tester.send(data(id, 300));
  assert.match(tester.received().join(), /^(WINDOW_UPDATE 0 \d+,?)+$/);
  tester.exchange([settingsAck()]);
  assert.equal(tester.connection.isOver, false);
});

Deno.test("after our reset frames are ignored, and the header table is in step", () => {
  const tester = ServerTester.ready();
  const encoder = new ModelEncoder();
  const block = (fields: readonly Field[]) =>
    encoder.encode(
      fields.map((field) => ({
        field,
        form: "index",
        nameByIndex: true,
        huffman: true,
      })),
    );
  tester.send(headers(1));
  tester.stream(1).reset(ErrorCode.CANCEL);
  assert.deepEqual(tester.received(), ["RST_STREAM 1 CANCEL"]);
  const trailers = frame(
    FrameType.HEADERS,
    Flag.END_HEADERS | Flag.END_STREAM,
    1,
    block([["x-added", "by trailers"]]),
  );
  tester.exchange([data(1, 20), trailers, reset(1, ErrorCode.CANCEL)]);
  const heads: string[] = [];
  const next = block([...POST, ["x-added", "by trailers"]]);
  assert.equal(next.at(-1)! & 0x80, 0x80, "it is an index");
  tester.exchange([frame(FrameType.HEADERS, Flag.END_HEADERS, 3, next)]);
  heads.push(...tester.called());
  assert.equal(heads.at(-1), "request 3 POST /test");
});

/** About so many bytes, as RFC 9113, 6.5.2, counts. */
function listOf(bytes: number): Field[] {
  const fields: Field[] = [...POST];
  const each = 1_000;
  for (let at = 200; at + each < bytes; at += each) {
    fields.push(["x", "v".repeat(each - 33)]);
  }
  return fields;
}

function inFrames(id: number, fields: readonly Field[]): Uint8Array {
  const block = encodeHeaders(fields);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < block.length; at += 16_000) {
    const type = at === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
    const isLast = at + 16_000 >= block.length;
    const flags = (at === 0 ? Flag.END_STREAM : 0) |
      (isLast ? Flag.END_HEADERS : 0);
    parts.push(frame(type, flags, id, block.subarray(at, at + 16_000)));
  }
  return join(...parts);
}

Deno.test("header lists above the limit are answered, up to four times of it", () => {
  const tester = ServerTester.ready();
  tester.exchange([inFrames(1, listOf(16_000))]);
  assert.equal(tester.called().length, 2);
  for (const [id, bytes] of [[3, 17_500], [5, 64_000]] as const) {
    tester.exchange(
      [inFrames(id, listOf(bytes))],
      `HEADERS ${id} :status=431 END_STREAM`,
    );
  }
  assert.deepEqual(tester.called(), []);
  tester.exchange([request(7)]);
  tester.send(inFrames(9, listOf(68_000)));
  assert.match(tester.received().join(), /^GOAWAY 9 /);
});

Deno.test("an answer before the request's end leaves the rest to be discarded", () => {
  const tester = ServerTester.ready();
  tester.send(headers(1));
  tester.stream(1).headers(HEAD, true);
  tester.received();
  assert.deepEqual(tester.called().at(-1), "closed 1 true");
  tester.exchange([data(1, 16_000), data(1, 300)]);
  tester.stream(1).allow(10);
  tester.exchange([lastData(1, 10)]);
  assert.deepEqual(tester.called(), []);
  tester.assertNothingLeft();
});

Deno.test("what still comes after an early answer is checked", () => {
  const tester = ServerTester.ready();
  tester.send(headers(1, [...POST, ["content-length", "10"]]));
  tester.stream(1).headers(HEAD, true);
  tester.received();
  tester.exchange([data(1, 11)], "RST_STREAM 1 PROTOCOL_ERROR");
});

Deno.test("what is thrown above ends one connection, and is reported", () => {
  const events = { data() {}, end() {}, closed() {} };
  const thrown = () => {
    throw new Error("a bug");
  };
  const handlers = [
    thrown,
    () => ({ ...events, data: thrown }),
    () => ({ ...events, end: thrown }),
  ];
  for (const handler of handlers) {
    const tester = ServerTester.ready({ handler });
    tester.exchange(
      [headers(1), lastData(1, 1)],
      "GOAWAY 1 INTERNAL_ERROR",
    );
    assert.equal(tester.connection.isOver, true);
    assert.equal(tester.errors.length, 1);
  }
});

Deno.test("what is thrown as streams close is reported, and the others are told", () => {
  let closed = 0;
  const tester = ServerTester.ready({
    handler: () => ({
      data() {},
      end() {},
      closed() {
        closed++;
        throw new Error("a bug");
      },
    }),
  });
  tester.send(request(1), request(3), request(5));
  tester.exchange([reset(3, ErrorCode.CANCEL)], "GOAWAY 5 INTERNAL_ERROR");
  assert.equal(closed, 3);
  assert.equal(tester.errors.length, 3);
  assert.equal(tester.connection.streams.size, 0);
});
