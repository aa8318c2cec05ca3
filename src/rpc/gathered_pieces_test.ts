import assert from "node:assert/strict";
import { GatheredPieces } from "./gathered_pieces.ts";

/** Pieces of these sizes; each byte tells its place. */
function gather(sizes: readonly number[]): Uint8Array[] {
  const gathered = new GatheredPieces();
  const given: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    const piece = Uint8Array.from({ length: size }, () => at++ % 251);
    given.push(...gathered.add(piece));
  }
  given.push(...gathered.rest());
  return given;
}

Deno.test("pieces of any size come out in order, and no byte is lost", () => {
  for (
    const sizes of [
      [],
      [0, 0],
      [1, 2, 3],
      [16_383, 1, 1],
      [16_384, 1],
      [5, 100_000, 5],
      [10_000, 10_000, 10_000, 0, 40_000, 7],
    ]
  ) {
    const bytes = gather(sizes).flatMap((piece) => [...piece]);
    const size = sizes.reduce((sum, one) => sum + one, 0);
    assert.deepEqual(bytes, Array.from({ length: size }, (_, i) => i % 251));
  }
});

Deno.test("100,000 pieces of a byte are 7 appends", () => {
  assert.equal(gather(Array(100_000).fill(1)).length, 7);
});
