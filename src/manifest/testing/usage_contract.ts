/**
 * What every manifest must tell those who make room, and people: the second
 * half of the contract's suite.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_KEY_BYTES } from "../../limits.ts";
import type { EntryKey } from "../../table/types.ts";
import type { AgedEntry, Manifest, Page } from "../manifest.ts";
import { MAX_USES } from "../manifest.ts";
import {
  collect,
  contractTest,
  digestOf,
  entryOf,
  type OpenForTest,
} from "./manifest_contract.ts";

const A = entryOf("A");
const B = entryOf("B");
const C = entryOf("C", "a.c");
const X = digestOf("x");

/** Publishes an entry; with a staging file a path to it was given out. */
async function publish(
  manifest: Manifest,
  entry: EntryKey,
  id: string,
  { staging, size = 1 }: { staging?: string; size?: number } = {},
): Promise<void> {
  await Promise.all([
    manifest.claim(entry, { id, ...(staging !== undefined && { staging }) }),
    manifest.publish(entry, id, { ...X, size }),
  ]);
}

/** Every ready entry of a namespace by age, in pages of this many. */
function oldest(
  manifest: Manifest,
  { handedBeforeMs = Infinity, limit = 2 } = {},
): Promise<AgedEntry[]> {
  return collect((cursor) =>
    manifest.oldest("a.b", {
      limit,
      handedBeforeMs,
      ...(cursor !== undefined && { cursor }),
    })
  );
}

function keysOf(entries: readonly EntryKey[]): string[] {
  return entries.map(({ key }) => new TextDecoder().decode(key));
}

