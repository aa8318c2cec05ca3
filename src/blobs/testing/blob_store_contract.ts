/**
 * What every blob store must do, as tests. An implementation's test file calls
 * {@linkcode testBlobStore}.
 *
 * @module
 */

import assert from "node:assert/strict";
import { sha256Hex } from "../../../workers/digest.ts";
import { Buffer } from "node:buffer";
import type { Digest } from "../../table/types.ts";
import {
  BlobError,
  type BlobErrorCode,
  type BlobStore,
  type LocalFiles,
  type Stored,
} from "../blob_store.ts";

/** A store under test, and a way to do what others do to its files. */
export interface BlobStoreHarness extends AsyncDisposable {
  /** The store, empty. */
  readonly store: BlobStore;
  /** What a client does at a staging path; without bytes: a folder, say. */
  stage(staging: string, bytes?: Uint8Array): void;
  /** Changes a value behind the store's back. */
  tamper(name: string, change: (bytes: Uint8Array) => Uint8Array): void;
}

/** A value's name, distinct for each number. */
export function nameOf(index: number, namespace = "space.one"): string {
  return `${namespace}/${sha256Hex(String(index))}`;
}

/** Bytes that look random and are the same for the same seed. */
export function bytesOf(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = seed;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** What verifies some bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return { size: bytes.length, sha256: sha256Hex(bytes) };
}

/** Asserts that two looks found the same file; the later one may know better how young it is. */
export function sameFile(found: Stored, { digest, stamp }: Stored): void {
  const { size, mtimeMs, ino } = stamp;
  assert.deepEqual(found.digest, digest);
  assert.deepEqual(
    [found.stamp.size, found.stamp.mtimeMs, found.stamp.ino],
    [size, mtimeMs, ino],
  );
}

/** Asserts that a promise rejects with a blob error of that code. */
export async function rejectsWith(
  promise: Promise<unknown>,
  code: BlobErrorCode,
): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof BlobError, `not a BlobError: ${error}`);
    assert.equal(error.code, code, error.message);
    return true;
  });
}

/** Registers the contract's tests for one implementation. */
export function testBlobStore(
  label: string,
  open: () => Promise<BlobStoreHarness>,
): void {
  const test = (
    name: string,
    body: (harness: BlobStoreHarness, local: LocalFiles) => Promise<void>,
  ) =>
    Deno.test(`${label} ${name}`, async () => {
      await using harness = await open();
      assert.ok(harness.store.local);
      await body(harness, harness.store.local);
    });
  valueTests(test);
  localTests(test);
}

type Register = (
  name: string,
  body: (harness: BlobStoreHarness, local: LocalFiles) => Promise<void>,
) => void;

