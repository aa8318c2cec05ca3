import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytesOf } from "./testing/blob_store_contract.ts";
import { detachable, release } from "./transfer.ts";

Deno.test("detachable copies pooled Buffers: their neighbours stay", () => {
  const neighbour = Buffer.from("neighbour");
  const value = Buffer.from("value");
  const own = detachable(value);
  assert.notEqual(own.buffer, value.buffer);
  structuredClone(own, { transfer: [own.buffer] });
  assert.equal(neighbour.toString(), "neighbour");
  assert.equal(value.toString(), "value");
});

Deno.test("detachable copies a small part of a large buffer, and shared memory", () => {
  const whole = bytesOf(1_000_000);
  const part = detachable(whole.subarray(1000, 101_000));
  assert.deepEqual(part, whole.slice(1000, 101_000));
  const shared = new Uint8Array(new SharedArrayBuffer(100_000)).fill(3);
  const own = detachable(shared);
  assert.ok(own.buffer instanceof ArrayBuffer);
  assert.deepEqual(own, new Uint8Array(100_000).fill(3));
});

Deno.test("detachable takes a large value's own buffer, without a copy", () => {
  const message = bytesOf(100_000);
  const own = detachable(message.subarray(10, 99_990));
  assert.ok(message.buffer.detached);
  assert.equal(own.buffer.byteLength, 100_000);
  assert.deepEqual(own, bytesOf(100_000).subarray(10, 99_990));
  assert.throws(() => detachable(message), TypeError);
});

Deno.test("release frees a value once and for all", () => {
  const value = bytesOf(100_000).subarray(16);
  release(value);
  release(value);
  assert.equal(value.length, 0);
  assert.ok(value.buffer.detached);
});
