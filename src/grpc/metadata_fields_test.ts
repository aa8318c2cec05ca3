import assert from "node:assert/strict";
import { Metadata } from "./metadata.ts";
import { metadataFields, parseMetadata } from "./metadata_fields.ts";
import { Status, StatusError } from "./status.ts";

Deno.test("binary metadata is read with padding, without, and with commas", () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  const examples: readonly (readonly [string, Uint8Array[]])[] = [
    ["AAE=", [bytes(0, 1)]],
    ["AAE", [bytes(0, 1)]],
    ["AA==,AQ", [bytes(0), bytes(1)]],
    ["AAEC", [bytes(0, 1, 2)]],
    ["", [bytes()]],
    ["+/+/", [bytes(0xfb, 0xff, 0xbf)]],
  ];
  for (const [value, expected] of examples) {
    assert.deepEqual(parseMetadata(["x-bin", value]).getAll("x-bin"), expected);
  }
});

Deno.test("binary metadata that is not base64 is INTERNAL", () => {
  for (const value of ["A", "A=", "%%", "AA==,!"]) {
    assert.throws(
      () => parseMetadata(["x-bin", value]),
      (error) => error instanceof StatusError && error.code === Status.INTERNAL,
    );
  }
});

Deno.test("what is HTTP's or gRPC's own is no metadata", () => {
  const metadata = parseMetadata([
    ...["content-type", "application/grpc", "te", "trailers"],
    ...["grpc-timeout", "1S", "grpc-encoding", "identity", "grpc-x-bin", "AA"],
    ...["user-agent", "grpc-go/1", "x", "a, b", "y", "\xfc"],
  ]);
  assert.deepEqual([...metadata], [["user-agent", "grpc-go/1"], ["x", "a, b"]]);
});

Deno.test("what is sent is unpadded, trimmed, and not reserved", () => {
  const metadata = new Metadata().add("x-bin", new Uint8Array(1))
    .add("y", " a b ").add("grpc-status", "0").add("grpc-anything", "1")
    .add("grpc-status-details-bin", new Uint8Array(2)).add("te", "trailers")
    .add("content-length", "3").add("connection", "close");
  assert.deepEqual(metadataFields(metadata), [
    ["x-bin", "AA"],
    ["y", "a b"],
    ["grpc-status-details-bin", "AAA"],
  ]);
});
