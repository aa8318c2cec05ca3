import { testBlobStore } from "./blob_store_contract.ts";
import { openTestRoot } from "./test_root.ts";

testBlobStore("WorkerBlobStore", () => openTestRoot());
testBlobStore(
  "WorkerBlobStore (strict)",
  () => openTestRoot({ durability: "strict" }),
);
