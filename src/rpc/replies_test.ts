import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { character } from "../../tests/support/characters.ts";
import {
  assignedFile,
  assignedValue,
  largestValue,
  LOADING,
  type Parts,
  readyFile,
  readyValue,
  UNASSIGNED,
} from "./replies.ts";
import { definitionOf, uint64 } from "./testing/definitions.ts";

/** What proto-loader, which knows nothing of our codecs, makes of the parts. */
function read(service: "local" | "remote", parts: Parts): unknown {
  const { responseDeserialize } = definitionOf(service, "Get");
  return { ...responseDeserialize(Buffer.concat(parts)) };
}

Deno.test("proto-loader reads every reply of RemoteCache as it was meant", () => {
  assert.deepEqual(read("remote", UNASSIGNED), { unassigned: {} });
  assert.deepEqual(read("remote", LOADING), { loading: {} });
  fc.assert(fc.property(uint64, fc.nat(2 ** 31 - 1), (id, interval) => {
    const heartbeatIntervalMs = `${interval}`;
    assert.deepEqual(read("remote", assignedValue(id, interval)), {
      assign: { id, heartbeatIntervalMs },
    });
  }));
});

Deno.test("proto-loader reads a value at every length of its length, and it is not copied", () => {
  for (
    const size of [0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 21, 2 ** 21 + 1]
  ) {
    const value = new Uint8Array(size).fill(7);
    const parts = readyValue(value);
    assert.deepEqual(read("remote", parts), { ready: Buffer.from(value) });
    assert.equal(parts.at(-1), value);
  }
});

Deno.test("proto-loader reads every reply of LocalCache as it was meant", () => {
  assert.deepEqual(read("local", UNASSIGNED), { unassigned: {} });
  assert.deepEqual(read("local", LOADING), { loading: {} });
  const text = fc.oneof(
    fc.string({ unit: character, maxLength: 40 }),
    fc.nat(400).map((length) => "/".repeat(length)),
  );
  fc.assert(fc.property(uint64, text, fc.nat(2 ** 31 - 1), (id, path, ms) => {
    assert.deepEqual(read("local", readyFile(id, path)), {
      ready: { id, path },
    });
    const heartbeatIntervalMs = `${ms}`;
    const parts = assignedFile(id, { path, heartbeatIntervalMs: ms });
    assert.deepEqual(read("local", parts), {
      assign: { id, path, heartbeatIntervalMs },
    });
  }));
});

Deno.test("the largest value is the last whose reply fits", () => {
  const replyBytes = (size: number) =>
    readyValue(new Uint8Array(size)).reduce(
      (sum, { length }) => sum + length,
      0,
    );
  const around = [
    1_024,
    2 ** 14,
    2 ** 14 + 3,
    2 ** 14 + 4,
    2 ** 14 + 5,
    2 ** 21,
  ];
  for (const middle of around) {
    for (let limit = middle - 6; limit <= middle + 6; limit++) {
      const size = largestValue(limit);
      assert(replyBytes(size) <= limit, `${limit}: ${size}`);
      assert(replyBytes(size + 1) > limit, `${limit}: ${size}`);
    }
  }
});
