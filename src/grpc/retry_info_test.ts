import assert from "node:assert/strict";
import { exhausted } from "./retry_info.ts";
import { Status } from "./status.ts";
import { readRetryInfo, readStatus } from "./testing/google_rpc.ts";

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
    const status = readStatus(bytes);
    assert.deepEqual([status.code, status.message], [8, message]);
    const [any] = status.details;
    assert.equal(any!.type_url, "type.googleapis.com/google.rpc.RetryInfo");
    assert.deepEqual(readRetryInfo(any!.value), {
      retry_delay: { seconds, nanos },
    });
  }
});
