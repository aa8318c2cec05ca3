/** What a stream sends: its order, its turns, and what is withdrawn. */

import assert from "node:assert/strict";
import { ErrorCode } from "./error_codes.ts";
import { encodeHeaders } from "./hpack/mod.ts";
import { Setting } from "./settings.ts";
import type { ServerStream } from "./stream_api.ts";
import {
  headers,
  request,
  reset,
  settings,
  windowUpdate,
} from "./testing/frame_bytes.ts";
import { ServerTester } from "./testing/server_tester.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const TRAILERS = encodeHeaders([["grpc-status", "0"]]);
const bytes = (length: number) => new Uint8Array(length);

function withRequests(...ids: number[]): ServerTester {
  const tester = ServerTester.ready();
  for (const id of ids) tester.send(request(id));
  tester.called();
  return tester;
}

Deno.test("respond sends HEADERS, DATA and trailers in a row", () => {
  const tester = withRequests(1);
  tester.stream(1).respond(HEAD, [bytes(5), bytes(7)], TRAILERS);
  assert.deepEqual(tester.received(), [
    "HEADERS 1 :status=200",
    "DATA 1 12",
    "HEADERS 1 grpc-status=0 END_STREAM",
  ]);
  assert.deepEqual(tester.called(), ["closed 1 true"]);
  assert.equal(tester.connection.streams.size, 0);
});

Deno.test("parts keep their order, however they are queued", () => {
  const tester = withRequests(1);
  const stream = tester.stream(1);
  stream.headers(HEAD);
  stream.data([Uint8Array.of(1, 2), bytes(0), Uint8Array.of(3)]);
  tester.received();
  stream.data([Uint8Array.of(4)]);
  stream.data([Uint8Array.of(5)]);
  stream.trailers(TRAILERS);
  assert.deepEqual(tester.received(), [
    "DATA 1 2",
    "HEADERS 1 grpc-status=0 END_STREAM",
  ]);
  const sent = tester.text.bodies.get(1)!.flatMap((part) => [...part]);
  assert.deepEqual(sent, [1, 2, 3, 4, 5]);
});

Deno.test("an answer may be its HEADERS alone, or end on an empty DATA", () => {
  const tester = withRequests(1, 3);
  tester.stream(1).headers(HEAD, true);
  tester.stream(3).headers(HEAD);
  tester.stream(3).endData();
  assert.deepEqual(tester.received(), [
    "HEADERS 1 :status=200 END_STREAM",
    "HEADERS 3 :status=200",
    "DATA 3 0 END_STREAM",
  ]);
});

Deno.test("after the end nothing more is sent", () => {
  const tester = withRequests(1);
  const stream = tester.stream(1);
  stream.respond(HEAD, [], TRAILERS);
  useEverything(stream);
  assert.equal(tester.received().length, 2);
  useEverything(stream);
  stream.reset(ErrorCode.CANCEL);
  assert.deepEqual(tester.received(), []);
});

function useEverything(stream: ServerStream): void {
  stream.respond(HEAD, [bytes(1)], TRAILERS);
  stream.headers(HEAD);
  stream.data([bytes(1)]);
  stream.trailers(TRAILERS);
  stream.endData();
}

Deno.test("a reply whose stream is reset before it was written is withdrawn", () => {
  const tester = withRequests(1, 3);
  let taken = 0;
  tester.stream(1).data([bytes(10)], () => taken++);
  tester.stream(1).respond(HEAD, [bytes(5)], TRAILERS);
  tester.exchange([reset(1, ErrorCode.CANCEL)]);
  assert.deepEqual(tester.called(), ["closed 1 false"]);
  tester.stream(3).respond(HEAD, [bytes(5)], TRAILERS);
  tester.stream(3).reset(ErrorCode.CANCEL);
  assert.deepEqual(tester.received(), ["RST_STREAM 3 CANCEL"]);
  assert.deepEqual(tester.called(), ["closed 3 false"]);
  assert.equal(taken, 0);
  tester.assertNothingLeft();
});

Deno.test("of a stream that was reset nothing waits any more", () => {
  const tester = withRequests(1);
  const stream = tester.connection.streams.get(1)!;
  stream.respond(HEAD, [bytes(100_000)], TRAILERS);
  tester.send(reset(1, ErrorCode.CANCEL));
  // Whoever is above may hold it for long: it must not hold the value.
  assert.ok(stream.waitingBytes < 100, `${stream.waitingBytes}`);
});

