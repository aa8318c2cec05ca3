/** The server goes and comes back, or does not, or is another one. */

import assert from "node:assert/strict";
import {
  Cache,
  CacheError,
  memory,
  TieredCache,
} from "../../src/client/mod.ts";
import type { Outage } from "../../src/client/mod.ts";
import { keyBytes } from "../../src/client/keys.ts";
import { RemoteClient, textOf } from "../support/clients.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { sideBySide } from "../support/side_by_side.ts";
import { until } from "../support/status.ts";
import {
  Child,
  denoCommand,
  gate,
  startAgain,
  withServer,
  withServerHere,
} from "./support.ts";

const waits = sideBySide("what takes its time");
const HOLD_WORK = new URL("./programs/hold_work.mjs", import.meta.url);
const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;
const PATIENT = { patienceMs: 60_000 };
/** So that the lease of what was lost ends soon. */
const SHORT_LEASE = [
  ...["--heartbeat-interval", "100ms", "--heartbeat-timeout", "400ms"],
];

/** A computation that lasts until its result is there. */
class Computation {
  runs = 0;
  readonly result = gate<string>();
  readonly #started = gate();

  /** One computes, and another one waits for it. */
  async beganBy(worker: Cache, waiter: Cache) {
    const compute = () => {
      this.runs++;
      this.#started.resolve();
      return this.result.promise;
    };
    const working = worker.generateDetailed("a", "k", compute);
    await this.#started.promise;
    const waiting = waiter.generateDetailed("a", "k", compute);
    return { working, waiting };
  }
}

waits(
  "when the server restarts: those who wait compute nothing a second time",
  () =>
    withServer(async (server) => {
      const options = { remote: server.remote, ...PATIENT };
      await using worker = await Cache.connect(options);
      await using waiter = await Cache.connect(options);
      await waiter.get("a", "another");
      const computation = new Computation();
      const { working, waiting } = await computation.beganBy(worker, waiter);
      assert.equal(await server.stop(), 0);
      await using _again = await startAgain(server);
      computation.result.resolve("one");
      assert.deepEqual(await working, { value: "one", source: "computed" });
      const { value, source } = await waiting;
      assert.deepEqual([value, source], ["one", "remote"]);
      assert.equal(computation.runs, 1);
    }),
);

Deno.test("who asks while a server stops, or waits for one who died, computes for the next process", () =>
  withServer(async (server) => {
    const { remote } = server;
    using dead = new RemoteClient(remote);
    await using worker = await Cache.connect({ remote, ...PATIENT });
    await using waiter = await Cache.connect({ remote, ...PATIENT });
    await dead.assigned("a", keyBytes("of one who died"));
    const held = await worker.claim("a", "lets the drain last");
    assert(held.kind === "assigned");
    const waiting = waiter.generateDetailed("a", "of one who died", () => 1);
    const stopped = server.stop();
    await until(
      () => dead.get("a", crypto.randomUUID()),
      ({ entryStatus }) => entryStatus === "unassigned",
    );
    const asking = waiter.generateDetailed("a", "of nobody", () => 2);
    const unasked = await waiter.claim("a", "of nobody at all", {
      wait: false,
    });
    assert.deepEqual(unasked, {
      kind: "unassigned",
      reason: "the server is stopping",
    });
    // By then the lease of the one who died has ended, too.
    assert.equal(await stopped, 0);
    const grace = ["--restart-grace", "1ms"];
    await using _again = await startAgain(server, grace);
    assert.deepEqual(await waiting, { value: 1, source: "computed" });
    assert.deepEqual(await asking, { value: 2, source: "computed" });
    await held.held.abandon("done");
  }, [...SHORT_LEASE, "--drain-timeout", "1500ms"]));

