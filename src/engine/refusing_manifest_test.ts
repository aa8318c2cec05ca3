import assert from "node:assert/strict";
import { LarderError } from "../errors.ts";
import { MemoryManifest } from "../manifest/memory_manifest.ts";
import { entryKey } from "./entry_key.ts";
import { refuseInTrouble } from "./refusing_manifest.ts";

const A = entryKey("a", Uint8Array.of(1));
const B = entryKey("a", Uint8Array.of(2));
const DIGEST = { size: 1, sha256: "0".repeat(64) };

Deno.test("refuseInTrouble gives out no work in trouble, and finds what there is", async () => {
  let trouble: Error | undefined;
  await using manifest = new MemoryManifest({ wallMs: () => 0 });
  const refusing = refuseInTrouble(manifest, () => trouble);
  assert.equal(await refusing.claim(A, { id: "1" }), undefined);
  assert.equal(await refusing.publish(A, "1", DIGEST), true);

  trouble = new Error("No space left on device: open '/some/path'");
  assert.equal((await refusing.claim(A, { id: "2" }))?.status, "ready");
  const expected = { status: "loading", id: "1" } as const;
  for (
    const refused of [
      refusing.claim(B, { id: "3" }),
      refusing.reassign(A, expected, { id: "4" }),
    ]
  ) {
    await assert.rejects(refused, (error: LarderError) => {
      assert(error instanceof LarderError);
      assert.equal(error.code, "storage-failed");
      assert.doesNotMatch(`${error.cause}`, /path/, "one line in the log");
      return true;
    });
  }
  assert.equal(await manifest.find(B), undefined);

  trouble = undefined;
  assert.equal(await refusing.claim(B, { id: "3" }), undefined);
});
