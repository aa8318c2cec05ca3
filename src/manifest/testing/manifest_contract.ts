/**
 * What every manifest must do: one suite that each implementation runs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { sha256Hex } from "../../../workers/digest.ts";
import { FakeClock } from "../../clock.ts";
import { LarderError } from "../../errors.ts";
import { MAX_KEY_BYTES } from "../../limits.ts";
import type { Digest, EntryKey, Row } from "../../table/types.ts";
import type { Manifest, Page } from "../manifest.ts";

/** A fresh, empty manifest under test. */
export interface OpenedForTest {
  /** The manifest; the suite closes it. */
  readonly manifest: Manifest;
  /** Opens what the manifest left behind, after it was closed. */
  readonly reopen?: () => Promise<Manifest>;
  /** Takes away what it lay in, once everything is closed. */
  readonly discard?: () => void;
}

/** An entry with the given key. */
export function entryOf(key: string | Uint8Array, namespace = "a.b"): EntryKey {
  const bytes = typeof key === "string" ? new TextEncoder().encode(key) : key;
  return { name: `${namespace}/${sha256Hex(bytes)}`, namespace, key: bytes };
}

/** Some digest. */
export function digestOf(value: string): Digest {
  const bytes = new TextEncoder().encode(value);
  return { size: bytes.length, sha256: sha256Hex(bytes) };
}

/** A check for `assert.rejects`: a `LarderError` with this code. */
export function withCode(code: LarderError["code"]): (error: Error) => boolean {
  return (error) => error instanceof LarderError && error.code === code;
}

