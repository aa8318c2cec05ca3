import assert from "node:assert/strict";
import { bytes } from "./codecs/mod.ts";
import { memory } from "./memory_tier.ts";
import { TieredCache } from "./tiered_cache.ts";

const REQUEST = { namespace: "ns", wait: false };

function keyOf(index: number): Uint8Array {
  return new TextEncoder().encode(`${index}`.padStart(32));
}

/** Which of so many empty values a tier of that size keeps. */
async function kept(
  maxBytes: number,
  count: number,
  canFit = true,
): Promise<number[]> {
  await using tier = memory({ maxBytes });
  const ask = (index: number, assign: boolean) =>
    tier.ask({ ...REQUEST, key: keyOf(index), assign }, {});
  for (let index = 0; index < count; index++) {
    const claim = await ask(index, true);
    assert.equal(claim.kind, "assigned");
    if (claim.kind !== "assigned") continue;
    const publishing = claim.held.publish(new Uint8Array());
    // Each of them says whether it is kept.
    if (canFit) await publishing;
    else await assert.rejects(publishing, { code: "full" });
  }
  const found = [];
  for (let index = 0; index < count; index++) {
    if ((await ask(index, false)).kind === "ready") found.push(index);
  }
  return found;
}

Deno.test("empty values take room in memory, too", async () => {
  const found = await kept(100_000, 10_000);
  assert(found.length > 100 && found.length <= 500, `${found.length}`);
  assert.deepEqual(
    found,
    found.map((_, at) => 10_000 - found.length + at),
    "the last ones",
  );
});

Deno.test("what can never fit takes nothing from others", async () => {
  assert.deepEqual(await kept(0, 1, false), []);
  assert.deepEqual(await kept(100, 3, false), []);
});

Deno.test("of two who keep a value at once, one is told that another one stays", async () => {
  const said: string[] = [];
  await using cache = new TieredCache([memory({ maxBytes: 1_000 })], {
    onOutage: ({ error }) => said.push(error.message),
  });
  const put = (value: number) =>
    cache.set("ns", "k", Uint8Array.of(value), { codec: bytes });
  assert.deepEqual(await Promise.all([put(1), put(2)]), [true, false]);
  assert.deepEqual(said, [
    "memory: another value was kept meanwhile, and stays",
  ]);
  assert.equal(await put(3), false);
  const kept = await cache.get("ns", "k", { codec: bytes });
  assert.deepEqual([...kept!], [1]);
});

Deno.test("of two who keep the same at once, both have it kept", async () => {
  const said: unknown[] = [];
  await using cache = new TieredCache([memory({ maxBytes: 1_000 })], {
    onOutage: (outage) => said.push(outage),
  });
  const both = [1, 1].map((value) => cache.set("ns", "k", value));
  assert.deepEqual(await Promise.all(both), [true, true]);
  assert.deepEqual(said, []);
});
