import assert from "node:assert/strict";
import { entryKey } from "../engine/entry_key.ts";
import { memoryEngine } from "../engine/testing/memory_engine.ts";
import type { CacheServiceOptions } from "./cache_options.ts";
import type { FetchRequest } from "./cache_wire.ts";
import { fetch } from "./fetch.ts";
import { FakeCall } from "./testing/fake_call.ts";

Deno.test("a Fetch that waits holds its key once", async () => {
  const { engine } = memoryEngine();
  const key = new Uint8Array(8_192).fill(3);
  const entry = entryKey("ns", key);
  await engine.ask({ kind: "get", api: "remote", entry, assign: true });
  const request: FetchRequest = {
    ...{ namespace: "ns", key, assign: false, wait: true, path: false },
    ...{ offset: "0", length: "0", head: false, fromDisk: false, ttlMs: "0" },
  };
  const call = new FakeCall();
  // It is told that it waits, and asks the options for nothing.
  const told = Promise.withResolvers<unknown>();
  const waiting = fetch(engine, {} as CacheServiceOptions)(request, call, {
    send(reply) {
      told.resolve(reply);
      return Promise.resolve(true);
    },
  });
  assert.equal(key.length, 0);
  assert("waiting" in (await told.promise as object));
  call.end(false);
  await waiting;
  await engine.close();
});
