import assert from "node:assert/strict";
import { memory } from "./memory_tier.ts";

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
