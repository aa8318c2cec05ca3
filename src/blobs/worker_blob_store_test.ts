import assert from "node:assert/strict";
import { BlobError, isDiskTrouble } from "./blob_store.ts";
import { testBlobStore } from "./testing/blob_store_contract.ts";
import { openTestRoot } from "./testing/test_root.ts";

testBlobStore("WorkerBlobStore", () => openTestRoot());
testBlobStore(
  "WorkerBlobStore (strict)",
  () => openTestRoot({ durability: "strict" }),
);

Deno.test("it is no trouble of the disk where only one client or one name is to blame", () => {
  for (const code of ["missing", "not-a-file", "foreign", "damaged"] as const) {
    assert(!isDiskTrouble(new BlobError(code, code)), code);
  }
  for (const code of ["full", "failed"] as const) {
    assert(isDiskTrouble(new BlobError(code, code)), code);
  }
});
