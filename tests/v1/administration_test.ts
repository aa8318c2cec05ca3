/**
 * What is kept can be looked at, counted and taken away.
 */

import assert from "node:assert/strict";
import { bytesOf } from "../support/clients.ts";
import { rejectsWith } from "../support/status.ts";
import { sha256 } from "./client.ts";
import { withSiteHere } from "./support.ts";

interface Info {
  readonly key: Uint8Array;
  readonly status: number;
  readonly size: string;
  readonly sha256: Uint8Array;
}
interface Listed {
  readonly entries: readonly Info[];
  readonly nextPageToken: string;
}

Deno.test("entries are listed by key, a page at a time", async () => {
  await withSiteHere(async ({ remote, local }) => {
    const keys = Array.from({ length: 7 }, (_, at) => `k${at}`);
    for (const key of keys) await remote.put("ns", key, key);
    await remote.assigned("ns", "working");
    const found: string[] = [];
    let pageToken = "";
    do {
      const page: Listed = await local.call("List", {
        namespace: "ns",
        pageSize: 3,
        pageToken,
      });
      assert.ok(page.entries.length <= 3);
      for (const { key, status, size } of page.entries) {
        found.push(new TextDecoder().decode(key));
        assert.equal(status, size === "0" ? 1 : 2);
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(found, [...keys, "working"]);
    const none: Listed = await local.call("List", { namespace: "other" });
    assert.deepEqual(none.entries, []);
  });
});

Deno.test("pages of large keys are short", async () => {
  await withSiteHere(async ({ remote }) => {
    const large = (at: number) => String.fromCharCode(65 + at).repeat(60_000);
    for (let at = 0; at < 30; at++) await remote.put("ns", large(at), "v");
    let pageToken = "";
    let found = 0;
    do {
      const page: Listed = await remote.call("List", {
        namespace: "ns",
        pageToken,
      });
      assert.ok(page.entries.length < 20);
      found += page.entries.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.equal(found, 30);
  });
});

Deno.test("an entry can be looked up and deleted", async () => {
  await withSiteHere(async ({ remote }) => {
    const entry = { namespace: "ns", key: bytesOf("k") };
    await rejectsWith("NOT_FOUND", remote.call("Stat", entry));
    assert.deepEqual(await remote.call("Delete", entry), { deleted: false });
    const { id } = await remote.assigned("ns", "k");
    assert.equal((await remote.call<Info>("Stat", entry)).status, 1);
    await rejectsWith("FAILED_PRECONDITION", remote.call("Delete", entry));
    const another = { ...entry, sha256: sha256(bytesOf("another")) };
    assert.deepEqual(await remote.call("Delete", another), { deleted: false });
    await remote.publish(id, [bytesOf("value")]);
    assert.equal((await remote.call<Info>("Stat", entry)).size, "5");
    assert.deepEqual(await remote.call("Delete", entry), { deleted: true });
    await rejectsWith("NOT_FOUND", remote.call("Stat", entry));
    await rejectsWith("INVALID_ARGUMENT", remote.call("Heartbeat", { id }));
    assert.notEqual((await remote.assigned("ns", "k")).id, id);
  });
});

Deno.test("usage counts what is kept, and a sweep takes away what has to go", async () => {
  await withSiteHere(async ({ remote }) => {
    await remote.put("b", "k", "12345");
    await remote.put("a.x", "k", "123");
    await remote.put("a.x", "l", "1");
    const before = await remote.call<Record<string, unknown>>("Usage");
    assert.deepEqual(before["namespaces"], [
      { namespace: "a.x", entries: "2", bytes: "4" },
      { namespace: "b", entries: "1", bytes: "5" },
    ]);
    assert.match(`${before["version"]}`, /^\d+\.\d+\.\d+$/);
    const swept = await remote.call("Sweep");
    assert.deepEqual(swept, { evictedEntries: "0", evictedBytes: "0" });
  });
});

Deno.test("bad requests say what is wrong with them", async () => {
  await withSiteHere(async ({ remote, local }) => {
    const bad = [
      ["Stat", { namespace: "no spaces" }, /namespace/],
      ["List", { namespace: "Cache.toml" }, /namespace/],
      ["List", { namespace: "ns", pageSize: 501 }, /500/],
      ["List", { namespace: "ns", pageToken: "nonsense" }, /token/],
      ["Delete", { namespace: "ns", key: new Uint8Array(70_000) }, /key/],
      ["Delete", { namespace: "ns", sha256: new Uint8Array(5) }, /32 bytes/],
      ["Heartbeat", { id: "7" }, /invalid assignment id/],
      ["Abandon", { id: "7" }, /invalid assignment id/],
      ["Release", { handle: "7" }, /invalid handle id/],
    ] as const;
    for (const [method, request, message] of bad) {
      const call = remote.call(method, request);
      await rejectsWith("INVALID_ARGUMENT", call, message);
    }
    const { id } = await remote.assigned("ns", "k");
    const begin = { id };
    const chunk = new Uint8Array(1);
    const end = { size: 1, sha256: sha256(chunk) };
    const short = { size: 1, sha256: new Uint8Array(5) };
    const path = { id, path: true };
    const publishes = [
      [[], /first message/],
      [[{ chunk }], /first message/],
      [[{}], /first message/],
      [[{ begin }, { begin }], /only pieces and an End/],
      [[{ begin }, { chunk }], /has no End; .* is still yours/],
      [[{ begin }], /has no End/],
      [[{ begin }, { chunk }, { end: short }], /32 bytes/],
      [[{ begin }, { chunk }, { end: {} }], /32 bytes/],
      [[{ begin }, { chunk }, { end }, { chunk }], /nothing follows End/],
      [[{ begin }, { chunk }, { end }, { end }], /nothing follows End/],
      [[{ end }], /first message/],
      [[{ begin: { id: "7" } }], /invalid assignment id/],
    ] as const;
    for (const [parts, message] of publishes) {
      const call = remote.publishParts(parts);
      await rejectsWith("INVALID_ARGUMENT", call, message);
    }
    for (
      const [parts, message] of [
        [[{ begin: path }, { chunk }, { end }], /no pieces follow a path/],
        [[{ begin: path }, { end }], /of a path are not checked/],
        [[{ begin: path }], /has no End/],
      ] as const
    ) {
      const call = local.publishParts(parts);
      await rejectsWith("INVALID_ARGUMENT", call, message);
    }
    await remote.publish(id, [chunk]);
  });
});
