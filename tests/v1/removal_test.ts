/**
 * Many values are removed at once, a page at a time, beside everything else.
 */

import assert from "node:assert/strict";
import { bytesOf } from "../support/clients.ts";
import { rejectsWith } from "../support/status.ts";
import type { CacheClient } from "./client.ts";
import { withSiteHere } from "./support.ts";

interface RemoveReply {
  readonly entries: string;
  readonly bytes: string;
  readonly inUse: string;
  readonly nextPageToken: string;
}

async function removeAll(
  client: CacheClient,
  request: object,
): Promise<{ entries: number; inUse: number; pages: number }> {
  const sum = { entries: 0, inUse: 0, pages: 0 };
  let pageToken = "";
  do {
    const reply: RemoveReply = await client.call("Remove", {
      ...request,
      pageToken,
    });
    sum.entries += Number(reply.entries);
    sum.inUse += Number(reply.inUse);
    sum.pages++;
    pageToken = reply.nextPageToken;
  } while (pageToken !== "");
  return sum;
}

async function keysOf(client: CacheClient, namespace: string) {
  const { entries } = await client.call<
    { entries: readonly { readonly key: Uint8Array }[] }
  >("List", { namespace });
  return entries.map(({ key }) => new TextDecoder().decode(key));
}

Deno.test("what begins alike is counted, then removed, and the rest stays", async () => {
  await withSiteHere(async ({ remote }) => {
    for (const key of ["a", "run", "run-1", "run-2", "z"]) {
      await remote.put("ns", key, "12345");
    }
    await remote.put("other", "run", "stays");
    const request = { namespace: "ns", prefix: bytesOf("run") };
    const expected = { entries: "3", bytes: "15", inUse: "0" };
    for (const dryRun of [true, false]) {
      const reply = await remote.call("Remove", { ...request, dryRun });
      assert.deepEqual(reply, { ...expected, nextPageToken: "" });
    }
    assert.deepEqual(await keysOf(remote, "ns"), ["a", "z"]);
    assert.deepEqual(await keysOf(remote, "other"), ["run"]);
    const all = await remote.call<RemoveReply>("Remove", { namespace: "ns" });
    assert.equal(all.entries, "2");
    const { namespaces } = await remote.call<{ namespaces: unknown[] }>(
      "Usage",
    );
    assert.equal(namespaces.length, 1);
  });
});

Deno.test("nothing that is young, being computed or being read is removed", async () => {
  await withSiteHere(async ({ remote, local }) => {
    const { id } = await remote.assigned("ns", "computed");
    await remote.put("ns", "free", "v");
    await remote.put("ns", "read", "v");
    const { last } = await local.fetched("ns", "read", { path: true });
    for (const age of ["olderThanMs", "unreadForMs"]) {
      const young = { namespace: "ns", [age]: 3_600_000 };
      assert.equal((await removeAll(remote, young)).entries, 0, age);
    }
    const reply = await remote.call("Remove", { namespace: "ns" });
    assert.deepEqual(reply, {
      entries: "1",
      bytes: "1",
      inUse: "2",
      nextPageToken: "",
    });
    assert.equal(await Deno.readTextFile(last.ready!.path), "v");
    await remote.publish(id, [bytesOf("v")]);
    await local.call("Release", { handle: last.ready!.handle });
    assert.equal((await removeAll(remote, { namespace: "ns" })).entries, 2);
    assert.deepEqual(await keysOf(remote, "ns"), []);
  });
});

Deno.test("pages of a removal leave room for others, and for what they publish", async () => {
  await withSiteHere(async ({ remote, local }) => {
    const keys = Array.from({ length: 1_050 }, (_, at) => `k${10_000 + at}`);
    for (let at = 0; at < keys.length; at += 50) {
      const some = keys.slice(at, at + 50);
      await Promise.all(some.map((key) => remote.put("ns", key, "old")));
    }
    // Somebody computes what is removed again, while it is removed.
    const published = new Set<string>();
    const state = { isOver: false };
    const publishing = (async () => {
      for (let at = 0; !state.isOver && at < keys.length; at += 20) {
        const { last } = await local.fetched("ns", keys[at]!);
        if (!last.assigned) continue;
        await local.publish(last.assigned.id, [bytesOf("new")]);
        published.add(keys[at]!);
      }
    })();
    const { entries, pages, inUse } = await removeAll(remote, {
      namespace: "ns",
    });
    state.isOver = true;
    await publishing;
    assert.ok(pages >= 3, `${pages} pages`);
    const left = await keysOf(remote, "ns");
    // What is left was published anew; what was is gone but for that.
    for (const key of left) {
      assert.ok(published.has(key), `${key} was left behind`);
      const { bytes } = await remote.fetched("ns", key);
      assert.equal(new TextDecoder().decode(bytes), "new");
    }
    assert.ok(entries + inUse >= keys.length - published.size);
  });
});

Deno.test("a removal says what is wrong with its request", async () => {
  await withSiteHere(async ({ remote }) => {
    for (
      const [request, message] of [
        [{ namespace: "no spaces" }, /namespace/],
        [{ namespace: "ns", pageToken: "nonsense" }, /token/],
      ] as const
    ) {
      const call = remote.call("Remove", request);
      await rejectsWith("INVALID_ARGUMENT", call, message);
    }
  });
});
