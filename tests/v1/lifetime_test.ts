/**
 * Values with a time to live, and what computing them took, over a socket.
 */

import assert from "node:assert/strict";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { bytesOf } from "../support/clients.ts";
import { rejectsWith } from "../support/status.ts";
import { until } from "../support/waiting.ts";
import { CacheClient } from "./client.ts";
import { withSiteHere } from "./support.ts";

const HOUR_MS = 3_600_000;

async function putFor(
  client: CacheClient,
  key: string,
  ttlMs: number,
): Promise<void> {
  const { id } = await client.assigned("ns", key, { ttlMs });
  await client.publish(id, [bytesOf("value")]);
}

async function isAbsent(client: CacheClient, key: string): Promise<boolean> {
  const { last } = await client.fetched("ns", key, { assign: false });
  return last.reply === "unassigned";
}

Deno.test("a value whose time is over is absent, and so it is listed", async () => {
  await withSiteHere(async ({ remote }) => {
    await putFor(remote, "long", HOUR_MS);
    await remote.put("ns", "ever", "value");
    await putFor(remote, "short", 200);
    await until(() => isAbsent(remote, "short"));
    const entry = { namespace: "ns", key: bytesOf("short") };
    await rejectsWith("NOT_FOUND", remote.call("Stat", entry));
    const { entries } = await remote.call<{
      entries: readonly { key: Uint8Array; expiresMs: string }[];
    }>("List", { namespace: "ns" });
    assert.deepEqual(
      entries.map(({ key }) => new TextDecoder().decode(key)),
      ["ever", "long"],
    );
    assert.equal(entries[0]!.expiresMs, "0");
    const leftMs = Number(entries[1]!.expiresMs) - Date.now();
    assert.ok(leftMs > 0 && leftMs <= HOUR_MS, `${leftMs}`);
    const { last } = await remote.fetched("ns", "long");
    const { ttlMs } = last.ready!;
    assert.ok(Number(ttlMs) > 0 && Number(ttlMs) <= HOUR_MS, ttlMs);
    assert.equal((await remote.fetched("ns", "ever")).last.ready!.ttlMs, "0");
    // Whoever asks for the work has it, and the new value has no end.
    await remote.put("ns", "short", "new");
    assert.equal(await isAbsent(remote, "short"), false);
  });
});

Deno.test("a restart and a kill change nothing of a time to live", async () => {
  await withRoot(async (root) => {
    let id: string;
    {
      await using server = await ServerProcess.start(root);
      using remote = new CacheClient(server.remote);
      await putFor(remote, "long", HOUR_MS);
      ({ id } = await remote.assigned("ns", "work", { ttlMs: 100 }));
      await server.kill();
    }
    await using server = await ServerHere.start(root);
    using remote = new CacheClient(server.remote);
    const { last } = await remote.fetched("ns", "long");
    assert.ok(Number(last.ready!.ttlMs) > 0);
    await remote.publish(id, [bytesOf("value")]);
    await until(() => isAbsent(remote, "work"));
  });
});

Deno.test("a path that was handed out stays, though its time is over", async () => {
  await withSiteHere(async ({ remote, local }) => {
    // Long enough to be read on a loaded machine.
    await putFor(remote, "k", 2_500);
    const { last } = await local.fetched("ns", "k", { path: true });
    const { path, handle } = last.ready!;
    await until(() => isAbsent(remote, "k"));
    await remote.call("Sweep");
    assert.equal(await Deno.readTextFile(path), "value");
    const refused = await remote.fetched("ns", "k");
    assert.match(refused.last.unassigned!.reason, /still being read/);
    await local.call("Release", { handle });
    await remote.put("ns", "k", "new");
  });
});

Deno.test("a hit says what computing took, and usage sums it", async () => {
  await withSiteHere(async ({ remote, local }) => {
    const { id } = await remote.assigned("ns", "k");
    const sinceMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const atLeastMs = performance.now() - sinceMs;
    await remote.publish(id, [bytesOf("value")]);
    const { last } = await remote.fetched("ns", "k");
    const computedMs = Number(last.ready!.computedMs);
    // Timers of two processes may differ by a little.
    assert.ok(computedMs >= atLeastMs - 50, `${computedMs} ms`);
    await local.fetched("ns", "k", { path: true });
    // Whoever only looks at a value is saved nothing.
    await remote.fetched("ns", "k", { length: 2 });
    await remote.fetched("ns", "k", { fromDisk: true });
    const usage = await remote.call<Record<string, string>>("Usage");
    assert.equal(usage["hits"], "2");
    assert.ok(Number(usage["savedMs"]) >= computedMs);
    assert.ok(Number(usage["misses"]) >= 1);
  });
});

Deno.test("a time to live has its bounds", async () => {
  await withSiteHere(async ({ remote }) => {
    const long = remote.fetched("ns", "k", { ttlMs: 1e15 });
    await rejectsWith("INVALID_ARGUMENT", long, /ten years/);
  });
});
