import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { Status } from "../grpc/status.ts";
import { MAX_CALL_LINES } from "../limits.ts";
import { type LogFacts, logLine } from "../log/log.ts";
import { CallLog, together, type WhichCalls } from "./call_log.ts";

const PATH = "/larder.v1.Cache/Fetch";
const PLACE = { id: 17, connection: { peer: "192.0.2.1:51234" } };

function written(logged: WhichCalls) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = (message: string, facts: LogFacts = {}) =>
    void lines.push(logLine(message, facts, { format: "json", wallMs: 0 }));
  const calls = new CallLog(log, clock, logged);
  return { clock, calls, lines };
}

Deno.test("CallLog says which call ended how, and no more", () => {
  const { calls, lines } = written("all");
  calls.observe(PATH).ended(Status.OK, 0.41249, PLACE);
  calls.observe("").ended(Status.UNIMPLEMENTED, 0, PLACE);
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [{
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    message: "call",
    method: "larder.v1.Cache/Fetch",
    code: "OK",
    client: "192.0.2.1:51234",
    call: 17,
    ms: 0.412,
  }, {
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    message: "call",
    method: "unknown",
    code: "UNIMPLEMENTED",
    client: "192.0.2.1:51234",
    call: 17,
    ms: 0,
  }]);
});

Deno.test("CallLog leaves out what has not failed, if that is wanted", () => {
  const { calls, lines } = written("failed");
  const observer = calls.observe(PATH);
  observer.ended(Status.OK, 1, PLACE);
  observer.ended(Status.NOT_FOUND, 1, PLACE);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /NOT_FOUND/);
});

Deno.test("CallLog takes it for no failure that somebody looks no more", () => {
  const { calls, lines } = written("failed");
  for (
    const path of ["/larder.v1.Cache/Watch", "/grpc.health.v1.Health/Watch"]
  ) {
    calls.observe(path).ended(Status.CANCELLED, 1, PLACE);
  }
  assert.deepEqual(lines, []);
  calls.observe(PATH).ended(Status.CANCELLED, 1, PLACE);
  calls.observe("/larder.v1.Cache/Watch").ended(Status.UNAVAILABLE, 1, PLACE);
  assert.deepEqual(lines.map((line) => JSON.parse(line).code), [
    ...["CANCELLED", "UNAVAILABLE"],
  ]);
});

Deno.test("CallLog writes no more lines a second than may, and counts the others", () => {
  const { clock, calls, lines } = written("all");
  const observer = calls.observe(PATH);
  for (let at = 0; at < 3 * MAX_CALL_LINES; at++) {
    observer.ended(Status.OK, 1, PLACE);
  }
  assert.equal(lines.length, MAX_CALL_LINES);
  clock.advance(1_000);
  assert.equal(lines.length, MAX_CALL_LINES + 1);
  assert.match(lines.at(-1)!, new RegExp(`"${2 * MAX_CALL_LINES} calls were`));
  observer.ended(Status.OK, 1, PLACE);
  assert.equal(lines.length, MAX_CALL_LINES + 2);
  calls[Symbol.dispose]();
  assert.equal(lines.length, MAX_CALL_LINES + 2);
});

Deno.test("observers are told together, and of none there is none", () => {
  const told: string[] = [];
  const observing = (name: string) => (path: string) => ({
    ended: () => void told.push(`${name} ${path}`),
  });
  assert.equal(together([undefined, undefined]), undefined);
  const one = observing("one");
  assert.equal(together([undefined, one]), one);
  const both = together([one, observing("two")])!;
  both(PATH).ended(Status.OK, 0, PLACE);
  assert.deepEqual(told, [`one ${PATH}`, `two ${PATH}`]);
});
