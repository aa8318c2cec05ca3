import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { MAX_KEY_BYTES, MAX_PENDING_USE_BYTES } from "../limits.ts";
import type { Use } from "../manifest/manifest.ts";
import { AccessLog } from "./access_log.ts";
import { entryKey } from "./entry_key.ts";

Deno.test("the log of uses is bounded in bytes, also while a slow manifest writes", async () => {
  const held = Promise.withResolvers<void>();
  const written: Use[] = [];
  const manifest = {
    async touch(uses: readonly Use[]) {
      await held.promise;
      written.push(...uses);
    },
  };
  const log = new AccessLog({ manifest, clock: new FakeClock(), warn() {} });
  const most = MAX_PENDING_USE_BYTES / MAX_KEY_BYTES;
  const use = (i: number) => {
    const key = new Uint8Array(MAX_KEY_BYTES);
    new DataView(key.buffer).setUint32(0, i);
    log.note(entryKey("ns", key));
  };
  for (let i = 0; i < 3 * most; i++) use(i);
  held.resolve();
  await log.flush();
  assert.equal(written.length, most, "the others are forgotten");
  use(0);
  await log.flush();
  assert.equal(written.length, most + 1, "and there is room again");
});