for (const kind of ["remote", "local"] as const) {
  waits(
    `when the server restarts: one that was killed gets the value of the same assignment (${kind})`,
    () =>
      withServer(async (server) => {
        const options = { [kind]: server[kind], ...PATIENT };
        await using worker = await Cache.connect(options);
        await using waiter = await Cache.connect(options);
        // A server that has never answered gets less patience.
        await waiter.get("a", "another");
        const computation = new Computation();
        const { working, waiting } = await computation.beganBy(worker, waiter);
        await server.kill();
        // Published while nobody is there to take it.
        computation.result.resolve("one");
        await using _again = await startAgain(server);
        const source = kind;
        assert.deepEqual(await working, { value: "one", source: "computed" });
        const waited = await waiting;
        assert.deepEqual([waited.value, waited.source], ["one", source]);
        assert.equal(computation.runs, 1);
      }),
  );
}

Deno.test("when the work went to somebody else in the meantime: it is still a result here, and said", () =>
  withServerHere(async ({ remote }) => {
    const outages: Outage[] = [];
    const onOutage = (outage: Outage) => outages.push(outage);
    await using slow = await Cache.connect({ remote, onOutage });
    await using quick = await Cache.connect({ remote });
    const [started, result] = [gate(), gate<string>()];
    const slowly = slow.generateDetailed("a", "k", () => {
      started.resolve();
      return result.promise;
    });
    await started.promise;
    // The time to compute runs out, though the heartbeats arrive.
    assert.equal(await quick.generate("a", "k", () => "quick"), "quick");
    result.resolve("slow");
    assert.deepEqual(await slowly, { value: "slow", source: "uncached" });
    assert.equal((outages[0]!.error as CacheError).code, "lost");
    assert.equal(await slow.get("a", "k"), "quick");
  }, [...SHORT_LEASE, "--max-compute-time", "300ms"]));

Deno.test("when the work went to somebody else in the meantime: whoever holds it is told", () =>
  withServerHere(async ({ remote }) => {
    await using slow = await Cache.connect({ remote });
    await using quick = await Cache.connect({ remote });
    const claim = await slow.claim("a", "k");
    assert(claim.kind === "assigned");
    const { signal } = claim.held;
    const lost = new Promise((resolve) =>
      signal.addEventListener("abort", resolve)
    );
    await quick.set("a", "k", 1);
    await lost;
    assert.equal(signal.reason.code, "lost");
    await assert.rejects(claim.held.publish(Uint8Array.of(50)), {
      code: "lost",
    });
  }, [...SHORT_LEASE, "--max-compute-time", "300ms"]));

Deno.test("heartbeats keep the work for longer than its lease", () =>
  withServerHere(async (server) => {
    await using cache = await Cache.connect({ remote: server.remote });
    using bare = new RemoteClient(server.remote);
    const claim = await cache.claim("a", Uint8Array.of(1));
    assert(claim.kind === "assigned");
    // Asking is what takes an expired assignment away.
    const endMs = Date.now() + 1_200;
    await until(
      () => bare.get("a", Uint8Array.of(1)),
      ({ entryStatus }) => {
        assert.equal(entryStatus, "loading");
        return Date.now() > endMs;
      },
    );
    await claim.held.publish(new TextEncoder().encode("late"));
    const value = await bare.value("a", Uint8Array.of(1));
    assert.equal(textOf(value), "late");
  }, SHORT_LEASE));

Deno.test("when the program ends without closing the cache: it ends by itself, though it holds work", () =>
  withServerHere(async ({ remote }) => {
    await using child = new Child(denoCommand(HOLD_WORK, MODULE, remote));
    assert.deepEqual(await child.end(), { lines: ["assigned"], code: 0 });
    // And its heartbeats with it.
    await using cache = await Cache.connect({ remote });
    assert.equal(await cache.generate("test.ends", "held", () => 2), 2);
  }, SHORT_LEASE));

Deno.test("when the server stays away: it is computed here, and said", async () => {
  const outages: Outage[] = [];
  const remote = await deadAddress();
  await using cache = await Cache.connect({
    remote,
    patienceMs: 50,
    onOutage: (outage) => outages.push(outage),
  });
  const made = await cache.generateDetailed("a.b", "k", () => 7);
  assert.deepEqual(made, { value: 7, source: "uncached" });
  assert.equal(outages.length, 1);
  assert.equal(outages[0]!.namespace, "a.b");
  assert.equal(
    outages[0]!.error.message,
    `remote ${remote}: cannot ask for the value: connect ECONNREFUSED ${remote}`,
  );
  assert.equal(await cache.get("a.b", "k"), undefined);
  assert.equal(await cache.set("a.b", "k", 1), false);
  await assert.rejects(
    cache.generate("a.b", "k", () => 7, { computeWhenDown: false }),
    (error) => error instanceof CacheError && error.code === "unavailable",
  );
});

