import assert from "node:assert/strict";
import protobuf from "protobufjs";
import { exhausted } from "./retry_info.ts";
import { Status } from "./status.ts";

/** As googleapis defines them. */
const { root } = protobuf.parse(
  `
syntax = "proto3";
package google.rpc;
message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
message Any { string type_url = 1; bytes value = 2; }
message RetryInfo { Duration retry_delay = 1; }
message Duration { int64 seconds = 1; int32 nanos = 2; }
`,
  { keepCase: true },
);

function read(name: string, bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType(`google.rpc.${name}`);
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true });
}

Deno.test("exhausted says when to come again, as google.rpc.RetryInfo", () => {
  // Longer than what one byte of a length can say.
  const message = `"ci" may have 2 calls: é ${"x".repeat(200)}`;
  const cases = [[500, 0, 500_000_000], [2_000, 2, 0], [61_234, 61, 234e6]];
  for (const [retryMs, seconds, nanos] of cases) {
    const error = exhausted(message, retryMs!);
    assert.equal(error.code, Status.RESOURCE_EXHAUSTED);
    assert.equal(error.message, message);
    const bytes = error.trailers?.get("grpc-status-details-bin");
    assert.ok(bytes instanceof Uint8Array);
    const status = read("Status", bytes);
    assert.deepEqual([status["code"], status["message"]], [8, message]);
    const [any] = status["details"] as {
      type_url: string;
      value: Uint8Array;
    }[];
    assert.equal(any!.type_url, "type.googleapis.com/google.rpc.RetryInfo");
    assert.deepEqual(read("RetryInfo", any!.value), {
      retry_delay: { seconds, nanos },
    });
  }
});
