/** Watch tells who has what work, and what became of values lately. */

import assert from "node:assert/strict";
import { bytesOf } from "../support/clients.ts";
import { methodOf } from "../support/grpc_client.ts";
import { rejectsWith, until } from "../support/status.ts";
import { type CacheClient, first, SERVICE } from "./client.ts";
import { withSiteHere } from "./support.ts";

interface Happening {
  readonly kind: string;
  readonly reason: string;
  readonly detail: string;
  readonly namespace: string;
  readonly key: string;
  readonly count: string;
  readonly bytes: string;
}

interface Picture {
  readonly phase: string;
  readonly status: {
    readonly entries: string;
    readonly bytes: string;
    readonly underWay: readonly {
      readonly namespace: string;
      readonly key: string;
      readonly computingMs: string;
      readonly quietMs: string;
      readonly waiting: string;
      readonly waiters: readonly string[];
    }[];
  };
  readonly fills: readonly {
    readonly limit: string;
    readonly used: string;
    readonly most: string;
  }[];
  readonly namespaces: readonly object[];
  readonly lately: readonly Happening[];
}

/** The next picture of a server. */
async function picture(client: CacheClient): Promise<Picture> {
  const method = methodOf(SERVICE, "Watch");
  for await (const each of client.watched<Picture>(method, {})) return each;
  throw new Error("there was no picture");
}

Deno.test("Watch says who computes, when they were heard, and who waits", () =>
  withSiteHere(async ({ local, remote }) => {
    const { id } = await remote.assigned("sim.ring", "run 1");
    const waiter = await first(local.fetch("sim.ring", "run 1"));
    assert.ok(waiter.reply.waiting);
    const before = await until(
      () => picture(remote),
      ({ status }) => Number(status.underWay[0]?.quietMs) >= 50,
    );
    assert.equal(before.phase, "ready");
    const [work] = before.status.underWay;
    const { namespace, key, waiting, waiters } = work!;
    assert.deepEqual({ namespace, key, waiting }, {
      namespace: "sim.ring",
      key: "run 1",
      waiting: "1",
    });
    assert.match(waiters.join(), /^127\.0\.0\.1:\d+$/);
    // Until it is heard it has been quiet for as long as it computes.
    assert.equal(work!.quietMs, work!.computingMs);
    await remote.call("Heartbeat", { id });
    await until(
      () => picture(remote),
      ({ status: { underWay: [heard] } }) =>
        Number(heard!.quietMs) < Number(heard!.computingMs),
    );
    await remote.publish(id, [bytesOf("value")]);
    await Array.fromAsync(waiter.rest);
    const done = await until(
      () => picture(remote),
      ({ status, namespaces }) =>
        status.underWay.length === 0 && namespaces.length === 1,
    );
    assert.equal(done.status.bytes, "5");
    assert.deepEqual(done.namespaces, [
      { namespace: "sim.ring", entries: "1", bytes: "5" },
    ]);
  }));

Deno.test("Watch says what was evicted, refused and damaged lately, and how full it is", () =>
  withSiteHere(async ({ server, remote }) => {
    const { id } = await remote.assigned("small", "large value");
    await rejectsWith(
      "RESOURCE_EXHAUSTED",
      remote.publish(id, [new Uint8Array(2_000)]),
    );
    for (const key of ["a", "b", "c", "d"]) await remote.put("sim", key, key);
    for await (const { name } of Deno.readDir(`${server.root}/sim`)) {
      const path = `${server.root}/sim/${name}`;
      await Deno.chmod(path, 0o600);
      await Deno.writeTextFile(path, "X");
    }
    for (const key of ["a", "b", "c", "d"]) {
      await remote.fetched("sim", key, { assign: false, fromDisk: true });
    }
    const found = await until(
      () => picture(remote),
      ({ lately }) => new Set(lately.map(({ kind }) => kind)).size === 3,
    );
    const of = (kind: string) =>
      found.lately.filter((each) => each.kind === kind);
    const [refused] = of("refused");
    assert.equal(refused!.namespace, "small");
    assert.equal(refused!.key, "large value");
    assert.equal(refused!.reason, "storage-full");
    assert.match(refused!.detail, /quota|--quotas/);
    assert.doesNotMatch(refused!.detail, new RegExp(id));
    assert.deepEqual(
      of("evicted").map(({ reason, namespace }) => [reason, namespace]),
      [["room", "sim"]],
    );
    assert.equal(of("damaged")[0]!.namespace, "sim");
    const limits = found.fills.map(({ limit }) => limit);
    for (
      const limit of [
        ...["--max-entries", "the root's disk", "--memory-budget-bytes"],
        ...["--max-connections", "quota of small"],
      ]
    ) assert.ok(limits.includes(limit), `${limit}: ${limits}`);
  }, { args: ["--quotas", "small=1KiB", "--max-entries", "3"] }));
