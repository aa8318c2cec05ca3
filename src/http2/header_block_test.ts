/** Header blocks of HEADERS and CONTINUATION: RFC 9113, 6.2 and 6.10. */

import assert from "node:assert/strict";
import { ConnectionError, ErrorCode } from "./error_codes.ts";
import { Flag } from "./frames.ts";
import { HeaderBlocks } from "./header_block.ts";

const { END_HEADERS, END_STREAM, PADDED, PRIORITY } = Flag;

function failsWith(code: number, call: () => void): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.code, code);
    return true;
  });
}

Deno.test("padding and priority are no part of the block", () => {
  const blocks = new HeaderBlocks();
  const payload = Uint8Array.of(2, 0, 0, 0, 9, 255, 7, 8, 0, 0);
  const block = blocks.headers(5, END_HEADERS | PADDED | PRIORITY, payload)!;
  assert.deepEqual([...block.bytes], [7, 8]);
  assert.deepEqual([block.dependsOnItself, block.endStream], [false, false]);
  assert.equal(blocks.isOpen, false);
});

Deno.test("a stream cannot depend on itself", () => {
  const payload = Uint8Array.of(0x80, 0, 0, 5, 1);
  const block = new HeaderBlocks().headers(5, END_HEADERS | PRIORITY, payload)!;
  assert.equal(block.dependsOnItself, true);
});

Deno.test("CONTINUATIONs add to the block, whose reads are gone by then", () => {
  const blocks = new HeaderBlocks();
  const read = Uint8Array.of(1, 2);
  assert.equal(blocks.headers(1, END_STREAM, read), undefined);
  read.fill(0xee);
  assert.equal(blocks.isOpen, true);
  assert.equal(blocks.continuation(1, 0, Uint8Array.of()), undefined);
  const block = blocks.continuation(1, END_HEADERS, Uint8Array.of(3))!;
  assert.deepEqual([...block.bytes], [1, 2, 3]);
  assert.equal(block.endStream, true);
  // The next one begins anew.
  const next = blocks.headers(3, END_HEADERS, Uint8Array.of(4))!;
  assert.deepEqual([...next.bytes], [4]);
});

Deno.test("what cannot be is an error of the connection", () => {
  const begin = () => {
    const blocks = new HeaderBlocks();
    blocks.headers(1, 0, Uint8Array.of(1));
    return blocks;
  };
  const none = Uint8Array.of();
  const { PROTOCOL_ERROR, FRAME_SIZE_ERROR, ENHANCE_YOUR_CALM } = ErrorCode;
  failsWith(PROTOCOL_ERROR, () => begin().continuation(3, 0, none));
  failsWith(PROTOCOL_ERROR, () => new HeaderBlocks().continuation(1, 0, none));
  failsWith(
    FRAME_SIZE_ERROR,
    () => new HeaderBlocks().headers(1, PADDED, none),
  );
  failsWith(
    FRAME_SIZE_ERROR,
    () => new HeaderBlocks().headers(1, PRIORITY, Uint8Array.of(0, 0, 0, 0)),
  );
  failsWith(
    PROTOCOL_ERROR,
    () => new HeaderBlocks().headers(1, PADDED, Uint8Array.of(3, 0, 0)),
  );
  failsWith(ENHANCE_YOUR_CALM, () => {
    const blocks = begin();
    const fragment = new Uint8Array(16_384);
    for (let at = 0; at < 4; at++) blocks.continuation(1, 0, fragment);
  });
});