function valueTests(test: Register): void {
  test("returns what was put, for sizes around every boundary", async ({ store }) => {
    const mib = 1024 * 1024;
    for (const size of [0, 1, 1023, 256 * 1024 + 1, mib, mib + 1, 3 * mib]) {
      const bytes = bytesOf(size, size + 1);
      const name = nameOf(size);
      const { digest } = await store.put(name, bytes.slice());
      assert.deepEqual(digest, digestOf(bytes));
      const value = await store.read(name, digest);
      assert.equal(Buffer.compare(value, bytes), 0);
      assert.equal(value.buffer.byteLength, size, "nobody shares its buffer");
    }
  });

  test("reads parts of what was verified", async ({ store, tamper }) => {
    const bytes = bytesOf(600_000);
    const { stamp } = await store.put(nameOf(1), bytes.slice());
    for (
      const [offset, length] of [[0, 600_000], [1, 5], [599_999, 1], [9, 0]]
    ) {
      const range = { offset: offset!, length: length! };
      const part = await store.readRange(nameOf(1), range, stamp);
      const expected = bytes.subarray(offset, offset! + length!);
      assert.equal(Buffer.compare(part, expected), 0);
      assert.equal(part.buffer.byteLength, length, "nobody shares its buffer");
    }
    const whole = { offset: 0, length: 600_000 };
    const other = { ...stamp, ino: "0" };
    await rejectsWith(store.readRange(nameOf(1), whole, other), "damaged");
    tamper(nameOf(1), (bytes) => bytes.slice(1));
    await rejectsWith(store.readRange(nameOf(1), whole, stamp), "damaged");
    await store.remove(nameOf(1));
    await rejectsWith(store.readRange(nameOf(1), whole, stamp), "missing");
  });

  test("replaces a value that is put again", async ({ store }) => {
    await store.put(nameOf(1), bytesOf(10, 1));
    const { digest } = await store.put(nameOf(1), bytesOf(20, 2));
    assert.deepEqual(await store.read(nameOf(1), digest), bytesOf(20, 2));
  });

  test("misses what is not there", async ({ store }) => {
    const digest = digestOf(bytesOf(1));
    await rejectsWith(store.read(nameOf(1), digest), "missing");
    await rejectsWith(store.verify(nameOf(1), digest), "missing");
    assert.equal(await store.measure(nameOf(1)), undefined, "nor its folder");
    await store.put(nameOf(1), bytesOf(1));
    await rejectsWith(store.read(nameOf(2), digest), "missing");
    assert.equal(await store.measure(nameOf(2)), undefined);
  });

  test("never returns bytes that are not those of the digest", async (harness) => {
    const { store } = harness;
    const { digest } = await store.put(nameOf(1), bytesOf(5000));
    harness.tamper(nameOf(1), (bytes) => bytes.fill(0, 100, 101));
    await rejectsWith(store.read(nameOf(1), digest), "damaged");
    await rejectsWith(store.verify(nameOf(1), digest), "damaged");
    harness.tamper(nameOf(1), (bytes) => bytes.slice(0, 4999));
    await rejectsWith(store.read(nameOf(1), digest), "damaged");
    await rejectsWith(store.verify(nameOf(1), digest), "damaged");
    // The value, and more.
    await store.put(nameOf(1), bytesOf(5000));
    harness.tamper(nameOf(1), (bytes) => Uint8Array.of(...bytes, 7));
    await rejectsWith(store.read(nameOf(1), digest), "damaged");
    await rejectsWith(store.verify(nameOf(1), digest), "damaged");
  });

  test("verifies cheaply by stamp, fully without, and hashes the unknown", async ({ store }) => {
    const stored = await store.put(nameOf(1), bytesOf(5000));
    const { digest, stamp } = stored;
    sameFile(await store.verify(nameOf(1)), stored);
    sameFile(await store.verify(nameOf(1), digest), stored);
    sameFile(await store.verify(nameOf(1), digest, stamp), stored);
    const old = { ...stamp, mtimeMs: stamp.mtimeMs - 1 };
    sameFile(await store.verify(nameOf(1), digest, old), stored);
    const wrong = { ...digest, sha256: sha256Hex("other") };
    await rejectsWith(store.verify(nameOf(1), wrong, old), "damaged");
  });

  test("removes and quarantines, also what is not there", async ({ store }) => {
    for (const away of ["remove", "quarantine"] as const) {
      const { digest } = await store.put(nameOf(1), bytesOf(9));
      await store[away](nameOf(1));
      await rejectsWith(store.read(nameOf(1), digest), "missing");
      await store[away](nameOf(1));
      await store[away](nameOf(1, "no_such_space"));
    }
  });

  test("lists namespaces and their values", async ({ store }) => {
    await store.put(nameOf(1, "a"), bytesOf(1));
    await store.put(nameOf(2, "a"), bytesOf(1));
    await store.put(nameOf(3, "b.c"), bytesOf(1));
    assert.deepEqual([...await store.namespaces()].sort(), ["a", "b.c"]);
    const expected = [1, 2].map((index) => nameOf(index, "a").slice(2)).sort();
    assert.deepEqual([...await store.list("a")].sort(), expected);
    assert.deepEqual(await store.list("nothing"), []);
  });

  test("sweeps what is old enough", async ({ store }) => {
    await store.put(nameOf(1), bytesOf(1));
    assert.equal(await store.sweep(nameOf(1), 3_600_000), false);
    assert.equal((await store.list("space.one")).length, 1);
    assert.equal(await store.sweep(nameOf(1), -3_600_000), true);
    assert.equal(await store.sweep(nameOf(1), -3_600_000), false);
    assert.deepEqual(await store.list("space.one"), []);
  });

  test("serves many at once", async ({ store }) => {
    const indexes = Array.from({ length: 200 }, (_, index) => index);
    const digests = await Promise.all(indexes.map(async (index) => {
      const bytes = bytesOf(index * 7, index);
      return (await store.put(nameOf(index), bytes)).digest;
    }));
    await Promise.all(digests.map(async (digest, index) => {
      const value = await store.read(nameOf(index), digest);
      assert.deepEqual(value, bytesOf(index * 7, index));
    }));
  });

  test("refuses everything once it is closed", async ({ store, stage }) => {
    stage("s", bytesOf(1));
    const running = store.put(nameOf(1), bytesOf(3_000_000));
    const [, digest] = await Promise.all([store.close(), running]);
    await store.close();
    await rejectsWith(store.put(nameOf(1), bytesOf(1)), "failed");
    await rejectsWith(store.read(nameOf(1), digest.digest), "failed");
    await rejectsWith(store.list("space.one"), "failed");
  });
}