waits(
  "when the server stays away: it is asked again every 5 s, by one call",
  () =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      const isAway = /: the server is away$/;
      let asked: string[] = [];
      await using cache = await Cache.connect({
        remote: proxy.address,
        patienceMs: 50,
        onOutage: ({ error: { message } }) => {
          if (!isAway.test(message)) asked.push(message);
        },
      });
      const fiveCalls = async () => {
        asked = [];
        const keys = [1, 2, 3, 4, 5];
        const made = await Promise.all(
          keys.map((key) => cache.generateDetailed("a", key, () => key)),
        );
        return made.filter(({ source }) => source !== "uncached").length;
      };
      await cache.get("a", "another");
      proxy.down();
      await cache.get("a", "another");
      const beganMs = performance.now();
      await until(fiveCalls, () => asked.length > 0);
      assert(performance.now() - beganMs > 4_000, "it was not asked before");
      assert.equal(asked.length, 1);
      proxy.up();
      await until(fiveCalls, (found) => found === 5);
    }),
);

waits(
  "when nothing is heard of the server: a machine that accepts connections and says nothing is away",
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const outages: Outage[] = [];
    await using cache = await Cache.connect({
      remote: `127.0.0.1:${listener.addr.port}`,
      patienceMs: 0,
      onOutage: (outage) => outages.push(outage),
    });
    assert.equal(await cache.generate("a", "k", () => 7), 7);
    assert.match(
      outages[0]!.error.message,
      /no connection within (1[5-9]|[2-9]\d)\d\d ms|no answer within/,
    );
  },
);

waits(
  "when a connection falls silent: it is not used again",
  () =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote, [
        { toClient: { afterBytes: 0, then: "freeze" } },
        {},
      ]);
      await using cache = await Cache.connect({ remote: proxy.address });
      const made = await cache.generateDetailed("a", "k", () => 7);
      assert.deepEqual(made, { value: 7, source: "computed" });
      // It, its successor, and a look at what there is that says nothing.
      assert(proxy.connections <= 3, `${proxy.connections} connections`);
    }),
);

Deno.test("when work is given back while the server is away: a close waits no longer for one that has not answered", () =>
  withServer(async ({ remote }) => {
    await using proxy = await FaultProxy.start(remote);
    const address = proxy.address;
    const cache = await Cache.connect({ remote: address, patienceMs: 0 });
    const claim = await cache.claim("a", "k");
    assert(claim.kind === "assigned");
    proxy.still();
    await assert.rejects(claim.held.publish(Uint8Array.of(1)), {
      code: "unavailable",
    });
    const late = new Promise((resolve) =>
      setTimeout(() => resolve("late"), 1_500)
    );
    const closed = cache.close().then(() => "closed");
    assert.equal(await Promise.race([closed, late]), "closed");
    await late;
  }));

Deno.test("when the server stays away: who would rather fail than compute does not decide for others", async () => {
  await using cache = await Cache.connect({
    remote: await deadAddress(),
    patienceMs: 50,
    onOutage: () => {},
  });
  const [strict, lenient] = [false, true].map((computeWhenDown) =>
    cache.generate("a", "k", () => 7, { computeWhenDown })
  );
  await assert.rejects(strict!, { code: "unavailable" });
  assert.equal(await lenient, 7);
});

Deno.test("without the local server, the remote one does", () =>
  withServerHere(async ({ remote }) => {
    await using cache = await Cache.connect({
      local: await deadAddress(),
      remote,
      patienceMs: 50,
    });
    const made = await cache.generateDetailed("a", "k", () => 7);
    assert.deepEqual(made, { value: 7, source: "computed" });
    await using other = await Cache.connect({ remote });
    assert.equal(await other.get("a", "k"), 7);
  }));

