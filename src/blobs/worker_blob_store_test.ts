import { testBlobStore } from "./testing/blob_store_contract.ts";
import { openTestRoot } from "./testing/test_root.ts";

testBlobStore("WorkerBlobStore", () => openTestRoot());
testBlobStore(
  "WorkerBlobStore (strict)",
  () => openTestRoot({ durability: "strict" }),
);