function localTests(test: Register): void {
  for (const size of [0, 1000, 5 * 1024 * 1024]) {
    test(
      `captures, hashes and installs ${size} bytes`,
      async ({ store, stage }, local) => {
        const bytes = bytesOf(size, 7);
        stage("one", bytes);
        assert.ok((await local.probe("one") ?? Infinity) < 60_000);
        const digest = (await local.capture("one")).digest ??
          await local.hash("one");
        assert.deepEqual(digest, digestOf(bytes));
        assert.equal(await local.probe("one"), undefined);
        const stamp = await local.install("one", nameOf(1));
        const found = await store.verify(nameOf(1), digest, stamp);
        sameFile(found, { digest, stamp });
        const value = await store.read(nameOf(1), digest);
        assert.equal(Buffer.compare(value, bytes), 0);
        await rejectsWith(local.install("one", nameOf(1)), "missing");
      },
    );
  }

  for (const sizes of [[0], [700_000, 1, 800_000], [10, 20]]) {
    test(
      `appends pieces of ${sizes.join(", ")} bytes to a private file`,
      async ({ store }, local) => {
        const bytes = bytesOf(sizes.reduce((sum, size) => sum + size, 0), 3);
        let offset = 0;
        for (const size of sizes) {
          const piece = bytes.slice(offset, offset + size);
          await local.append("up", offset, piece);
          offset += size;
        }
        assert.deepEqual((await local.leftovers()).captured, ["up"]);
        await local.sweepPrivate();
        const digest = await local.hash("up");
        assert.deepEqual(digest, digestOf(bytes));
        await local.install("up", nameOf(1));
        const value = await store.read(nameOf(1), digest);
        assert.equal(Buffer.compare(value, bytes), 0);
        await local.discard("up");
        assert.deepEqual((await local.leftovers()).captured, []);
      },
    );
  }

  test(
    "appends in the order of the calls, before they are answered",
    async (_harness, local) => {
      // Large and small: a large one may be written in several turns.
      const pieces = [1_000_000, 10, 300_000, 20].map(bytesOf);
      const whole = Buffer.concat(pieces);
      let offset = 0;
      await Promise.all(pieces.map((piece) => {
        const at = offset;
        offset += piece.length;
        return local.append("up", at, piece);
      }));
      assert.deepEqual(await local.hash("up"), digestOf(whole));
    },
  );

  test("appends only where the last piece ended", async (_harness, local) => {
    await local.append("up", 0, bytesOf(10));
    await rejectsWith(local.append("up", 0, bytesOf(1)), "failed");
    await rejectsWith(local.append("up", 9, bytesOf(1)), "damaged");
    await rejectsWith(local.append("up", 11, bytesOf(1)), "damaged");
    await rejectsWith(local.append("other", 5, bytesOf(1)), "failed");
    assert.deepEqual(await local.hash("up"), digestOf(bytesOf(10)));
  });

  test(
    "captures once: what the client writes later is another file",
    async ({ store, stage }, local) => {
      stage("one", bytesOf(10, 1));
      await local.capture("one");
      stage("one", bytesOf(10, 2));
      const { digest } = await local.capture("one", { again: true });
      assert.deepEqual(digest, digestOf(bytesOf(10, 1)));
      await local.install("one", nameOf(1));
      assert.deepEqual(await store.read(nameOf(1), digest), bytesOf(10, 1));
      assert.notEqual(await local.probe("one"), undefined);
    },
  );

  test(
    "captures nothing new where it was told that it has before",
    async ({ stage }, local) => {
      stage("one", bytesOf(10, 1));
      const { digest } = await local.capture("one");
      await local.install("one", nameOf(1));
      stage("one", bytesOf(10, 2));
      await rejectsWith(local.capture("one", { again: true }), "missing");
      assert.notDeepEqual((await local.capture("one")).digest, digest);
    },
  );

  test(
    "captures what was written last, unless it was told that it has before",
    async ({ stage }, local) => {
      stage("one", bytesOf(10, 1));
      await local.capture("one");
      stage("one", bytesOf(10, 2));
      const second = digestOf(bytesOf(10, 2));
      for (const _ of ["taken away", "found again"]) {
        assert.deepEqual((await local.capture("one")).digest, second);
      }
      await local.install("one", nameOf(1));
      assert.deepEqual((await local.leftovers()).captured, []);
    },
  );

  test(
    "hashes what was captured last, a large file after a small one, too",
    async ({ stage }, local) => {
      stage("one", bytesOf(10));
      await local.capture("one");
      const large = bytesOf(2_000_000);
      stage("one", large);
      const { size, digest } = await local.capture("one");
      assert.deepEqual([size, digest], [large.length, undefined]);
      assert.deepEqual(await local.hash("one", size), digestOf(large));
      await local.install("one", nameOf(1));
      assert.deepEqual((await local.leftovers()).captured, []);
    },
  );

  test(
    "captures nothing where there is no regular file",
    async ({ stage }, local) => {
      await rejectsWith(local.capture("one"), "missing");
      await rejectsWith(local.hash("one"), "missing");
      await rejectsWith(local.install("one", nameOf(1)), "missing");
      stage("one");
      await rejectsWith(local.capture("one"), "not-a-file");
      assert.deepEqual((await local.leftovers()).captured, []);
      stage("one", bytesOf(1));
      const digest = digestOf(bytesOf(1));
      assert.deepEqual(await local.capture("one"), { size: 1, digest });
    },
  );

  test(
    "gives a file back unread that has more bytes than it may have",
    async ({ stage }, local) => {
      stage("one", bytesOf(10));
      const found = await local.capture("one", { mostBytes: 9 });
      assert.deepEqual(found, { size: 10, givenBack: true });
      const { captured, staging } = await local.leftovers();
      assert.deepEqual([captured, staging], [[], ["one"]]);
      const digest = digestOf(bytesOf(10));
      assert.deepEqual(await local.capture("one", { mostBytes: 10 }), {
        size: 10,
        digest,
      });
    },
  );

  test("knows what is left over, and discards it", async ({ stage }, local) => {
    stage("one", bytesOf(1));
    stage("two", bytesOf(2));
    stage("three");
    await local.capture("two");
    await local.sweepPrivate();
    const { staging, captured } = await local.leftovers();
    assert.deepEqual([...staging].sort(), ["one", "three"]);
    assert.deepEqual(captured, ["two"]);
    for (const name of ["one", "two", "three", "four"]) {
      await local.discard(name);
    }
    assert.deepEqual(await local.leftovers(), { staging: [], captured: [] });
  });

  test("names absolute paths", (_harness, local) => {
    assert.match(local.path(nameOf(1)), /^\/.*\/space\.one\/[0-9a-f]{64}$/);
    assert.match(local.stagingPath("one"), /^\/.*\/one$/);
    return Promise.resolve();
  });
}
