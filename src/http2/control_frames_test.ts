/** Control frames that wait, whatever their number. */

import assert from "node:assert/strict";
import { ControlFrames } from "./control_frames.ts";
import { ErrorCode } from "./error_codes.ts";

function moved(control: ControlFrames): Uint8Array {
  const out = new Uint8Array(control.waitingBytes);
  assert.equal(control.moveInto(out, 0), out.length);
  return out;
}

Deno.test("a PING keeps its payload wherever the buffer has to grow", () => {
  const payload = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  for (let acks = 0; acks < 40; acks++) {
    const control = new ControlFrames();
    for (let at = 0; at < acks; at++) control.settingsAck();
    control.ping(payload, true);
    const bytes = moved(control);
    assert.deepEqual(bytes.subarray(-8), payload, `after ${acks}`);
  }
});

Deno.test("what is no frame may be longer than any frame", () => {
  const control = new ControlFrames();
  const bytes = new Uint8Array(1_000).fill(7);
  control.raw(bytes);
  assert.deepEqual(moved(control), bytes);
});

Deno.test("what does not fit stays, in order", () => {
  const whole = new ControlFrames();
  const parted = new ControlFrames();
  const parts: number[] = [];
  for (let id = 1; id < 60; id += 2) {
    whole.reset(id, ErrorCode.CANCEL);
    parted.reset(id, ErrorCode.CANCEL);
    const out = new Uint8Array(7);
    parts.push(...out.subarray(0, parted.moveInto(out, 0)));
  }
  parts.push(...moved(parted));
  assert.deepEqual(Uint8Array.from(parts), moved(whole));
  assert.equal(parted.waitingBytes, 0);
});

Deno.test("the reason of a GOAWAY is cut", () => {
  const control = new ControlFrames();
  control.goAway(1, ErrorCode.NO_ERROR, "x".repeat(10_000));
  assert.equal(moved(control).length, 9 + 8 + 256);
});
