import assert from "node:assert/strict";
import { loadService } from "./protos.ts";
import { remoteService } from "./remote_service.ts";
import { FRAME_HEADER_BYTES } from "./transport/mod.ts";

Deno.test("a value is framed as protobuf frames it, at every length of its length", () => {
  const { definition } = remoteService(undefined as never, {
    heartbeatIntervalMs: 1,
  });
  const plain = loadService("remote.proto", "remote.RemoteCache")["Get"]!;
  const ours = definition["Get"]!;
  for (const size of [0, 1, 127, 128, 300, 4_000]) {
    const ready = new Uint8Array(size).fill(7);
    const expected = plain.responseSerialize({ ready });
    const frame = ours.responseSerialize({ ready });
    assert.deepEqual(frame.subarray(FRAME_HEADER_BYTES), expected);
    assert.equal(frame.readUInt32BE(1), expected.length);
  }
  const loading = ours.responseSerialize({ loading: {} });
  assert.deepEqual(loading, plain.responseSerialize({ loading: {} }));
});
