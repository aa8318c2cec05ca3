import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { FetchReply } from "./cache_wire.ts";
import { fetchReplyParts, readFetchRequest } from "./fetch_codec.ts";
import type { Parts } from "./replies.ts";
import { definitionOf } from "./testing/definitions.ts";

const OTHERWISE: Parts = [new Uint8Array()];

function parts(reply: FetchReply): Parts {
  return fetchReplyParts(reply, () => OTHERWISE);
}

Deno.test("proto-loader reads a value in the first message as it was meant, and it is not copied", () => {
  const { responseDeserialize } = definitionOf("v1", "Fetch");
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.integer({ min: 16_200, max: 16_500 }),
  );
  const ms = fc.oneof(fc.nat(300), fc.maxSafeNat());
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(sizes, digest, ms, ms, (size, sha256, computedMs, ttlMs) => {
      const value = new Uint8Array(size).fill(7);
      const sent = parts({ ready: { size, sha256, computedMs, ttlMs, value } });
      assert.equal(sent.at(-1), value);
      const { ready } = responseDeserialize(Buffer.concat(sent)) as {
        readonly ready: Record<string, unknown>;
      };
      assert.deepEqual({ ...ready }, {
        size: `${size}`,
        sha256: Buffer.from(sha256),
        value: Buffer.from(value),
        ...computedMs > 0 && { computedMs: `${computedMs}` },
        ...ttlMs > 0 && { ttlMs: `${ttlMs}` },
      });
    }),
  );
});

Deno.test("what comes less often is written by others", () => {
  const told = { size: 1, sha256: new Uint8Array(32) };
  const others: readonly FetchReply[] = [
    { waiting: { holder: "", computingMs: 1 } },
    { unassigned: { reason: "full" } },
    { ready: told },
    { ready: { ...told, handle: "1", path: "/x" } },
    { ready: { ...told, value: new Uint8Array() } },
  ];
  for (const reply of others) assert.equal(parts(reply), OTHERWISE);
});

Deno.test("a request of its own is freed once it is read", () => {
  const key = new Uint8Array(8_192).fill(3);
  const { requestSerialize } = definitionOf("v1", "Fetch");
  for (const owned of [true, false]) {
    const message = new Uint8Array(requestSerialize({ namespace: "n", key }));
    const { length } = message;
    assert.deepEqual(readFetchRequest(message, owned).key, key);
    assert.equal(message.length, owned ? 0 : length);
  }
});
