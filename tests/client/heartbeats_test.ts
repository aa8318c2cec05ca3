/**
 * Heartbeats keep work on a bad network, on Deno and on Node. That they do so
 * while the server stands still is its own doing: standstill_test.ts.
 */

import assert from "node:assert/strict";
import { Cache } from "../../src/client/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import type { ServerProcess } from "../support/server_process.ts";
import { type Command, runAllOnEach } from "./runtimes.ts";
import { NS, PROGRAM, run } from "./scenarios.ts";
import { withServer } from "./support.ts";

const HELD = 10;
const HOLD_MS = 6_500;
/** When it gets bad: no heartbeat has come yet. */
const BAD_AFTER_MS = 1_100;
/** With the default, 2 s between heartbeats, and a lease of 4 s. */
const CUT_MS = 2_000;
const LONG_CUT_MS = 2_600;
/** On a machine that is busy it may be bad for longer than a lease. */
const TRIES = 5;

const LEASES = {
  usual: [],
  // Ends before a connection counts as silent.
  short: ["--heartbeat-interval", "1s", "--heartbeat-timeout", "2s"],
  // Lets a heartbeat that is repeated every other second come too late.
  long: ["--heartbeat-timeout", "5300ms"],
};
type Lease = keyof typeof LEASES;

/** What happens to the network, and by how much it may be late. */
interface Trouble {
  readonly lease: Lease;
  readonly slackMs: number;
  /** Of what is planned, until it is over. */
  readonly lastsMs: number;
  readonly worsen: (proxy: FaultProxy) => Promise<void> | void;
}

const WAYS: Readonly<Record<string, Trouble>> = {
  "when one connection falls silent": {
    ...{ lease: "usual", slackMs: 800, lastsMs: 0, worsen: silence },
  },
  "when it does, and the lease is short": {
    ...{ lease: "short", slackMs: 400, lastsMs: 0, worsen: silence },
  },
  "when everything is refused": {
    ...{ lease: "usual", slackMs: 500, lastsMs: BAD_AFTER_MS + CUT_MS },
    worsen: (proxy) => refuse(proxy, CUT_MS),
  },
  "when it is for longer, and the lease is longer, too": {
    ...{ lease: "long", slackMs: 1_000, lastsMs: BAD_AFTER_MS + LONG_CUT_MS },
    worsen: (proxy) => refuse(proxy, LONG_CUT_MS),
  },
  "when nothing comes through": {
    ...{ lease: "usual", slackMs: 500, lastsMs: BAD_AFTER_MS + CUT_MS },
    async worsen(proxy) {
      await pause(BAD_AFTER_MS);
      proxy.still();
      await pause(CUT_MS);
      proxy.thaw();
    },
  },
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function silence(proxy: FaultProxy): void {
  proxy.freeze("toClient");
  proxy.freeze("toServer");
}

async function refuse(proxy: FaultProxy, forMs: number): Promise<void> {
  await pause(BAD_AFTER_MS);
  proxy.down();
  await pause(forMs);
  proxy.up();
}

/** Others wait for work that is held; how much of it they get. */
async function taken(remote: string, keys: readonly number[]): Promise<number> {
  await using cache = await Cache.connect({ remote });
  const found = await Promise.all(
    keys.map((key) => cache.generateDetailed(NS, key, () => 0)),
  );
  return found.filter(({ source }) => source !== "remote").length;
}

let runs = 0;

/** Where work is held, and what happens meanwhile. */
interface Holding extends Pick<Trouble, "slackMs" | "lastsMs"> {
  /** Of the proxy. */
  readonly address: string;
  /** Of the server. */
  readonly remote: string;
  readonly happens: () => Promise<void> | void;
}

/** Holds work while something happens: it stays whose it is. */
async function keepsAll(command: Command, holding: Holding): Promise<void> {
  for (let tries = 1;; tries++) {
    const { lateMs, ...result } = await hold(command, holding);
    const isLate = lateMs > holding.slackMs && tries < TRIES;
    if (result.lost + result.taken > 0 && isLate) continue;
    const message = `${lateMs} ms late`;
    assert.deepEqual({ ...result, message }, { lost: 0, taken: 0, message });
    return;
  }
}

/** How much was lost, how much others got, and how late things were. */
async function hold(
  command: Command,
  { address, remote, lastsMs, happens }: Holding,
): Promise<{ lost: number; taken: number; lateMs: number }> {
  const first = HELD * runs++;
  const keys = Array.from({ length: HELD }, (_, at) => first + at);
  const others = Promise.withResolvers<number>();
  // Nobody waits for them when holding fails.
  others.promise.catch(() => {});
  let worsenedMs = 0;
  const bad = async (heldMs: number) => {
    await happens();
    worsenedMs = Date.now() - heldMs - lastsMs;
  };
  const held = command("hold", address, `${HOLD_MS}`, JSON.stringify(keys));
  const { lost, lateMs } = await run(held, (heldMs) => {
    const over = bad(Number(heldMs));
    const asking = Promise.all([taken(remote, keys), over]);
    others.resolve(asking.then(([count]) => count));
  });
  return {
    lost: Number(lost),
    taken: await others.promise,
    lateMs: Math.round(worsenedMs + Number(lateMs)),
  };
}

/** Runs with a server for each lease. */
async function withServers(
  run: (servers: Readonly<Record<Lease, ServerProcess>>) => Promise<void>,
): Promise<void> {
  const { usual, short, long } = LEASES;
  await withServer(
    (usual) =>
      withServer(
        (short) => withServer((long) => run({ usual, short, long }), long),
        short,
      ),
    usual,
  );
}

Deno.test("when heartbeats do not come through: no lease is lost", (test) =>
  withServers((servers) =>
    runAllOnEach(
      test,
      PROGRAM,
      Object.keys(WAYS),
      async (way, { command, allReady }) => {
        const { lease, worsen, ...trouble } = WAYS[way]!;
        const { remote } = servers[lease];
        await using proxy = await FaultProxy.start(remote);
        await allReady();
        const { address } = proxy;
        const happens = () => worsen(proxy);
        await keepsAll(command, { address, remote, happens, ...trouble });
      },
    )
  ));
