import assert from "node:assert/strict";
import { MAX_TRAILERS_BYTES } from "./limits.ts";
import { Metadata } from "./metadata.ts";
import {
  OK,
  OK_HEADERS,
  OK_TRAILERS,
  responseHeaders,
  responseTrailers,
  trailersOnly,
} from "./replies.ts";
import { Status } from "./status.ts";
import { decodeBlock } from "./testing/fake_stream.ts";

Deno.test("replies without metadata are constant bytes", () => {
  assert.equal(responseHeaders(undefined), OK_HEADERS);
  assert.equal(responseHeaders(new Metadata()), OK_HEADERS);
  assert.equal(responseTrailers(OK, undefined), OK_TRAILERS);
  assert.equal(responseTrailers(OK, new Metadata()), OK_TRAILERS);
});

Deno.test("all trailers together are under 8 KiB, whatever a handler wants", () => {
  const metadata = new Metadata().add("first", "1")
    .add("large", "x".repeat(10_000)).add("details-bin", new Uint8Array(9_000));
  for (let entry = 0; entry < 300; entry++) metadata.add(`n${entry}`, "12345");
  const outcome = { code: Status.ABORTED, message: "ü".repeat(9_000) };
  for (
    const block of [
      trailersOnly(outcome, metadata, metadata),
      responseTrailers(outcome, metadata, metadata),
    ]
  ) {
    const fields = decodeBlock(block);
    const bytes = fields.reduce(
      (sum, [name, value]) => sum + name.length + value.length + 32,
      0,
    );
    assert.ok(bytes < MAX_TRAILERS_BYTES, `${bytes}`);
    assert.ok(bytes > MAX_TRAILERS_BYTES - 200, "what fits is sent");
    const sent = Object.fromEntries(fields);
    assert.equal(sent["grpc-status"], "10");
    assert.equal(sent["first"], "1");
    assert.equal(sent["large"], undefined);
  }
});
