import { testBlobStore } from "./blob_store_contract.ts";
import { MemoryBlobStore } from "./memory_blob_store.ts";

testBlobStore("MemoryBlobStore", () => {
  const store = new MemoryBlobStore();
  return Promise.resolve({
    store,
    stage: (staging, bytes) => store.stage(staging, bytes),
    tamper: (name, change) => store.tamper(name, change),
    [Symbol.asyncDispose]: () => store.close(),
  });
});
