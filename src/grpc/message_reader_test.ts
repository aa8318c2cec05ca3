import assert from "node:assert/strict";
import { join } from "../http2/testing/octets.ts";
import { MessageReader } from "./message_reader.ts";
import { bytes, frame, text } from "./testing/test_server.ts";

Deno.test("messages are read one at a time, from any place", () => {
  const reader = readerOf(100);
  const packet = join(bytes("??"), frame(bytes("a")), frame(bytes("bc")));
  const seen: string[] = [];
  const sink = (message: Uint8Array) => void seen.push(text(message));
  const at = reader.read(packet, 2, sink);
  assert.deepEqual([at, seen], [8, ["a"]]);
  assert.equal(reader.read(packet, at, sink), packet.length);
  assert.deepEqual(seen, ["a", "bc"]);
  assert.equal(reader.isInside, false);
});

Deno.test("what has come of a message is known, and what is announced", () => {
  const reader = readerOf(1_000_000);
  const framed = frame(new Uint8Array(500_000));
  const never = () => assert.fail("it is not complete");
  assert.equal(reader.isInside, false);
  reader.read(framed.subarray(0, 4), 0, never);
  assert.deepEqual(
    [reader.isInside, reader.announcedBytes, reader.comeBytes],
    [true, 0, 4],
  );
  reader.read(framed.subarray(4, 105), 0, never);
  assert.deepEqual([reader.announcedBytes, reader.comeBytes], [500_000, 105]);
});

Deno.test("a message is a buffer of its own, however it grew", () => {
  for (const reserved of [false, true]) {
    const reader = readerOf(1_000_000);
    if (reserved) reader.reserve();
    const message = new Uint8Array(150_000).map((_, at) => at);
    const framed = frame(message);
    let seen: Uint8Array | undefined;
    for (let at = 0; at < framed.length; at += 777) {
      const piece = framed.slice(at, at + 777);
      reader.read(piece, 0, (whole) => seen = whole);
      piece.fill(0);
    }
    assert.deepEqual(seen, message);
    assert.equal(seen!.buffer.byteLength, seen!.length);
  }
});

Deno.test("whoever only announces holds next to nothing", () => {
  const start = frame(new Uint8Array(60_000)).subarray(0, 6);
  const before = Deno.memoryUsage().external;
  const readers = Array.from({ length: 1_000 }, () => {
    const reader = readerOf(1_000_000);
    reader.read(start, 0, () => {});
    return reader;
  });
  const grownBytes = Deno.memoryUsage().external - before;
  assert.ok(grownBytes < 10_000_000, `${grownBytes} bytes`);
  assert.ok(readers.every(({ isInside }) => isInside));
});

function readerOf(maxMessageBytes: number): MessageReader {
  const newBuffer = (bytes: number) => new Uint8Array(bytes).fill(9);
  return new MessageReader({ maxMessageBytes, newBuffer });
}
