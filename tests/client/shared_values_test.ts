/** What a process keeps for itself is what everybody has, or gives way to it. */

import assert from "node:assert/strict";
import {
  bytes,
  Cache,
  memory,
  type Outage,
  TieredCache,
} from "../../src/client/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { sideBySide } from "../support/side_by_side.ts";
import { until } from "../support/status.ts";
import { gate, withServerHere } from "./support.ts";

const waits = sideBySide("a server that comes back");

const SHORT_LEASE = [
  ...["--heartbeat-interval", "100ms", "--heartbeat-timeout", "400ms"],
];
const SHORT_WORK = [...SHORT_LEASE, "--max-compute-time", "300ms"];

/** For a server that is there that is enough, on a busy machine too. */
const PATIENCE_MS = 1_000;

/** Memory before the server at an address. */
async function tiered(
  remote: string,
  onOutage: (outage: Outage) => void = () => {},
): Promise<TieredCache> {
  const server = await Cache.connect({ remote, patienceMs: PATIENCE_MS });
  return new TieredCache([memory({ maxBytes: 1_000 }), server], { onOutage });
}

Deno.test("when a value is kept by some tiers, but the one that gave out the work could not be told: one whose work was lost is kept nowhere", () =>
  withServerHere(async ({ remote }) => {
    await using slow = await tiered(remote);
    await using quick = await Cache.connect({ remote });
    const [started, result] = [gate(), gate<string>()];
    const slowly = slow.generateDetailed("a", "k", () => {
      started.resolve();
      return result.promise;
    });
    await started.promise;
    assert.equal(await quick.generate("a", "k", () => "B"), "B");
    result.resolve("A");
    assert.deepEqual(await slowly, { value: "A", source: "uncached" });
    const next = await slow.generateDetailed("a", "k", () => "C");
    assert.deepEqual([next.value, next.source], ["B", "remote"]);
    const again = await slow.generateDetailed("a", "k", () => "C");
    assert.deepEqual(again, { value: "B", source: "memory" });
  }, SHORT_WORK));

for (const theirs of ["B", undefined]) {
  const fate = theirs
    ? "gives way to what everybody has"
    : "becomes everybody's";
  waits(
    `when a value is kept by some tiers, but the one that gave out the work could not be told: it ${fate}`,
    () =>
      withServerHere(async ({ remote }) => {
        await using proxy = await FaultProxy.start(remote);
        const outages: string[] = [];
        await using cut = await tiered(
          proxy.address,
          ({ tier }) => outages.push(tier),
        );
        await using others = await Cache.connect({ remote });
        const sourceOf = (key: string) =>
          cut.generateDetailed("a", key, () => "C");
        const made = await cut.generateDetailed("a", "k", () => {
          proxy.down();
          return "A";
        });
        assert.deepEqual(made, { value: "A", source: "computed" });
        assert.deepEqual(outages, [`remote ${proxy.address}`]);
        // While the server is away, it is what there is.
        assert.deepEqual(await sourceOf("k"), { value: "A", source: "memory" });
        if (theirs) await others.generate("a", "k", () => theirs);
        proxy.up();
        const value = theirs ?? "A";
        await until(
          async () => [
            (await sourceOf("k")).value,
            await others.get("a", "k"),
          ],
          ([ours, all]) => ours === value && all === value,
        );
        assert.deepEqual(await sourceOf("k"), { value, source: "memory" });
      }, SHORT_LEASE),
  );
}

for (
  const [how, onOutage] of [
    ["throws", () => {
      throw new Error("a bug of the listener");
    }],
    ["rejects", () => Promise.reject(new Error("a bug of the listener"))],
  ] as const
) {
  Deno.test(`when onOutage throws or rejects: no call fails for it (${how})`, () =>
    withServerHere(async ({ remote }) => {
      await using away = await Cache.connect({
        remote: "127.0.0.1:1",
        patienceMs: 50,
        onOutage,
      });
      const { warn } = console;
      const lines: string[] = [];
      console.warn = (line: string) => lines.push(line);
      try {
        for (const key of ["k", "l"]) {
          assert.equal(await away.generate("a", key, () => 1), 1);
        }
      } finally {
        console.warn = warn;
      }
      assert.deepEqual(lines, [
        "larder: onOutage has thrown: a bug of the listener",
      ]);
      await using writer = await Cache.connect({ remote });
      const codec = bytes;
      await writer.set("a", "k", Uint8Array.of(0x7b), { codec });
      await using cache = await Cache.connect({ remote, onOutage });
      assert.equal(await cache.generate("a", "k", () => 2), 2);
      await using all = new TieredCache([away, memory({ maxBytes: 9 })], {
        onOutage,
      });
      assert.equal(await all.generate("a", "k", () => 3), 3);
    }));
}
