/** Two windows, two jobs: RFC 9113, 5.2 and 6.9. */

import assert from "node:assert/strict";
import { ErrorCode } from "./error_codes.ts";
import { encodeHeaders } from "./hpack/mod.ts";
import { Setting } from "./settings.ts";
import {
  data,
  headers,
  paddedData,
  request,
  reset,
  settings,
  windowUpdate,
} from "./testing/frame_bytes.ts";
import { ServerTester } from "./testing/server_tester.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const LARGEST = 2 ** 31 - 1;
const MIB = 1024 * 1024;

/** DATA of a stream that ignores its window's end. */
function sendData(tester: ServerTester, id: number, total: number): void {
  for (let left = total; left > 0; left -= 16_384) {
    tester.send(data(id, Math.min(left, 16_384)));
  }
}

Deno.test("the connection's window comes back as DATA is taken", () => {
  const tester = ServerTester.ready();
  tester.send(headers(1));
  tester.stream(1).allow(2 * MIB);
  tester.received();
  sendData(tester, 1, 511 * 1024);
  assert.deepEqual(tester.received(), []);
  sendData(tester, 1, 1024);
  assert.deepEqual(tester.received(), [`WINDOW_UPDATE 0 ${512 * 1024}`]);
});

Deno.test("the connection's window comes back earlier with what leaves anyway", () => {
  const tester = ServerTester.ready();
  tester.send(headers(1));
  tester.stream(1).allow(2 * MIB);
  tester.received();
  sendData(tester, 1, 127 * 1024);
  tester.stream(1).allow(1);
  assert.deepEqual(tester.received(), ["WINDOW_UPDATE 1 1"]);
  sendData(tester, 1, 1024);
  assert.deepEqual(tester.received(), []);
  tester.stream(1).allow(1);
  assert.deepEqual(tester.received(), [
    "WINDOW_UPDATE 1 1",
    `WINDOW_UPDATE 0 ${128 * 1024}`,
  ]);
});

Deno.test("the connection's window comes back for streams that are gone", () => {
  const tester = ServerTester.ready();
  for (let id = 1; id < 200; id += 2) {
    tester.send(headers(id));
    tester.stream(id).reset(ErrorCode.CANCEL);
    sendData(tester, id, 40_000);
    tester.send(paddedData(id, 0, 255));
  }
  const given = tester.received().filter((line) => /UPDATE 0/.test(line))
    .reduce((sum, line) => sum + Number(line.split(" ")[2]), 0);
  const sent = 100 * 40_256;
  assert.ok(sent - given < 512 * 1024, `${given} of ${sent}`);
  assert.ok(given <= sent);
});

Deno.test("more than a stream's window is an error of the stream", () => {
  const tester = ServerTester.ready();
  tester.send(headers(1), headers(3));
  sendData(tester, 1, 65_535);
  assert.deepEqual(tester.received(), []);
  tester.exchange([data(1, 1)], "RST_STREAM 1 FLOW_CONTROL_ERROR");
  tester.exchange([data(3, 1)]);
});

Deno.test("a stream's window is what it was allowed", () => {
  const tester = ServerTester.ready();
  tester.send(headers(1));
  sendData(tester, 1, 65_535);
  tester.stream(1).allow(100);
  tester.stream(1).allow(0);
  assert.deepEqual(tester.received(), ["WINDOW_UPDATE 1 100"]);
  tester.exchange([data(1, 100)]);
  tester.exchange([data(1, 1)], "RST_STREAM 1 FLOW_CONTROL_ERROR");
});

Deno.test("padding is given back, and reaches nobody", () => {
  const tester = ServerTester.ready();
  tester.exchange([headers(1), paddedData(1, 10, 5)], "WINDOW_UPDATE 1 6");
  tester.exchange([paddedData(1, 0, 0)], "WINDOW_UPDATE 1 1");
  assert.deepEqual(tester.called(), ["request 1 POST /test", "data 1 10"]);
});

Deno.test("a new initial window holds for open streams, and may make them negative", () => {
  const tester = ServerTester.ready();
  tester.send(request(1));
  tester.stream(1).headers(HEAD);
  tester.stream(1).data([new Uint8Array(200)]);
  assert.deepEqual(tester.received(), ["HEADERS 1 :status=200", "DATA 1 200"]);
  const initial = (bytes: number) =>
    settings([Setting.INITIAL_WINDOW_SIZE, bytes]);
  tester.exchange([initial(50)], "SETTINGS ACK");
  // 150 less than nothing.
  tester.stream(1).data([new Uint8Array(10)]);
  assert.deepEqual(tester.received(), []);
  tester.exchange([windowUpdate(1, 150)]);
  tester.exchange([windowUpdate(1, 4)], "DATA 1 4");
  tester.exchange([initial(56)], "SETTINGS ACK", "DATA 1 6");
});

Deno.test("a stream that gets more to send while its window is closed goes on later", () => {
  const tester = ServerTester.ready();
  tester.send(settings([Setting.INITIAL_WINDOW_SIZE, 0]), request(1));
  tester.stream(1).headers(HEAD);
  tester.received();
  for (let times = 0; times < 3; times++) {
    tester.stream(1).data([new Uint8Array(4)]);
    assert.deepEqual(tester.received(), []);
  }
  tester.exchange([windowUpdate(1, 100)], "DATA 1 12");
});

Deno.test("streams that wait for the connection's window go on together", () => {
  const tester = ServerTester.ready();
  tester.send(request(1), request(3), request(5));
  for (const id of [1, 3, 5]) {
    tester.stream(id).headers(HEAD);
    tester.stream(id).data([new Uint8Array(60_000)]);
  }
  tester.received();
  tester.exchange([reset(3, ErrorCode.CANCEL)]);
  tester.send(windowUpdate(0, 20_000));
  const sum = tester.received().reduce((all, line) => {
    assert.match(line, /^DATA [15]/);
    return all + Number(line.split(" ")[2]);
  }, 0);
  assert.equal(sum, 20_000);
});

Deno.test("a window above 2^31-1 is an error", () => {
  const tester = ServerTester.ready();
  tester.send(request(1));
  tester.exchange(
    [windowUpdate(1, LARGEST)],
    "RST_STREAM 1 FLOW_CONTROL_ERROR",
  );
  tester.exchange(
    [windowUpdate(0, LARGEST)],
    "GOAWAY 1 FLOW_CONTROL_ERROR",
  );
  const other = ServerTester.ready();
  other.send(request(1), windowUpdate(1, 1));
  other.exchange(
    [settings([Setting.INITIAL_WINDOW_SIZE, LARGEST])],
    "SETTINGS ACK",
    "GOAWAY 1 FLOW_CONTROL_ERROR",
  );
});

Deno.test("a WINDOW_UPDATE of nothing is an error where it says", () => {
  const tester = ServerTester.ready();
  tester.exchange(
    [request(1), windowUpdate(1, 0)],
    "RST_STREAM 1 PROTOCOL_ERROR",
  );
  tester.exchange([windowUpdate(1, 5)]);
  tester.exchange([windowUpdate(0, 0)], "GOAWAY 1 PROTOCOL_ERROR");
});
