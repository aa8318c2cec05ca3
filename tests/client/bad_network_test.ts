/** The client library keeps its word on a bad network, on Deno and on Node. */

import assert from "node:assert/strict";
import { FaultProxy } from "../support/fault_proxy.ts";
import { until } from "../support/status.ts";
import { Cache } from "../../src/client/mod.ts";
import { CacheClient } from "../v1/client.ts";
import { testAllOnEach, testOnEach } from "./runtimes.ts";
import { BUSY_MS, NS, PHASES, PROGRAM, run } from "./scenarios.ts";
import { Child, startAgain, withServer, withServerHere } from "./support.ts";

/** A silent connection is replaced by then. */
const REPLACED_MS = 2_000;
const HALF = { afterBytes: 1_500_000, then: "freeze" } as const;
const NOTHING = { afterBytes: 0, then: "freeze" } as const;
/** So long that the next connection is being made when all come back. */
const AWAY_MS = 3_000;
/** More connections than anybody tries in some seconds. */
const MANY = 20;

testAllOnEach(
  "when a connection falls silent: another one takes its place within 2 s",
  PROGRAM,
  PHASES,
  (phase, { command, allReady }) =>
    withServerHere(async ({ remote }) => {
      const half = phase === "publish"
        ? [{ toServer: HALF }, {}, {}]
        : phase === "read"
        ? [{ toClient: HALF }, {}, {}]
        : {};
      await using proxy = await FaultProxy.start(remote, half);
      await allReady();
      const result = await run(
        command(phase, proxy.address, remote, "10000"),
        () => {
          if (phase === "publish" || phase === "read") return;
          proxy.freeze("toClient");
          proxy.freeze("toServer");
        },
      );
      assert.deepEqual(result.outages, []);
      assert(
        result.ms - result.lateMs < REPLACED_MS + BUSY_MS,
        `${result.ms} ms`,
      );
      if (phase === "read") assert.equal(result.size, 4_000_000);
      else {
        const source = phase === "wait" ? "remote" : "computed";
        assert.equal(result.source, source);
      }
    }),
);

testOnEach(
  "when a connection falls silent: work that it still brings is given back",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      const { ms, lateMs, source, outages } = await run(
        command("ask", proxy.address),
        () => {
          proxy.still();
          setTimeout(() => proxy.thaw(), AWAY_MS);
        },
      );
      assert.deepEqual(outages, []);
      assert.equal(source, "computed");
      // It does not wait until the lease of its own work ends, 4 s.
      assert(ms - lateMs < AWAY_MS + 1_500 + BUSY_MS, `${ms} ms`);
    }),
);

testOnEach(
  "when a connection falls silent: an upload gets through a slow line all the same",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      // It takes 3 s, for longer than a connection may be silent: begun again each
      // time, it would never get through.
      const { isKept, outages } = await run(
        command("slowLine", proxy.address, "10000"),
        () => proxy.throttle(50_000),
      );
      assert.deepEqual(outages, []);
      assert.equal(isKept, true);
    }),
);

testAllOnEach(
  "when nothing is heard of the server: it gets its patience, wherever that strikes",
  PROGRAM,
  [...PHASES, "publish half", "read half"],
  (how, { command, allReady }) =>
    withServerHere(async ({ remote }) => {
      const [phase, half] = how.split(" ");
      const nothing = { toServer: NOTHING, toClient: NOTHING };
      const at = phase === "read" ? "toClient" : "toServer";
      const faults = [{ [at]: HALF }, ...Array(MANY).fill(nothing)];
      await using proxy = await FaultProxy.start(remote, half ? faults : {});
      await allReady();
      const result = await run(
        command(phase!, proxy.address, remote, "3000"),
        () => half ? undefined : proxy.still(),
      );
      // Who waits had the last sign of life some time before it got bad.
      const leastMs = phase === "wait" ? 1_000 : 2_500;
      assert(result.sinceAskedMs > leastMs, `${result.sinceAskedMs} ms`);
      assert(result.ms - result.lateMs < 3_000 + BUSY_MS, `${result.ms} ms`);
      assert.match(
        result.outages[0]!,
        // 2 s, where a busy machine had no answer before it got bad.
        /^remote 127.0.0.1:\d+: cannot .*: no (answer|connection) within [23]\d00 ms$/,
      );
    }),
);

