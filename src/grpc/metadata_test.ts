import assert from "node:assert/strict";
import { Metadata } from "./metadata.ts";

Deno.test("metadata keeps its order, and all values of a name", () => {
  const metadata = new Metadata().add("a", "1").add("B-bin", new Uint8Array(1))
    .add("A", "2");
  assert.deepEqual([...metadata], [
    ["a", "1"],
    ["b-bin", new Uint8Array(1)],
    ["a", "2"],
  ]);
  assert.equal(metadata.get("A"), "1");
  assert.deepEqual(metadata.getAll("a"), ["1", "2"]);
  assert.equal(metadata.get("c"), undefined);
  assert.equal(metadata.size, 3);
});

Deno.test("metadata that cannot be sent is refused where it is made", () => {
  const metadata = new Metadata();
  assert.throws(() => metadata.add("a b", "1"), /no name/);
  assert.throws(() => metadata.add(":path", "1"), /no name/);
  assert.throws(() => metadata.add("", "1"), /no name/);
  assert.throws(() => metadata.add("a", "ü"), /printable/);
  assert.throws(() => metadata.add("a", "1\r\nb: 2"), /printable/);
  assert.throws(() => metadata.add("a-bin", "1"), /bytes/);
  assert.throws(() => metadata.add("a", new Uint8Array(1)), /text/);
  assert.equal(metadata.size, 0);
});
