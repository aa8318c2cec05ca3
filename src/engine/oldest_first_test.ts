import assert from "node:assert/strict";
import type { Manifest } from "../manifest/manifest.ts";
import { entryKey } from "./entry_key.ts";
import { oldestFirst } from "./oldest_first.ts";

Deno.test("the oldest of very many namespaces are found a few questions at a time", async () => {
  const count = 20_000;
  let asking = 0;
  let most = 0;
  let held = 0;
  const manifest: Pick<Manifest, "usage" | "oldest"> = {
    usage: () =>
      Promise.resolve(Array.from({ length: count }, (_, i) => ({
        ...{ namespace: `n${i}`, entries: 1, bytes: 1 },
      }))),
    async oldest(namespace, { limit }) {
      held += limit;
      most = Math.max(most, ++asking);
      await Promise.resolve();
      asking--;
      const entry = entryKey(namespace, new Uint8Array());
      // The last one is the oldest.
      const accessedMs = count - Number(namespace.slice(1));
      return { items: [{ ...entry, accessedMs, size: 1 }] };
    },
  };
  const found: string[] = [];
  for await (const entry of oldestFirst(manifest, { covered: () => true })) {
    if (found.push(entry.namespace) === 3) break;
  }
  assert.deepEqual(found, ["n19999", "n19998", "n19997"]);
  assert(most <= 256, `${most} questions at once`);
  assert(held <= count + 3, `${held} entries asked for`);
});