testOnEach(
  "when nothing is heard of the server: who waits for somebody waits on",
  PROGRAM,
  (command) =>
    withServerHere(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      const result = await run(
        command("wait", proxy.address, remote, "30000"),
        () => {
          proxy.down();
          setTimeout(() => proxy.up(), 4_000);
        },
      );
      assert.equal(result.source, "remote");
      assert.deepEqual(result.outages, []);
    }),
);

testOnEach(
  "when work is given back while the server is away: it goes to the next who asks",
  PROGRAM,
  (command) =>
    withServer(async (server) => {
      await using child = new Child(command("giveUp", server.remote));
      assert.equal(await child.line(), "bad");
      await server.kill();
      const result = JSON.parse(await child.line() ?? "");
      assert.equal(result.error, "failed");
      assert(result.ms - result.lateMs < 1_000 + BUSY_MS, `${result.ms} ms`);
      await using again = await startAgain(server);
      await using next = await Cache.connect({ remote: again.remote });
      const beganMs = performance.now();
      // The restart's grace is a minute.
      assert.equal(await next.generate(NS, "k", () => 2), 2);
      const tookMs = performance.now() - beganMs;
      assert(tookMs < 5_000, `${tookMs} ms`);
    }),
);

testAllOnEach(
  "when a call is called off before it was answered: what is given out to it is given back",
  PROGRAM,
  ["remote", "local"] as const,
  (kind, { command, allReady }) =>
    withServerHere(async (server) => {
      if (kind === "local") await fill(server.local);
      await using proxy = await FaultProxy.start(server[kind], {
        toServer: { delayMs: 10 },
        toClient: { delayMs: 10 },
      });
      await allReady();
      await run(command("aborts", proxy.address, kind));
      using admin = new CacheClient(server.remote);
      await until(
        () => admin.call<Record<string, string>>("Usage"),
        ({ loading, handles }) => loading === "0" && handles === "0",
        // Not because the lease has ended, which takes 22 s.
        15_000,
      );
    }, ["--heartbeat-interval", "20s"]),
);

/** Half of the keys have a value: handles are given out for them. */
async function fill(local: string): Promise<void> {
  await using cache = await Cache.connect({ local });
  for (let key = 0; key < 40; key += 2) await cache.set(NS, key, key);
}

/** A server whose first connection breaks in the middle of an upload. */
function cutOnce(run: (address: string) => Promise<void>): Promise<void> {
  return withServerHere(async ({ remote }) => {
    const cut = { afterBytes: 1_500_000, then: "reset" } as const;
    const faults = [{ toServer: cut }, {}, {}];
    await using proxy = await FaultProxy.start(remote, faults);
    await run(proxy.address);
  });
}

testAllOnEach(
  "when the server restarts: what can be read again is published when the connection breaks",
  PROGRAM,
  ["again", "once", "same"],
  (way, { command, allReady }) =>
    cutOnce(async (address) => {
      await allReady();
      const result = await run(command("stream", address, way));
      const isKept = way === "again";
      assert.equal(result.isKept, isKept);
      assert.equal(result.size, isKept ? 4_000_000 : undefined);
      assert.equal(result.outages.length, isKept ? 0 : 1);
    }),
);

testAllOnEach(
  "when the connection breaks while a stream is produced: another one is produced, and kept",
  PROGRAM,
  ["new", "later", "same"],
  (way, { command, allReady }) =>
    cutOnce(async (address) => {
      await allReady();
      const { ms: _, lateMs: __, message, ...result } = await run(
        command("produce", address, way),
      );
      if (way === "same") {
        // What is left of it is not the value.
        const { outages, ...said } = result;
        assert.deepEqual(said, { began: 1, code: "failed" });
        assert.match(`${message}`, /the same one again: it must begin a new/);
        return assert.equal(outages.length, 1);
      }
      const size = 4_000_000;
      assert.deepEqual(result, { began: 2, size, kept: size, outages: [] });
    }),
);

testAllOnEach(
  "when a producer or a reader is slow: it is waited for",
  PROGRAM,
  ["a producer", "a reader"],
  (who, { command, allReady }) => {
    const flags = ["--idle-body-timeout", "5s", "--stall-timeout", "2s"];
    const producing = () =>
      withServerHere(async ({ remote }) => {
        await allReady();
        const { kept } = await run(command("slowProducer", remote, "7000"));
        assert.deepEqual(kept, [[true, 20], [true, 20]]);
      }, flags);
    const reading = () =>
      withServerHere(async ({ remote }) => {
        await allReady();
        const { size } = await run(command("slowReader", remote, "6000"));
        assert.equal(size, 16_000_000);
      }, flags);
    return who === "a reader" ? reading() : producing();
  },
);