Deno.test("taken is called once its last byte was given to write", () => {
  const tester = withRequests(1);
  const taken: string[] = [];
  const stream = tester.stream(1);
  stream.headers(HEAD);
  stream.data([bytes(65_535)], () => taken.push("first"));
  stream.data([bytes(1)], () => taken.push("second"));
  stream.data([], () => taken.push("nothing"));
  const { connection } = tester;
  connection.fill(bytes(65_536));
  assert.deepEqual(taken, []);
  connection.written();
  tester.receivedBytes();
  assert.deepEqual(taken, ["first"]);
  tester.send(windowUpdate(1, 1), windowUpdate(0, 1));
  assert.equal(tester.receivedBytes().length, 10);
  assert.deepEqual(taken, ["first", "second", "nothing"]);
});

Deno.test("taken is not called any more once the stream has closed", () => {
  const calls: string[] = [];
  const tester = withRequests(1, 3);
  const [first, second] = [tester.stream(1), tester.stream(3)];
  first.headers(HEAD);
  first.data([bytes(1)], () => second.reset(ErrorCode.CANCEL));
  second.headers(HEAD);
  second.data([bytes(1)], () => calls.push("taken"));
  tester.received();
  assert.deepEqual(calls, []);
  assert.deepEqual(tester.called(), ["closed 3 false"]);
});

Deno.test("streams take turns, a DATA frame each", () => {
  const tester = withRequests(1, 3, 5);
  for (const id of [1, 3]) {
    tester.stream(id).respond(HEAD, [bytes(32_000)], TRAILERS);
  }
  tester.stream(5).respond(HEAD, [bytes(5)], TRAILERS);
  assert.deepEqual(tester.received().map((line) => line.slice(0, 12)), [
    ...["HEADERS 1 :s", "DATA 1 16384", "HEADERS 3 :s", "DATA 3 16384"],
    ...["HEADERS 5 :s", "DATA 5 5", "HEADERS 5 gr"],
    ...["DATA 1 15616", "HEADERS 1 gr", "DATA 3 15616", "HEADERS 3 gr"],
  ]);
});

Deno.test("a reply of 64 MiB leaves the small ones beside it their turn", () => {
  const tester = withRequests(1);
  const largest = 2 ** 31 - 1;
  tester.send(windowUpdate(0, largest - 65_535));
  tester.send(windowUpdate(1, largest - 65_535));
  tester.stream(1).respond(HEAD, [bytes(64 * 1024 * 1024)], TRAILERS);
  const buffer = bytes(65_536);
  for (let id = 3; tester.connection.hasOutput; id += 2) {
    if (id < 400) {
      tester.send(request(id));
      tester.stream(id).respond(HEAD, [bytes(5)], TRAILERS);
    }
    tester.connection.fill(buffer);
    tester.connection.written();
    if (id < 400) assert.ok(tester.called().includes(`closed ${id} true`));
  }
  assert.deepEqual(tester.called(), ["closed 1 true"]);
});

Deno.test("a stream that waits for its window stops nobody", () => {
  const tester = ServerTester.ready();
  tester.send(settings([Setting.INITIAL_WINDOW_SIZE, 10]));
  tester.send(request(1), request(3));
  tester.received();
  tester.stream(1).respond(HEAD, [bytes(25)], TRAILERS);
  tester.stream(3).respond(HEAD, [bytes(5)], TRAILERS);
  assert.deepEqual(tester.received(), [
    "HEADERS 1 :status=200",
    "DATA 1 10",
    "HEADERS 3 :status=200",
    "DATA 3 5",
    "HEADERS 3 grpc-status=0 END_STREAM",
  ]);
  tester.exchange([windowUpdate(1, 10)], "DATA 1 10");
  tester.exchange(
    [windowUpdate(1, 10)],
    "DATA 1 5",
    "HEADERS 1 grpc-status=0 END_STREAM",
  );
});

Deno.test("a header block that no frame holds is refused where it is queued", () => {
  const tester = withRequests(1);
  const tooLarge = bytes(16_384);
  const stream = tester.stream(1);
  assert.throws(() => stream.headers(tooLarge), RangeError);
  assert.throws(() => stream.trailers(tooLarge), RangeError);
  assert.throws(() => stream.respond(HEAD, [], tooLarge), RangeError);
  assert.throws(() => stream.respond(tooLarge, [], HEAD), RangeError);
  stream.respond(HEAD, [], TRAILERS);
  assert.equal(tester.received().length, 2);
});

Deno.test("a stream that was refused at once is closed, and tells so", () => {
  const calls: boolean[] = [];
  const tester = ServerTester.ready({
    handler: (stream) => {
      stream.reset(ErrorCode.INTERNAL_ERROR);
      return { data() {}, end() {}, closed: (done) => calls.push(done) };
    },
  });
  tester.exchange([headers(1)], "RST_STREAM 1 INTERNAL_ERROR");
  assert.deepEqual(calls, [false]);
  assert.equal(tester.connection.streams.size, 0);
});