waits(
  "tiers read through, write through, and are left out while they are away",
  () =>
    withServer(async (near) => {
      await withServer(async (far) => {
        const outages: string[] = [];
        const tiers = async () => [
          memory({ maxBytes: 1_000 }),
          await Cache.connect({ local: near.local, patienceMs: 50 }),
          await Cache.connect({ remote: far.remote, patienceMs: 50 }),
        ];
        const onOutage = ({ tier }: Outage) => outages.push(tier);
        await using first = new TieredCache(await tiers(), { onOutage });
        await using second = new TieredCache(await tiers(), { onOutage });
        await using others = await Cache.connect({ remote: far.remote });

        await first.generate("a", "k", () => "v");
        assert.equal(await sourceOf(first, "k"), "memory");
        assert.equal(await sourceOf(second, "k"), "local");
        assert.equal(await sourceOf(second, "k"), "memory");
        assert.equal(await others.get("a", "k"), "v");

        await others.set("a", "theirs", "v");
        assert.equal(await sourceOf(first, "theirs"), "remote");
        assert.equal(await sourceOf(second, "theirs"), "local");

        await near.kill();
        assert.equal(await sourceOf(first, "new"), "computed");
        assert.equal(await others.get("a", "new"), "v");
        assert.deepEqual(new Set(outages), new Set([`local ${near.local}`]));

        await far.kill();
        assert.equal(await first.generate("a", "newer", () => "v"), "v");
        assert(outages.includes(`remote ${far.remote}`));
        assert.equal(await sourceOf(first, "newer"), "memory");
      });
    }),
);

Deno.test("when a value is kept by some tiers, but the one that gave out the work could not be told: the others keep it", () =>
  withServer(async (server) => {
    const outages: string[] = [];
    const remote = await Cache.connect({
      remote: server.remote,
      patienceMs: 50,
    });
    await using cache = new TieredCache(
      [memory({ maxBytes: 1_000 }), remote],
      { onOutage: ({ tier }) => outages.push(tier) },
    );
    const made = await cache.generateDetailed("a", "k", async () => {
      await server.kill();
      return "v";
    });
    assert.deepEqual(made, { value: "v", source: "computed" });
    assert.deepEqual(outages, [`remote ${server.remote}`]);
    assert.equal(await sourceOf(cache, "k"), "memory");
  }));

Deno.test("bytes of a key may be changed once they were given", async () => {
  const tiers = [1, 2].map(() => memory({ maxBytes: 1_000 }));
  await using cache = new TieredCache(tiers);
  const key = Uint8Array.of(1);
  await cache.generate("a", key, () => {
    key[0] = 2;
    return "v";
  });
  assert.equal(await cache.get("a", Uint8Array.of(1)), "v");
  assert.equal(await cache.get("a", Uint8Array.of(2)), undefined);
});

Deno.test("two tiers may be one server", () =>
  withServerHere(async ({ local, remote }) => {
    await using cache = new TieredCache([
      await Cache.connect({ local }),
      await Cache.connect({ remote }),
    ]);
    assert.equal(await sourceOf(cache, "k"), "computed");
    assert.equal(await sourceOf(cache, "k"), "local");
  }));

Deno.test("memory forgets what was used least lately", async () => {
  // Two values of JSON fit: "aaaa" takes 6 bytes, its entry 266.
  await using cache = new TieredCache([memory({ maxBytes: 2 * 272 })]);
  for (const key of ["one", "two"]) await cache.set("a", key, "aaaa");
  await cache.get("a", "one");
  await cache.set("a", "three", "aaaa");
  assert.equal(await cache.get("a", "two"), undefined);
  assert.equal(await cache.get("a", "one"), "aaaa");
  assert.equal(await cache.get("a", "three"), "aaaa");
});

async function sourceOf(cache: TieredCache, key: string): Promise<string> {
  const { value, source } = await cache.generateDetailed("a", key, () => "v");
  assert.equal(value, "v");
  return source;
}

/** Where nobody listens. */
function deadAddress(): Promise<string> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return Promise.resolve(`127.0.0.1:${port}`);
}