/** Every item of every page. */
export async function collect<T>(
  pageAt: (cursor?: string) => Promise<Page<T>>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = await pageAt(cursor);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

const A = entryOf("A");
const B = entryOf("B");

/**
 * Makes a fresh manifest that reads this wall clock. `originals` are ready, as
 * the original server left them: nothing is known but their keys.
 */
export type OpenForTest = (
  wallMs: () => number,
  originals: readonly EntryKey[],
) => Promise<OpenedForTest>;

/** Registers a test of the contract. */
export type ContractTest = (
  story: string,
  body: (opened: OpenedForTest & { clock: FakeClock }) => Promise<void>,
  originals?: readonly EntryKey[],
) => void;

/** What registers the tests of an implementation: they start with its name. */
export function contractTest(name: string, open: OpenForTest): ContractTest {
  return (story, body, originals = []) => {
    Deno.test(`${name} ${story}`, async () => {
      const clock = new FakeClock();
      const opened = await open(() => clock.wallMs(), originals);
      try {
        await using _manifest = opened.manifest;
        await body({ ...opened, clock });
      } finally {
        opened.discard?.();
      }
    });
  };
}

/** Registers the contract's tests on entries and who works on them. */
export function manifestContract(name: string, open: OpenForTest): void {
  const test = contractTest(name, open);

  test("claims an entry once and returns the row that is there", async ({ manifest, clock }) => {
    assert.equal(await manifest.find(A), undefined);
    const assignment = { id: "7", staging: "s7" };
    assert.equal(await manifest.claim(A, assignment), undefined);
    const assignedMs = clock.wallMs();
    const row: Row = { ...A, status: "loading", ...assignment, assignedMs };
    clock.advance(1);
    assert.deepEqual(await manifest.find(A), row);
    assert.deepEqual(await manifest.claim(A, { id: "8" }), row);
    assert.deepEqual(await manifest.find(A), row);
    assert.equal(await manifest.claim(B, { id: "8" }), undefined);
    assert.deepEqual(await manifest.find(B), {
      ...B,
      status: "loading",
      id: "8",
      assignedMs: assignedMs + 1,
    });
  });

  test("gives the grace of a start once, until the holder is heard", async ({ manifest }) => {
    const found = async (entry: EntryKey) => {
      const row = await manifest.find(entry);
      return row?.status === "loading" ? row.graceEndsMs : row?.status;
    };
    await manifest.claim(A, { id: "1", staging: "s1" });
    await manifest.grace(50.5);
    await manifest.claim(B, { id: "2" });
    assert.equal(await found(A), 50);
    assert.equal(await found(B), undefined);
    await manifest.grace(99);
    assert.equal(await found(A), 50);
    assert.equal(await found(B), 99);
    assert.deepEqual(
      (await collect((cursor) => manifest.unsettled(cursor))).map((row) =>
        row.status === "loading" && row.graceEndsMs
      ),
      [50, 99],
    );
    assert.equal(await manifest.renewed(A, "2"), false);
    assert.equal(await found(A), 50);
    assert.equal(await manifest.renewed(A, "1"), true);
    assert.equal(await found(A), undefined);
    const expected = { status: "loading", id: "2" } as const;
    assert.equal(await manifest.reassign(B, expected, { id: "3" }), true);
    assert.equal(await found(B), undefined);
    await manifest.grace(120);
    assert.equal(await manifest.publish(B, "3", digestOf("x")), true);
    assert.equal(await manifest.renewed(B, "3"), false);
    assert.equal(await manifest.evict(B, "3"), true);
    assert.equal(await found(B), "evicting");
  });

  test("keeps the order of the calls of one turn", async ({ manifest, clock }) => {
    const digest = digestOf("x");
    const answers = await Promise.all([
      manifest.claim(A, { id: "1" }),
      manifest.claim(A, { id: "2" }),
      manifest.publish(A, "1", digest),
      manifest.publish(A, "2", digest),
      manifest.evict(A, "1"),
      manifest.find(A),
      manifest.remove(A, { status: "evicting", id: "1" }),
      manifest.find(A),
    ]);
    assert.deepEqual(answers, [
      undefined,
      { ...A, status: "loading", id: "1", assignedMs: clock.wallMs() },
      true,
      false,
      true,
      { ...A, status: "evicting", id: "1" },
      true,
      undefined,
    ]);
  });

  test("reassigns only what is as expected", async ({ manifest, clock }) => {
    const expected = { status: "loading", id: "1" } as const;
    const next = { id: "2", staging: "s2" };
    assert.equal(await manifest.reassign(A, expected, next), undefined);
    await manifest.claim(A, { id: "1", staging: "s1" });
    await manifest.record(A, "1", digestOf("of the first"));
    assert.equal(await manifest.reassign(A, expected, next), true);
    const assignedMs = clock.wallMs();
    const row = { ...A, status: "loading", ...next, assignedMs };
    assert.deepEqual(await manifest.find(A), row, "its digest went with it");
    assert.deepEqual(
      await manifest.reassign(A, expected, { id: "3" }),
      row,
    );
    assert.deepEqual(
      await manifest.reassign(A, { status: "loading", id: undefined }, {
        id: "3",
      }),
      row,
    );
    assert.equal(await manifest.findId("1"), undefined);
    const digest = digestOf("x");
    await manifest.publish(A, "2", digest);
    assert.deepEqual(
      await manifest.reassign(A, { status: "ready", id: "2" }, { id: "3" }),
      {
        ...A,
        status: "ready",
        id: "2",
        digest,
        handedMs: clock.wallMs(),
        computedMs: 0,
      },
      "a ready row is never given to an assignment",
    );
  });

  test("records a digest and leaves the row loading", async ({ manifest, clock }) => {
    const digest = digestOf("x");
    assert.equal(await manifest.record(A, "1", digest), false);
    await manifest.claim(A, { id: "1", staging: "s" });
    assert.equal(await manifest.record(A, "2", digest), false);
    assert.equal(await manifest.record(A, "1", digest), true);
    assert.deepEqual(await manifest.find(A), {
      ...A,
      status: "loading",
      id: "1",
      staging: "s",
      assignedMs: clock.wallMs(),
      digest,
    });
    await manifest.publish(A, "1", digest);
    assert.equal(await manifest.record(A, "1", digestOf("y")), false);
  });

  test("publishes for the holder, once, and keeps the id", async ({ manifest, clock }) => {
    const digest = { ...digestOf("x"), size: 2 ** 40 };
    assert.equal(await manifest.publish(A, "1", digest), false);
    await manifest.claim(A, { id: "1", staging: "s" });
    assert.equal(await manifest.publish(A, "2", digest), false);
    assert.equal(await manifest.publish(A, "1", digest), true);
    const handedMs = clock.wallMs();
    const row = {
      ...{ ...A, status: "ready", id: "1", digest, handedMs },
      computedMs: 0,
    };
    assert.deepEqual(await manifest.find(A), row);
    assert.deepEqual(await manifest.findId("1"), row);
    assert.equal(await manifest.publish(A, "1", digestOf("y")), false);
    assert.equal(await manifest.complete(A, "2", digestOf("y")), false);
    assert.deepEqual(await manifest.find(A), row);
  });

  test("evicts and removes only what is as expected", async ({ manifest }) => {
    assert.equal(await manifest.evict(A, undefined), false);
    await manifest.claim(A, { id: "1" });
    assert.equal(await manifest.evict(A, "1"), false, "loading");
    assert.equal(
      await manifest.remove(A, { status: "ready", id: "1" }),
      false,
    );
    await manifest.publish(A, "1", digestOf("x"));
    assert.equal(await manifest.evict(A, "2"), false);
    assert.equal(await manifest.evict(A, undefined), false);
    assert.equal(await manifest.evict(A, "1"), true);
    const evicting: Row = { ...A, status: "evicting", id: "1" };
    assert.deepEqual(await manifest.claim(A, { id: "3" }), evicting);
    assert.equal(await manifest.findId("1"), undefined, "the id is void");
    assert.equal(await manifest.publish(A, "1", digestOf("x")), false);
    assert.equal(
      await manifest.remove(A, { status: "evicting", id: undefined }),
      false,
    );
    assert.equal(
      await manifest.remove(A, { status: "evicting", id: "1" }),
      true,
    );
    assert.equal(await manifest.find(A), undefined);
    await manifest.claim(A, { id: "3" });
    assert.equal(
      await manifest.remove(A, { status: "loading", id: "3" }),
      true,
    );
  });

  test("finds ids of 63 bits and none above", async ({ manifest, clock }) => {
    const id = String(2n ** 63n - 1n);
    await manifest.claim(A, { id });
    assert.deepEqual(await manifest.findId(id), {
      ...A,
      status: "loading",
      id,
      assignedMs: clock.wallMs(),
    });
    const others = ["0", "9223372036854775806", String(2n ** 63n)];
    for (const other of [...others, String(2n ** 64n - 1n)]) {
      assert.equal(await manifest.findId(other), undefined, other);
    }
    assert.equal(await manifest.publish(A, id, digestOf("x")), true);
    assert.equal(await manifest.evict(A, id), true);
  });

  test("tells keys apart byte by byte", async ({ manifest, clock }) => {
    const whole = new Uint8Array(MAX_KEY_BYTES).fill(1);
    const entries = [
      entryOf(""),
      entryOf(Uint8Array.of(0)),
      entryOf(Uint8Array.of(0, 0)),
      entryOf(Uint8Array.of(255)),
      entryOf(whole),
      entryOf(whole.subarray(1)),
      entryOf("", "a.c"),
    ];
    const claims = entries.map((entry, index) =>
      manifest.claim(entry, { id: `${index + 1}` })
    );
    const assignedMs = clock.wallMs();
    for (const claim of await Promise.all(claims)) {
      assert.equal(claim, undefined);
    }
    for (const [index, entry] of entries.entries()) {
      const id = `${index + 1}`;
      const row = { ...entry, status: "loading", id, assignedMs };
      assert.deepEqual(await manifest.findId(id), row);
    }
  });

  test("pages what is not ready", async ({ manifest }) => {
    const entries = Array.from({ length: 1_203 }, (_, i) => entryOf(`${i}`));
    const digest = digestOf("x");
    await Promise.all(entries.flatMap((entry, index) => {
      const id = `${index + 1}`;
      const claim = manifest.claim(entry, { id });
      if (index % 3 === 0) return [claim];
      const publish = manifest.publish(entry, id, digest);
      if (index % 3 === 1) return [claim, publish];
      return [claim, publish, manifest.evict(entry, id)];
    }));
    const rows = await collect((cursor) => manifest.unsettled(cursor));
    const status = new Map(rows.map((row) => [row.name, row.status]));
    assert.equal(rows.length, 802);
    for (const [index, { name }] of entries.entries()) {
      const expected = ["loading", undefined, "evicting"][index % 3];
      assert.equal(status.get(name), expected, `${index}`);
    }
  });

  test("pages assignments made before a time", async ({ manifest, clock }) => {
    const entries = Array.from({ length: 1_100 }, (_, i) => entryOf(`${i}`));
    const claims = entries.map((entry, index) =>
      manifest.claim(entry, { id: `${index + 1}` })
    );
    await Promise.all([
      ...claims,
      manifest.claim(A, { id: "10001" }),
      manifest.claim(B, { id: "10002" }),
    ]);
    clock.advance(1_000);
    const expected = { status: "loading", id: "10001" } as const;
    await manifest.reassign(A, expected, { id: "10003" });
    await manifest.publish(B, "10002", digestOf("x"));
    await manifest.claim(entryOf("late"), { id: "10004" });
    const before = clock.wallMs();
    const rows = await collect((cursor) => manifest.stale(before, cursor));
    assert.deepEqual(
      new Set(rows.map((row) => row.id)),
      new Set(entries.map((_, index) => `${index + 1}`)),
    );
    assert.equal(rows.length, entries.length);
    const none = await manifest.stale(before - 1_000);
    assert.deepEqual(none, { items: [] });
    const all = await collect((cursor) => manifest.stale(before + 1, cursor));
    assert.equal(all.length, entries.length + 2, "no ready row among them");
  });

  test("pages the blob names of a namespace", async ({ manifest }) => {
    const entries = Array.from({ length: 1_100 }, (_, i) => entryOf(`${i}`));
    entries.push(entryOf(""));
    await Promise.all([
      ...entries.map((entry, i) => manifest.claim(entry, { id: `${i + 1}` })),
      manifest.publish(entries[0] ?? A, "1", digestOf("x")),
      manifest.claim(entryOf("elsewhere", "a.c"), { id: "10001" }),
    ]);
    const names = await collect((cursor) => manifest.names("a.b", cursor));
    assert.deepEqual(
      names.toSorted(),
      entries.map((entry) => sha256Hex(entry.key)).sort(),
    );
    assert.deepEqual(await manifest.names("a"), { items: [] });
  });

  test("fails a repeated id alone, not what came with it", async ({ manifest }) => {
    const [first, second, third] = await Promise.allSettled([
      manifest.claim(A, { id: "1" }),
      manifest.claim(B, { id: "1" }),
      manifest.claim(entryOf("C"), { id: "3" }),
    ]);
    assert.equal(first.status, "fulfilled");
    assert.equal(third.status, "fulfilled");
    assert.ok(second.status === "rejected");
    assert.ok(withCode("manifest-failed")(second.reason));
    assert.equal(await manifest.find(B), undefined);
    assert.equal((await manifest.findId("1"))?.name, A.name);
  });

  test("settles what was called before it was closed", async ({ manifest }) => {
    const claim = manifest.claim(A, { id: "1" });
    await Promise.all([manifest.close(), manifest.close()]);
    assert.equal(await claim, undefined);
    await assert.rejects(manifest.find(A), withCode("manifest-failed"));
    await manifest.close();
  });

  test("finds everything again after a restart", async ({ manifest, reopen, clock }) => {
    assert.equal(manifest.servedBefore, false);
    if (!reopen) return;
    const digest = digestOf("x");
    const C = entryOf("C");
    await Promise.all([
      manifest.claim(A, { id: "1", staging: "s" }),
      manifest.record(A, "1", digest),
      manifest.claim(B, { id: "2" }),
      manifest.publish(B, "2", digest),
      manifest.claim(C, { id: "3" }),
      manifest.publish(C, "3", digest),
      manifest.evict(C, "3"),
    ]);
    await manifest.close();
    await using again = await reopen();
    assert.equal(again.servedBefore, true);
    const loading = {
      ...A,
      status: "loading",
      id: "1",
      staging: "s",
      assignedMs: clock.wallMs(),
      digest,
    };
    assert.deepEqual(await again.find(A), loading);
    const ready = { ...B, status: "ready", id: "2", digest, computedMs: 0 };
    assert.deepEqual(await again.findId("2"), ready);
    const rows = await collect((cursor) => again.unsettled(cursor));
    assert.deepEqual(new Set(rows.map((row) => row.id)), new Set(["1", "3"]));
  });
}