/** Registers the contract's tests on usage, age, and what people ask. */
export function usageContract(name: string, open: OpenForTest): void {
  const test = contractTest(name, open);

  test("counts what is ready, and forgets an empty namespace", async ({ manifest }) => {
    assert.deepEqual(await manifest.usage(), []);
    await manifest.claim(A, { id: "1" });
    assert.deepEqual(await manifest.usage(), [], "loading takes nothing");
    await manifest.publish(A, "1", { ...X, size: 2 ** 40 });
    await publish(manifest, B, "2", { size: 7 });
    await publish(manifest, C, "3", { size: 0 });
    assert.deepEqual(await manifest.usage(), [
      { namespace: "a.b", entries: 2, bytes: 2 ** 40 + 7 },
      { namespace: "a.c", entries: 1, bytes: 0 },
    ]);
    await manifest.evict(A, "1");
    await manifest.evict(C, "3");
    const rest = [{ namespace: "a.b", entries: 1, bytes: 7 }];
    assert.deepEqual(await manifest.usage(), rest);
    await manifest.remove(A, { status: "evicting", id: "1" });
    assert.deepEqual(await manifest.usage(), rest);
    await manifest.remove(B, { status: "ready", id: "2" });
    assert.deepEqual(await manifest.usage(), []);
  });

  test("pages the usage by namespace", async ({ manifest }) => {
    for (const [index, namespace] of ["c", "a", "b.c", "b"].entries()) {
      await publish(manifest, entryOf("k", namespace), `${index + 1}`);
    }
    const all = await manifest.usage();
    assert.deepEqual(all.map(({ namespace }) => namespace), [
      ...["a", "b", "b.c", "c"],
    ]);
    for (const limit of [1, 2, 3, 4, 5]) {
      const paged = await collect((cursor) =>
        manifest.usagePage({
          limit,
          ...(cursor !== undefined && { cursor }),
        })
      );
      assert.deepEqual(paged, all, `in pages of ${limit}`);
    }
  });

  test("pages also namespaces that hold no value", async ({ manifest }) => {
    await publish(manifest, B, "1", { size: 7 });
    await manifest.claim(entryOf("k", "a"), { id: "2" });
    await manifest.claim(entryOf("k", "z"), { id: "3" });
    await manifest.claim(entryOf("l", "z"), { id: "4" });
    assert.deepEqual(await manifest.usagePage({ limit: 5 }), {
      items: [
        { namespace: "a", entries: 0, bytes: 0 },
        { namespace: "a.b", entries: 1, bytes: 7 },
        { namespace: "z", entries: 0, bytes: 0 },
      ],
    });
  });

  test("finds the oldest of all namespaces, or of those below one", async ({ manifest, clock }) => {
    const names = ["b", "a.b", "a.c", "a", "a.b.c", "a_.b", "a0"];
    const entries = names.map((namespace) => entryOf(namespace, namespace));
    for (const [index, entry] of entries.entries()) {
      clock.advance(10);
      await publish(manifest, entry, `${index + 1}`, {
        ...(index === 2 && { staging: "s" }),
      });
    }
    await manifest.claim(entryOf("loading", "a.d"), { id: "10" });
    const found = async (pattern: string, handedBeforeMs = Infinity) =>
      keysOf(
        await collect((cursor) =>
          manifest.oldest(pattern, {
            limit: 2,
            handedBeforeMs,
            ...(cursor !== undefined && { cursor }),
          })
        ),
      );
    assert.deepEqual(await found("*"), names);
    assert.deepEqual(await found("a.*"), ["a.b", "a.c", "a.b.c"]);
    assert.deepEqual(await found("a.*", clock.wallMs() - 100), [
      ...["a.b", "a.b.c"],
    ]);
    assert.deepEqual(await found("a"), ["a"]);
    assert.deepEqual(await found("none.*"), []);
    await manifest.touch([
      { entry: entries[0]!, accessedMs: clock.wallMs() + 1, handed: false },
    ]);
    await manifest.evict(entries[3]!, "4");
    const rest = ["a.b", "a.c", "a.b.c", "a_.b", "a0", "b"];
    assert.deepEqual(await found("*"), rest);
    const [first] = (await manifest.oldest("*", { limit: 1 })).items;
    assert.equal(first?.name, entries[1]!.name);
  });

  test("bounds a page in bytes of keys, too", async ({ manifest, clock }) => {
    const long = Array.from({ length: 40 }, (_, index) => {
      const key = new Uint8Array(MAX_KEY_BYTES);
      key[0] = index;
      return entryOf(key, `n${index % 20}`);
    });
    await Promise.all(
      long.map((entry, index) => manifest.claim(entry, { id: `${index + 1}` })),
    );
    const bounded = async <T>(
      what: string,
      pageAt: (cursor?: string) => Promise<Page<T>>,
      most = 16,
    ) => {
      const pages: number[] = [];
      await collect(async (cursor) => {
        const page = await pageAt(cursor);
        pages.push(page.items.length);
        return page;
      });
      const all = pages.reduce((sum, items) => sum + items, 0);
      assert.equal(all, 40, what);
      assert(Math.max(...pages) <= most, `${what}: ${pages}`);
    };
    await bounded("unsettled", (cursor) => manifest.unsettled(cursor));
    const later = clock.wallMs() + 1;
    await bounded("stale", (cursor) => manifest.stale(later, cursor));
    await Promise.all(
      long.map((entry, index) => manifest.publish(entry, `${index + 1}`, X)),
    );
    const oldest = (keyBytes?: number) => (cursor?: string) =>
      manifest.oldest("*", {
        limit: 500,
        ...(keyBytes !== undefined && { keyBytes }),
        ...(cursor !== undefined && { cursor }),
      });
    await bounded("oldest", oldest());
    await bounded("fewer", oldest(3 * MAX_KEY_BYTES), 3);
    await bounded("one at least", oldest(1), 1);
  });

  test("knows the usage again after a restart", async ({ manifest, reopen }) => {
    if (!reopen) return;
    await publish(manifest, A, "1", { size: 7 });
    await manifest.close();
    await using again = await reopen();
    const expected = [{ namespace: "a.b", entries: 1, bytes: 7 }];
    assert.deepEqual(await again.usage(), expected);
  });

  test("measures what the original server left", async ({ manifest }) => {
    assert.deepEqual(await manifest.usage(), [
      { namespace: "a.b", entries: 2, bytes: 0 },
      { namespace: "a.c", entries: 1, bytes: 0 },
    ]);
    await publish(manifest, entryOf("ours"), "1");
    assert.deepEqual(
      await collect((cursor) => manifest.unmeasured(cursor)),
      [A, B, C],
    );
    const found = { size: 9, accessedMs: 5_000.7 };
    assert.equal(await manifest.measure(A, found), true);
    assert.equal(await manifest.measure(A, { ...found, size: 1 }), false);
    assert.equal(await manifest.measure(entryOf("none"), found), false);
    assert.deepEqual(await manifest.find(A), { ...A, status: "ready" });
    assert.deepEqual(await manifest.stat(A), {
      ...A,
      status: "ready",
      size: 9,
      accessedMs: 5_000,
    });
    // Used before it was measured: the file does not know that.
    await manifest.touch([{ entry: B, accessedMs: 8_000, handed: false }]);
    assert.equal(await manifest.measure(B, found), true);
    assert.equal((await manifest.stat(B))?.accessedMs, 8_000);
    assert.deepEqual(
      await collect((cursor) => manifest.unmeasured(cursor)),
      [C],
    );
    assert.equal(await manifest.complete(A, "2", { ...X, size: 10 }), true);
    assert.deepEqual(await manifest.usage(), [
      { namespace: "a.b", entries: 3, bytes: 20 },
      { namespace: "a.c", entries: 1, bytes: 0 },
    ]);
    assert.deepEqual(await manifest.measure(A, found), false);
  }, [A, B, C]);

  const many = Array.from({ length: 4_500 }, (_, i) => entryOf(`${i}`));

  test(
    "pages what is unmeasured among very much that is not",
    async ({ manifest }) => {
      const last = many.slice(-3);
      const found = { size: 1, accessedMs: 1 };
      await Promise.all(
        many.slice(0, -3).map((entry) => manifest.measure(entry, found)),
      );
      assert.deepEqual(
        await collect((cursor) => manifest.unmeasured(cursor)),
        last,
      );
    },
    many,
  );

  test("pages ready entries by age", async ({ manifest, clock }) => {
    const entries = ["d", "c", "b", "a", "e"].map((key) => entryOf(key));
    for (const [index, entry] of entries.entries()) {
      // The first three at the same time.
      if (index > 2) clock.advance(10);
      await publish(manifest, entry, `${index + 1}`, { size: index });
    }
    await publish(manifest, C, "9");
    await manifest.claim(entryOf("loading"), { id: "10" });
    assert.deepEqual(keysOf(await oldest(manifest)), [..."dcbae"]);
    await manifest.touch([
      { entry: entries[0]!, accessedMs: clock.wallMs() + 1, handed: false },
    ]);
    const all = await oldest(manifest);
    assert.deepEqual(keysOf(all), [..."cbaed"]);
    assert.deepEqual(all[0], {
      ...entries[1],
      size: 1,
      accessedMs: clock.wallMs() - 20,
    });
    assert.deepEqual(await manifest.oldest("a", { limit: 9 }), { items: [] });
    assert.equal(
      (await manifest.oldest("a.b", { limit: 2 })).items.length,
      2,
      "no more than wanted",
    );
  });

  test("goes on by age where rows of the page before are gone", async ({ manifest }) => {
    for (const index of [1, 2, 3, 4, 5]) {
      await publish(manifest, entryOf(`${index}`), `${index}`);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page: Page<AgedEntry> = await manifest.oldest("a.b", {
        limit: 2,
        ...(cursor !== undefined && { cursor }),
      });
      seen.push(...keysOf(page.items));
      for (const entry of page.items) {
        const [id = ""] = keysOf([entry]);
        await manifest.remove(entry, { status: "ready", id });
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.deepEqual(seen, ["1", "2", "3", "4", "5"]);
  });

  test("leaves out by age what was handed out since", async ({ manifest, clock }) => {
    const start = clock.wallMs();
    await publish(manifest, A, "1", { staging: "s" });
    await publish(manifest, B, "2");
    assert.deepEqual(
      keysOf(await oldest(manifest, { handedBeforeMs: start })),
      ["B"],
      "whoever wrote A was given a path; nobody was given one to B",
    );
    const later = { handedBeforeMs: start + 1 };
    assert.deepEqual(keysOf(await oldest(manifest, later)), ["A", "B"]);
    const accessedMs = start + 1;
    await manifest.touch([
      { entry: A, accessedMs, handed: false },
      { entry: B, accessedMs, handed: true },
    ]);
    assert.deepEqual(keysOf(await oldest(manifest, later)), ["A"]);
  });

  test("finds the one that was not handed out behind very many", async ({ manifest, clock }) => {
    const at = clock.wallMs();
    await Promise.all(
      many.map((entry, index) =>
        publish(manifest, entry, `${index + 1}`, { staging: `s${index}` })
      ),
    );
    await publish(manifest, A, "10000");
    assert.deepEqual(
      keysOf(await oldest(manifest, { handedBeforeMs: at, limit: 3 })),
      ["A"],
    );
    assert.equal((await oldest(manifest, { limit: 1_000 })).length, 4_501);
  });

  test("writes uses of ready rows, never back in time", async ({ manifest, clock }) => {
    await publish(manifest, A, "1");
    await manifest.claim(B, { id: "2", staging: "s" });
    const at = clock.wallMs();
    const use = (entry: EntryKey, sinceMs: number, handed: boolean) => ({
      entry,
      accessedMs: at + sinceMs,
      handed,
    });
    await manifest.touch([]);
    await manifest.touch([
      use(A, 50, true),
      use(A, 70.5, false),
      use(B, 50, true),
      use(entryOf("none"), 50, true),
      use(A, 20, true),
      use(A, 10, false),
    ]);
    assert.equal((await manifest.stat(A))?.accessedMs, at + 70);
    const computed = { computedMs: 0 };
    const ready = { ...A, status: "ready", id: "1", digest: X, ...computed };
    assert.deepEqual(await manifest.find(A), { ...ready, handedMs: at + 50 });
    assert.deepEqual(await manifest.findId("1"), {
      ...ready,
      handedMs: at + 50,
    });
    const work = { id: "2", staging: "s", assignedMs: clock.wallMs() };
    const loading = { ...B, status: "loading", ...work };
    assert.deepEqual(await manifest.find(B), loading);
    assert.equal((await manifest.stat(B))?.accessedMs, undefined);
    await manifest.evict(A, "1");
    const evicting = { ...A, status: "evicting", id: "1" };
    assert.deepEqual(await manifest.claim(A, { id: "3" }), evicting);
  });

  test("takes a bounded number of uses at once", async ({ manifest, clock }) => {
    const entries = many.slice(0, MAX_USES + 1);
    await Promise.all(
      entries.map((entry, i) => publish(manifest, entry, `${i + 1}`)),
    );
    const accessedMs = clock.wallMs() + 1;
    const uses = entries.map((entry) => ({ entry, accessedMs, handed: true }));
    await assert.rejects(manifest.touch(uses), RangeError);
    await manifest.touch(uses.slice(1));
    const handed = { handedBeforeMs: accessedMs, limit: 10 };
    assert.deepEqual(keysOf(await oldest(manifest, handed)), ["0"]);
  });

  test("lists the entries of a namespace by key, whatever their status", async ({ manifest, clock }) => {
    const at = clock.wallMs();
    await publish(manifest, B, "1", { size: 3 });
    await manifest.claim(A, { id: "2" });
    const gone = entryOf("");
    await publish(manifest, gone, "3");
    clock.advance(5);
    await manifest.evict(gone, "3");
    await publish(manifest, C, "4");
    const times = { createdMs: at, accessedMs: at, computedMs: 0 };
    const expected = [
      { ...gone, status: "evicting", ...X, ...times },
      { ...A, status: "loading" },
      { ...B, status: "ready", ...X, size: 3, ...times },
    ];
    const listed = (limit: number) =>
      collect((cursor) =>
        manifest.list("a.b", {
          limit,
          ...(cursor !== undefined && { cursor }),
        })
      );
    assert.deepEqual(await listed(1), expected);
    assert.deepEqual(await listed(100), expected);
    const { items } = await manifest.list("a.b", { limit: 2 });
    assert.deepEqual(items, expected.slice(0, 2));
    assert.deepEqual(await manifest.list("a", { limit: 2 }), { items: [] });
    // A page may begin after any key, also one that is not there.
    const after = await manifest.list("a.b", { limit: 1, cursor: "00" });
    assert.deepEqual(after.items, expected.slice(1, 2));
    assert.equal(after.cursor, A.key.toHex());
    assert.deepEqual(await manifest.stat(B), expected[2]);
    assert.equal(await manifest.stat(entryOf("B", "a.c")), undefined);
  });

  test("keeps a time to live from the assignment on, and what computing took", async ({ manifest, clock }) => {
    const digest = digestOf("x");
    await manifest.claim(A, { id: "1", staging: "s", ttlMs: 100 });
    const loading = await manifest.find(A);
    assert.ok(loading?.status === "loading" && loading.ttlMs === 100);
    await manifest.claim(B, { id: "2" });
    const from = { status: "loading", id: "2" } as const;
    await manifest.reassign(B, from, { id: "3", ttlMs: 50 });
    clock.advance(7);
    const at = clock.wallMs();
    await manifest.publish(A, "1", digest);
    await manifest.publish(B, "3", digest);
    const ready = await manifest.find(A);
    assert.ok(ready?.status === "ready");
    assert.equal(ready.expiresMs, at + 100);
    assert.equal(ready.computedMs, 7);
    const info = await manifest.stat(B);
    assert.deepEqual([info?.expiresMs, info?.computedMs], [at + 50, 7]);

    const expired = async (
      atMs: number,
    ) => (await collect((cursor) => manifest.expired(atMs, cursor)));
    const handedMs = at;
    assert.deepEqual(await expired(at + 49), []);
    assert.deepEqual(await expired(at + 50), [{ ...B, size: digest.size }]);
    assert.deepEqual(await expired(at + 100), [
      { ...B, size: digest.size },
      { ...A, size: digest.size, handedMs },
    ]);
    // Whoever takes the work over decides anew.
    await manifest.evict(A, "1");
    await manifest.remove(A, { status: "evicting", id: "1" });
    await manifest.claim(A, { id: "4", ttlMs: 100 });
    await manifest.reassign(A, { status: "loading", id: "4" }, { id: "5" });
    await manifest.publish(A, "5", digest);
    assert.equal((await manifest.stat(A))?.expiresMs, undefined);
  });

  test("keeps whose an id is, as long as it is a row's", async ({ manifest }) => {
    const ownerOf = async (entry: EntryKey) => {
      const row = await manifest.find(entry);
      return row?.status === "evicting" ? undefined : row?.owner;
    };
    await manifest.claim(A, { id: "1", owner: "alice" });
    assert.equal(await ownerOf(A), "alice");
    const from = { status: "loading", id: "1" } as const;
    await manifest.reassign(A, from, { id: "2", owner: "bob" });
    assert.equal(await ownerOf(A), "bob");
    await manifest.publish(A, "2", digestOf("x"));
    assert.equal(await ownerOf(A), "bob");
    const found = await manifest.findId("2");
    assert.ok(found?.status === "ready" && found.owner === "bob");
    await manifest.claim(B, { id: "3" });
    assert.equal(await ownerOf(B), undefined);
  });
}
