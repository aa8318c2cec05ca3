/** The client library keeps its word on a bad network, on Deno and on Node. */

import assert from "node:assert/strict";
import { RemoteClient } from "../support/clients.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/status.ts";
import { keyBytes } from "../../src/client/keys.ts";
import { Cache } from "../../src/client/mod.ts";
import { CacheClient } from "../v1/client.ts";
import { testOnEach } from "./runtimes.ts";
import { BUSY_MS, NS, PHASES, PROGRAM, run } from "./scenarios.ts";
import { Child, sameAddresses, withServer } from "./support.ts";

/** A silent connection is replaced by then. */
const REPLACED_MS = 2_000;
const HALF = { afterBytes: 1_500_000, then: "freeze" } as const;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

testOnEach(
  "when a connection falls silent: another one takes its place within 2 s",
  PROGRAM,
  async (command, context) => {
    for (const phase of PHASES) {
      await context.step(phase, () =>
        withServer(async ({ remote }) => {
          const half = phase === "publish"
            ? [{ toServer: HALF }, {}, {}]
            : phase === "read"
            ? [{ toClient: HALF }, {}, {}]
            : {};
          await using proxy = await FaultProxy.start(remote, half);
          const result = await run(
            command(phase, proxy.address, remote, "10000"),
            () => {
              if (phase === "publish" || phase === "read") return;
              proxy.freeze("toClient");
              proxy.freeze("toServer");
            },
          );
          assert.deepEqual(result.outages, []);
          assert(result.ms < REPLACED_MS + BUSY_MS, `${result.ms} ms`);
          if (phase === "read") assert.equal(result.size, 4_000_000);
          else {
            const source = phase === "wait" ? "remote" : "computed";
            assert.equal(result.source, source);
          }
        }));
    }
  },
);

testOnEach(
  "when nothing is heard of the server: it gets its patience, wherever that strikes",
  PROGRAM,
  async (command, context) => {
    for (const phase of PHASES) {
      await context.step(phase, () =>
        withServer(async ({ remote }) => {
          await using proxy = await FaultProxy.start(remote);
          const result = await run(
            command(phase, proxy.address, remote, "3000"),
            () => proxy.still(),
          );
          assert(result.ms > 2_500, `${result.ms} ms`);
          assert(result.ms < 3_500 + BUSY_MS, `${result.ms} ms`);
          assert(result.outages.length > 0);
        }));
    }
  },
);

testOnEach(
  "when nothing is heard of the server: who waits for somebody waits on",
  PROGRAM,
  (command) =>
    withServer(async ({ remote }) => {
      await using proxy = await FaultProxy.start(remote);
      const result = await run(
        command("wait", proxy.address, remote, "10000"),
        () => {
          proxy.down();
          setTimeout(() => proxy.up(), 4_000);
        },
      );
      assert.equal(result.source, "remote");
      assert.deepEqual(result.outages, []);
    }),
);

const HELD = 20;
const HOLD_MS = 6_500;

/** Others ask for all the work that is held; how much of it they get. */
async function taken(remote: string, forMs: number): Promise<number> {
  using client = new RemoteClient(remote);
  const got = new Set<number>();
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    for (let key = 0; key < HELD; key++) {
      const { entryStatus } = await client.get(NS, keyBytes(key), {
        assign: true,
      });
      if (entryStatus === "assign") got.add(key);
    }
    await pause(50);
  }
  return got.size;
}

