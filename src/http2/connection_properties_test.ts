/** However a byte stream is cut into reads, it means the same. */

import assert from "node:assert/strict";
import fc from "fast-check";
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
  PREFACE,
  request,
  reset,
  settings,
  settingsAck,
  windowUpdate,
} from "./testing/frame_bytes.ts";
import { join } from "./testing/octets.ts";
import { ServerTester } from "./testing/server_tester.ts";

const id = fc.nat({ max: 9 }).map((at) => 2 * at + 1);
const size = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 16_384 }));
const byte = fc.nat({ max: 255 });

/** A header block in any number of frames. */
const parted = fc.tuple(id, fc.array(fc.nat({ max: 30 }), { maxLength: 3 }))
  .map(([streamId, cuts]) => {
    const block = encodeHeaders(POST);
    const ends = [...cuts.sort((a, b) => a - b), block.length];
    let start = 0;
    return join(...ends.map((end, at) => {
      const part = block.subarray(start, end);
      start = end;
      return frame(
        at === 0 ? FrameType.HEADERS : FrameType.CONTINUATION,
        at === ends.length - 1 ? Flag.END_HEADERS : 0,
        streamId,
        part,
      );
    }));
  });

const wellFormed = fc.oneof(
  id.map((streamId) => headers(streamId)),
  id.map((streamId) => request(streamId)),
  parted,
  fc.tuple(id, size).map(([streamId, bytes]) => data(streamId, bytes)),
  fc.tuple(id, size).map(([streamId, bytes]) => lastData(streamId, bytes)),
  fc.tuple(id, fc.nat({ max: 99 }), byte)
    .map(([streamId, bytes, padding]) => paddedData(streamId, bytes, padding)),
  id.map((streamId) => reset(streamId, ErrorCode.CANCEL)),
  byte.map((value) => ping(value)),
  fc.nat({ max: 99_999 }).map((bytes) => settings([4, bytes])),
  fc.tuple(fc.constantFrom(0, 1, 3, 5), fc.nat({ max: 9_999 }))
    .map(([streamId, bytes]) => windowUpdate(streamId, bytes + 1)),
);
const any = fc.oneof(
  { arbitrary: wellFormed, weight: 20 },
  fc.tuple(byte, byte, id, fc.uint8Array({ maxLength: 40 }))
    .map(([type, flags, streamId, payload]) =>
      frame(type % 12, flags, streamId, payload)
    ),
  fc.constant(goaway(0, 0)),
);
const opening = fc.constantFrom(
  ...[PREFACE, PREFACE, PREFACE, PREFACE].map((preface) =>
    join(preface, settings(), settingsAck())
  ),
  ...["GET / HTTP/1.1\r\n\r\n", "GEX ", "PRI * HTTP/1", "POST / HTTP/1.1\r\n"]
    .map((text) => new TextEncoder().encode(text)),
  Uint8Array.of(22, 3, 1),
);
const conversation = fc.tuple(opening, fc.array(any, { maxLength: 25 }))
  .map(([first, frames]) => join(first, ...frames));

const HEAD = encodeHeaders([[":status", "200"]]);
const TRAILERS = encodeHeaders([["grpc-status", "0"]]);
/** How much of a stream's window is given back at once. */
const STEP_BYTES = 1_024;

/** A server that answers what is whole; some early, some late. */
function answering(): ServerTester {
  const calls: string[] = [];
  const tester: ServerTester = new ServerTester({
    maxStreams: 6,
    handler: (stream) => {
      const { id } = stream;
      calls.push(`request ${id}`);
      let bytes = 0;
      let come = 0;
      let granted = 0;
      let isClosed = false;
      return {
        data: (part) => {
          assert.equal(isClosed, false);
          for (const value of part) bytes = (bytes * 31 + value) % 65_521;
          come += part.length;
          // In steps, as gRPC does: nobody reads the frames of one a byte here.
          const step = come - come % STEP_BYTES;
          stream.allow(step - granted);
          granted = step;
          if (id === 5) stream.respond(HEAD, [], TRAILERS);
        },
        end: () => {
          assert.equal(isClosed, false);
          calls.push(`end ${id} ${bytes}`);
          if (id % 4 === 1) {
            stream.respond(HEAD, [new Uint8Array(bytes)], TRAILERS);
          }
        },
        closed: (delivered) => {
          assert.equal(isClosed, false);
          isClosed = true;
          calls.push(`closed ${id} ${delivered}`);
          tester.calls.push(...calls.splice(0));
        },
      };
    },
  });
  return tester;
}

/** What matters of what was said: how window comes back is up to the reads. */
function outcomeOf(tester: ServerTester, reads: readonly Uint8Array[]) {
  for (const read of reads) tester.send(read);
  const bytes = tester.receivedBytes();
  const isText = bytes[0] === "H".charCodeAt(0);
  const granted = new Map<string, number>();
  const frames: string[] = [];
  for (const line of isText ? [`${bytes}`] : tester.text.read(bytes)) {
    const [type, streamId, count] = line.split(" ");
    if (type !== "WINDOW_UPDATE") frames.push(line);
    else granted.set(streamId!, (granted.get(streamId!) ?? 0) + Number(count));
  }
  const { isOver, streams } = tester.connection;
  const open = [...streams.keys()];
  tester.connection.lost();
  assert.equal(tester.connection.streams.size, 0);
  assert.deepEqual(tester.errors, []);
  return { frames, granted, isOver, open, calls: tester.calls };
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const reads: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const count = sizes[turn % sizes.length]!;
    reads.push(bytes.slice(at, at + count));
    at += count;
  }
  return reads;
}

Deno.test("any cut of a byte stream into reads gives the same calls and the same output", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(conversation, sizes, (bytes, cuts) => {
      const whole = outcomeOf(answering(), [bytes]);
      assert.deepEqual(outcomeOf(answering(), cut(bytes, cuts)), whole);
      assert.deepEqual(outcomeOf(answering(), cut(bytes, [1])), whole);
    }),
    { numRuns: 150 },
  );
});
