import assert from "node:assert/strict";
import { Status } from "../grpc/status.ts";
import { loadMethods } from "./protos.ts";
import { checkMessage, type MessageShape } from "./strict_wire.ts";

const SHAPE: MessageShape = new Map([
  [1, "string"],
  [2, "bytes"],
  [3, "varint"],
]);

function check(...bytes: number[]): string | undefined {
  return checkMessage(Uint8Array.from(bytes), SHAPE);
}

Deno.test("checkMessage takes whole messages, unknown fields included", () => {
  assert.equal(check(), undefined);
  assert.equal(check(0x0a, 1, 0x61, 0x12, 2, 0xff, 0xfe, 0x18, 1), undefined);
  assert.equal(check(0x20, 0x96, 1, 0x2d, 1, 2, 3, 4), undefined);
  assert.equal(check(0x31, 1, 2, 3, 4, 5, 6, 7, 8), undefined);
  const max = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
  assert.equal(check(0x18, ...max), undefined);
});

Deno.test("checkMessage says what is wrong with a garbled message", () => {
  assert.match(check(0x0a, 5, 0x61)!, /field 1 is cut short/);
  assert.match(check(0x0a, 1, 0xff)!, /field 1 is no UTF-8/);
  assert.match(check(0x08, 1)!, /field 1 has wire type 0/);
  assert.match(check(0x1a, 0)!, /field 3 has wire type 2/);
  assert.match(check(0x18)!, /field 3 is cut short/);
  assert.match(check(0x18, ...Array(9).fill(255), 2)!, /field 3 is cut short/);
  assert.match(check(0x02)!, /field 0/);
  assert.match(check(0x23)!, /field 4 has wire type 3/);
  assert.match(check(0x2d, 1)!, /cut short/);
  assert.match(check(0x80)!, /bad tag/);
});

Deno.test("a method refuses a garbled request, and says why", () => {
  const { decode } = loadMethods("remote.proto", "remote.RemoteCache")("Get");
  assert.throws(() => decode(Uint8Array.of(0x0a, 9), false), {
    code: Status.INVALID_ARGUMENT,
    message: /field 1 is cut short/,
  });
});