testOnEach(
  "when heartbeats do not come through: no lease is lost",
  PROGRAM,
  async (command, context) => {
    const hold = (address: string) =>
      command("hold", address, `${HELD}`, `${HOLD_MS}`);
    /** The default: 2 s between heartbeats, a lease of 4 s. */
    const CUT_MS = 2_000;
    const LONG_CUT_MS = 3_000;
    const silence = (proxy: FaultProxy) => {
      proxy.freeze("toClient");
      proxy.freeze("toServer");
    };
    const refused = (proxy: FaultProxy, ms: number) => {
      setTimeout(() => proxy.down(), 1_300);
      setTimeout(() => proxy.up(), 1_300 + ms);
    };
    const ways: Record<string, {
      readonly worsen: (proxy: FaultProxy) => void;
      readonly lease: "usual" | "short" | "long";
    }> = {
      "when one connection falls silent": { worsen: silence, lease: "usual" },
      "when it does, and the lease is short": {
        worsen: silence,
        lease: "short",
      },
      "when everything is refused": {
        worsen: (proxy) => refused(proxy, CUT_MS),
        lease: "usual",
      },
      "when it is for longer, and the lease is longer, too": {
        worsen: (proxy) => refused(proxy, LONG_CUT_MS),
        lease: "long",
      },
      "when nothing comes through": {
        worsen: (proxy) => {
          setTimeout(() => proxy.still(), 1_300);
          setTimeout(() => proxy.thaw(), 1_300 + CUT_MS);
        },
        lease: "usual",
      },
    };
    const LEASES = {
      usual: [],
      // Ends before a connection counts as silent.
      short: ["--heartbeat-interval", "1s", "--heartbeat-timeout", "2s"],
      // Lets a heartbeat that is repeated seldom come too late.
      long: ["--heartbeat-timeout", "5s"],
    };
    for (const [way, { worsen, lease }] of Object.entries(ways)) {
      await context.step(way, () =>
        withServer(async ({ remote }) => {
          await using proxy = await FaultProxy.start(remote);
          let others: Promise<number> | undefined;
          const { lost } = await run(hold(proxy.address), () => {
            worsen(proxy);
            others = taken(remote, HOLD_MS - 500);
          });
          assert.deepEqual({ lost, taken: await others }, {
            lost: 0,
            taken: 0,
          });
        }, LEASES[lease]));
    }
    await context.step(
      "when the server stands still",
      () =>
        withServer(async (server) => {
          const pid = await server.serverPid();
          const stopped = Promise.withResolvers<number>();
          const { lost } = await run(hold(server.remote), () => {
            setTimeout(async () => {
              Deno.kill(pid, "SIGSTOP");
              await pause(4_500);
              Deno.kill(pid, "SIGCONT");
              stopped.resolve(await taken(server.remote, 500));
            }, 1_000);
          });
          const all = { lost, taken: await stopped.promise };
          assert.deepEqual(all, { lost: 0, taken: 0 });
        }),
    );
  },
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
      assert(result.ms < 1_000 + BUSY_MS, `${result.ms} ms`);
      const args = sameAddresses(server);
      await using again = await ServerProcess.start(server.root, { args });
      await using next = await Cache.connect({ remote: again.remote });
      const beganMs = performance.now();
      // The restart's grace is a minute.
      assert.equal(await next.generate(NS, "k", () => 2), 2);
      const tookMs = performance.now() - beganMs;
      assert(tookMs < 5_000, `${tookMs} ms`);
    }),
);

testOnEach(
  "when a call is called off before it was answered: what is given out to it is given back",
  PROGRAM,
  async (command, context) => {
    for (const kind of ["remote", "local"] as const) {
      await context.step(kind, () =>
        withServer(async (server) => {
          if (kind === "local") await fill(server.local);
          await using proxy = await FaultProxy.start(server[kind], {
            toServer: { delayMs: 10 },
            toClient: { delayMs: 10 },
          });
          await run(command("aborts", proxy.address, kind));
          using admin = new CacheClient(server.remote);
          await until(
            () => admin.call<Record<string, string>>("Usage"),
            ({ loading, handles }) => loading === "0" && handles === "0",
            5_000,
          );
        }, ["--heartbeat-interval", "20s"]));
    }
  },
);

/** Half of the keys have a value: handles are given out for them. */
async function fill(local: string): Promise<void> {
  await using cache = await Cache.connect({ local });
  for (let key = 0; key < 40; key += 2) await cache.set(NS, key, key);
}

testOnEach(
  "when the server restarts: what can be read again is published when the connection breaks",
  PROGRAM,
  async (command, context) => {
    for (const way of ["again", "once"]) {
      await context.step(way, () =>
        withServer(async ({ remote }) => {
          const cut = { afterBytes: 1_500_000, then: "reset" } as const;
          const faults = [{ toServer: cut }, {}, {}];
          await using proxy = await FaultProxy.start(remote, faults);
          const result = await run(command("stream", proxy.address, way));
          const isKept = way === "again";
          assert.equal(result.isKept, isKept);
          assert.equal(result.size, isKept ? 4_000_000 : undefined);
          assert.equal(result.outages.length, isKept ? 0 : 1);
        }));
    }
  },
);

testOnEach(
  "when a producer or a reader is slow: it is waited for",
  PROGRAM,
  async (command, context) => {
    const flags = ["--idle-body-timeout", "5s", "--stall-timeout", "2s"];
    await context.step("a producer", () =>
      withServer(async ({ remote }) => {
        const { isKept, size } = await run(
          command("slowProducer", remote, "8000"),
        );
        assert.deepEqual({ isKept, size }, { isKept: true, size: 20 });
      }, flags));
    await context.step("a reader", () =>
      withServer(async ({ remote }) => {
        const { size } = await run(command("slowReader", remote, "6000"));
        assert.equal(size, 16_000_000);
      }, flags));
  },
);
