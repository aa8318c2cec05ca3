/**
 * Fetch waits for whoever has the work, and is woken when something changes.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { bytesOf, textOf } from "../support/clients.ts";
import { rejectsWith, until } from "../support/status.ts";
import { CacheClient, drained, type Fetched, first } from "./client.ts";
import {
  SHORT_LEASE,
  type SiteHere,
  withSite,
  withSiteHere,
} from "./support.ts";

/** Fetches that wait for one key, each known to have been told so. */
async function waiters(
  client: CacheClient,
  many: number,
): Promise<Promise<Fetched>[]> {
  const begun = await Promise.all(
    Array.from({ length: many }, () => first(client.fetch("ns", "k"))),
  );
  return begun.map(async ({ reply, rest }) => {
    assert.equal(reply.reply, "waiting");
    return await drained(rest);
  });
}

interface Usage {
  readonly waiting: string;
  readonly loading: string;
}

async function untilWaiting({ remote }: SiteHere, many: number): Promise<void> {
  await until(
    () => remote.call<Usage>("Usage"),
    ({ waiting }) => Number(waiting) === many,
  );
}

Deno.test("two hundred who wait are all served when the value is published", async () => {
  await withSiteHere(async ({ server, remote, local }) => {
    const { id } = await local.assigned("ns", "k");
    using other = new CacheClient(server.remote);
    const served = [
      ...await waiters(remote, 100),
      ...await waiters(other, 100),
    ];
    await local.publish(id, [new TextEncoder().encode("value")]);
    for (const { last, bytes } of await Promise.all(served)) {
      assert.equal(last.reply, "ready");
      assert.equal(textOf(bytes), "value");
    }
  });
});

Deno.test("a notice says who computes, and for how long", async () => {
  await withSiteHere(async ({ remote, local }) => {
    const { id } = await local.assigned("ns", "k");
    const { last } = await remote.fetched("ns", "k", { wait: false });
    assert.match(last.waiting!.holder, /^127\.0\.0\.1:\d+$/);
    assert.ok(Number(last.waiting!.computingMs) < 20_000);
    await local.call("Heartbeat", { id });
  });
});

Deno.test("what is abandoned goes to exactly one of those who wait", async () => {
  await withSiteHere(async (site) => {
    const { remote, local } = site;
    let { id } = await local.assigned("ns", "k");
    const waiting = new Set(await waiters(remote, 20));
    for (let left = 19; left > 10; left--) {
      await local.call("Abandon", { id, reason: "a test" });
      const [next, winner] = await Promise.race(
        [...waiting].map(async (each) => [await each, each] as const),
      );
      waiting.delete(winner);
      assert.notEqual(next.last.assigned!.id, id);
      id = next.last.assigned!.id;
      await untilWaiting(site, left);
    }
    await remote.publish(id, [new Uint8Array(3)]);
    for (const { last } of await Promise.all(waiting)) {
      assert.equal(last.reply, "ready");
    }
  });
});

Deno.test("a holder that falls silent loses the work to exactly one of those who wait", async () => {
  await withSiteHere(async (site) => {
    const { remote, server } = site;
    {
      using holder = new CacheClient(server.remote);
      await holder.assigned("ns", "k");
    }
    const waiting = await waiters(remote, 20);
    const next = await Promise.race(waiting);
    const { id } = next.last.assigned!;
    const alive = setInterval(() => remote.call("Heartbeat", { id }), 100);
    try {
      await untilWaiting(site, 19);
      const usage = await remote.call<Usage>("Usage");
      assert.equal(usage.loading, "1");
      await remote.publish(id, [new Uint8Array(3)]);
    } finally {
      clearInterval(alive);
    }
    const kinds = (await Promise.all(waiting)).map(({ last }) => last.reply);
    assert.equal(kinds.filter((kind) => kind === "assigned").length, 1);
    assert.equal(kinds.filter((kind) => kind === "ready").length, 19);
  }, { args: SHORT_LEASE });
});

Deno.test("a new holder is announced to those who go on waiting", async () => {
  await withSiteHere(async ({ remote, local, server }) => {
    const { id } = await local.assigned("ns", "k");
    using other = new CacheClient(server.remote);
    const taker = first(other.fetch("ns", "k"));
    await taker;
    const waiting = first(remote.fetch("ns", "k", { assign: false }));
    const { rest } = await waiting;
    await local.call("Abandon", { id });
    const next = (await drained((await taker).rest)).last.assigned!;
    const { reply, rest: more } = await first(rest);
    assert.equal(reply.reply, "waiting");
    await other.publish(next.id, [new Uint8Array(1)]);
    const { last, waiting: told } = await drained(more);
    assert.equal(last.reply, "ready");
    assert.equal(told.length, 0);
  });
});

Deno.test("a Fetch that was cancelled takes nothing", async () => {
  await withSiteHere(async (site) => {
    const { remote, local } = site;
    const { id } = await local.assigned("ns", "k");
    const gone = await first(remote.fetch("ns", "k"));
    const staying = await waiters(remote, 1);
    gone.rest.cancel();
    await assert.rejects(drained(gone.rest), /CANCELLED/);
    await untilWaiting(site, 1);
    await local.call("Abandon", { id });
    const [{ last }] = await Promise.all(staying) as [Fetched];
    assert.equal(last.reply, "assigned");
  });
});

Deno.test("a holder that is killed is replaced without waiting for anybody to ask", async () => {
  await withSiteHere(async ({ server, remote }) => {
    const script = `
      import { CacheClient } from "${new URL("client.ts", import.meta.url)}";
      const client = new CacheClient("${server.remote}");
      const { id } = await client.assigned("ns", "k");
      setInterval(() => client.call("Heartbeat", { id }), 100);
      console.log("assigned");
    `;
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, script);
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const holder = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "--config", config, "-A", file],
      stdout: "piped",
    }).spawn();
    const reader = holder.stdout.getReader();
    await reader.read();
    const [waiting] = await waiters(remote, 1);
    holder.kill("SIGKILL");
    await holder.status;
    await reader.cancel();
    await Deno.remove(file);
    assert.equal((await waiting!).last.reply, "assigned");
  }, { args: SHORT_LEASE });
});

Deno.test("who waits for work gets what is published in the drain of a stop", async () => {
  await withSite(async ({ server, remote, local }) => {
    const { id } = await local.assigned("ns", "k");
    const waiting = await waiters(remote, 10);
    const stopped = server.stop();
    // Once it drains, it takes nothing away.
    const removal = { namespace: "ns", key: bytesOf("none") };
    await until(
      () => remote.call("Delete", removal).then(() => false, () => true),
      (drains) => drains,
    );
    await remote.publish(id, [bytesOf("late")]);
    for (const { bytes } of await Promise.all(waiting)) {
      assert.equal(textOf(bytes), "late");
    }
    remote[Symbol.dispose]();
    local[Symbol.dispose]();
    assert.equal(await stopped, 0);
  }, { args: ["--drain-timeout", "20s", "--heartbeat-timeout", "60s"] });
});

Deno.test("the end of a drain sends those who wait to the next process", async () => {
  await withSite(async ({ server, remote, local }) => {
    await local.assigned("ns", "k");
    const waiting = await waiters(remote, 10);
    const stopped = server.stop();
    await Promise.all(
      waiting.map((each) => rejectsWith("UNAVAILABLE", each, /ask again/)),
    );
    remote[Symbol.dispose]();
    local[Symbol.dispose]();
    assert.equal(await stopped, 0);
  }, { args: ["--drain-timeout", "500ms"] });
});
