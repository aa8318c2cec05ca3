/** Frames out of reads. */

import assert from "node:assert/strict";
import { ConnectionError, ErrorCode } from "./error_codes.ts";
import { FrameReader, type FrameSink } from "./frame_reader.ts";
import { Flag, FrameType } from "./frames.ts";
import { data, frame, paddedData, ping } from "./testing/frame_bytes.ts";
import { join } from "./testing/octets.ts";

/** What a sink was told, DATA put together. */
function read(bytes: Uint8Array, step: number): string[] {
  const told: string[] = [];
  let content: number[] = [];
  const sink: FrameSink = {
    frame: (type, flags, id, payload) =>
      told.push(`frame ${type} ${flags} ${id} ${payload}`),
    dataBegins(id, length) {
      content = [];
      told.push(`data of ${id}: ${length}`);
    },
    dataPiece: (piece) => content.push(...piece),
    dataEnds: (flags, padding) =>
      told.push(`${content}, ${padding} more, flags ${flags}`),
  };
  const reader = new FrameReader(sink);
  for (let start = 0; start < bytes.length; start += step) {
    const part = bytes.slice(start, start + step);
    for (let at = 0; at < part.length;) at = reader.take(part, at);
    part.fill(0xee);
  }
  return told;
}

Deno.test("frames are told the same however they are cut", () => {
  const bytes = join(
    ping(7),
    frame(FrameType.SETTINGS, Flag.ACK, 0),
    data(1, Uint8Array.of(1, 2, 3), Flag.END_STREAM),
    paddedData(3, 2, 4),
    paddedData(3, 0, 0),
    data(1, 0),
    frame(0xbe, 0xff, 2 ** 31 - 1, [9]),
  );
  const whole = read(bytes, bytes.length);
  assert.deepEqual(whole, [
    "frame 6 0 0 7,7,7,7,7,7,7,7",
    "frame 4 1 0 ",
    ...["data of 1: 3", "1,2,3, 0 more, flags 1"],
    ...["data of 3: 7", "0,0, 5 more, flags 8"],
    ...["data of 3: 1", ", 1 more, flags 8"],
    ...["data of 1: 0", ", 0 more, flags 0"],
    "frame 190 255 2147483647 9",
  ]);
  for (let step = 1; step < 20; step++) {
    assert.deepEqual(read(bytes, step), whole, `reads of ${step}`);
  }
});

Deno.test("the reserved bit of a stream id is ignored", () => {
  assert.deepEqual(read(frame(8, 0, 0x80000005, [1]), 99), ["frame 8 0 5 1"]);
});

Deno.test("frames that cannot be are errors of the connection", () => {
  const cases: [Uint8Array, number][] = [
    [frame(0xbe, 0, 0, new Uint8Array(16_385)), ErrorCode.FRAME_SIZE_ERROR],
    [
      frame(FrameType.DATA, 0, 1, new Uint8Array(16_385)),
      ErrorCode.FRAME_SIZE_ERROR,
    ],
    [data(1, 0, Flag.PADDED), ErrorCode.FRAME_SIZE_ERROR],
    [data(1, Uint8Array.of(3, 0, 0), Flag.PADDED), ErrorCode.PROTOCOL_ERROR],
  ];
  for (const [bytes, code] of cases) {
    for (const step of [1, 20_000]) {
      assert.throws(() => read(bytes, step), (error) => {
        assert.ok(error instanceof ConnectionError);
        assert.equal(error.code, code);
        return true;
      });
    }
  }
});
