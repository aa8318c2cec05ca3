/**
 * What a SIGKILL can leave behind at each step of publishing and evicting, laid
 * out on disk with the real stores, and what a start makes of it. The steps are
 * those of the table in docs/ARCHITECTURE.md.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { BlobCache } from "../src/blobs/blob_cache.ts";
import type { BlobStore, LocalFiles } from "../src/blobs/blob_store.ts";
import { WorkerBlobStore } from "../src/blobs/worker_blob_store.ts";
import { systemClock } from "../src/clock.ts";
import { Engine } from "../src/engine/engine.ts";
import { entryKey } from "../src/engine/entry_key.ts";
import { randomId, randomStaging } from "../src/engine/ids.ts";
import { recover } from "../src/engine/recovery.ts";
import type { Manifest } from "../src/manifest/manifest.ts";
import { SqliteManifest } from "../src/manifest/sqlite_manifest.ts";
import type { Reply } from "../src/table/types.ts";
import { keepWorkers } from "./support/kept_workers.ts";
import { withRoot } from "./support/root.ts";
import { until } from "./support/status.ts";

keepWorkers();

const ENTRY = entryKey("tests.recovery", Uint8Array.of(1, 2, 3));
const VALUE = new TextEncoder().encode("the value");
/** More than is copied and hashed when it is captured. */
const LARGE = new Uint8Array(2 ** 21).fill(7);

interface Stores {
  readonly root: string;
  readonly manifest: Manifest;
  readonly blobs: BlobStore & { readonly local: LocalFiles };
}

interface Mode {
  readonly durability: "relaxed" | "strict";
  /** Of the boot in which the server runs. */
  readonly bootId?: string;
}

const FIRST_BOOT = { durability: "relaxed", bootId: "1".repeat(32) } as const;
const SECOND_BOOT = { durability: "relaxed", bootId: "2".repeat(32) } as const;

async function withStores<T>(
  root: string,
  mode: Mode,
  run: (stores: Stores) => Promise<T>,
): Promise<T> {
  await using manifest = await SqliteManifest.open({
    root,
    durability: mode.durability,
    wallMs: Date.now,
  });
  await using blobs = await WorkerBlobStore.open({
    root,
    workers: 1,
    ...mode,
  });
  return await run({ root, manifest, blobs });
}

/** Lays out what a kill left, then starts an engine on it and looks. */
async function afterKill(
  leave: (stores: Stores, id: string, staging: string) => Promise<void>,
  look: (
    found: Stores & { engine: Engine; id: string; staging: string },
  ) => Promise<void>,
  { before, after }: { readonly before: Mode; readonly after: Mode } = {
    before: FIRST_BOOT,
    after: FIRST_BOOT,
  },
): Promise<void> {
  const id = randomId();
  const staging = randomStaging();
  await withRoot(async (root) => {
    await withStores(root, before, (stores) => leave(stores, id, staging));
    await withStores(root, after, async (stores) => {
      const { manifest, blobs } = stores;
      const engine = new Engine({
        manifest,
        blobs,
        cache: new BlobCache(blobs, 2 ** 20),
        clock: systemClock,
        warn: () => {},
        table: {
          leaseTimeoutMs: 60_000,
          restartGraceMs: 60_000,
          handleLeaseMs: 60_000,
          maxValueBytes: 2 ** 22,
        },
      });
      const graceEndsMs = systemClock.wallMs() + 60_000;
      const warn = () => {};
      await recover({ engine, manifest, blobs, graceEndsMs, warn });
      await look({ ...stores, engine, id, staging });
      engine.close();
    });
  });
}

function get(engine: Engine, assign = false): Promise<Reply> {
  return engine.ask({ kind: "get", api: "remote", entry: ENTRY, assign });
}

async function expectReady(engine: Engine, value = VALUE): Promise<void> {
  const reply = await until(
    () => get(engine),
    ({ kind }) => kind !== "loading",
  );
  assert(reply.kind === "value", `expected the value, got ${reply.kind}`);
  assert(Buffer.from(reply.value).equals(value));
}

async function names(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) found.push(name);
  return found;
}

async function write(
  { blobs }: Stores,
  staging: string,
  value = VALUE,
): Promise<void> {
  await Deno.writeFile(blobs.local.stagingPath(staging), value);
}

/** What a power cut may leave of a file: its name, its length, and zeros. */
async function tear(folder: string): Promise<void> {
  for (const name of await names(folder)) {
    const path = `${folder}/${name}`;
    const { size } = await Deno.lstat(path);
    await Deno.remove(path);
    await Deno.writeFile(path, new Uint8Array(size));
  }
}

Deno.test("killed after Get: the work stays with its client", async () => {
  await afterKill(async (stores, id, staging) => {
    await stores.manifest.claim(ENTRY, { id, staging });
    await write(stores, staging);
  }, async ({ engine, id, blobs, staging }) => {
    assert.equal((await get(engine, true)).kind, "loading");
    await Deno.stat(blobs.local.stagingPath(staging));
    assert.equal((await engine.ask({ kind: "done", id })).kind, "ok");
    await expectReady(engine);
  });
});

Deno.test("killed after the capture: the file is published", async () => {
  await afterKill(async (stores, id, staging) => {
    await stores.manifest.claim(ENTRY, { id, staging });
    await write(stores, staging);
    await stores.blobs.local.capture(staging);
  }, async ({ engine, id }) => {
    await expectReady(engine);
    // The client never heard of it, and asks again.
    assert.equal((await engine.ask({ kind: "done", id })).kind, "ok");
  });
});

/** Modes whose captures are on the disk: they outlive every boot. */
const KEEPING: Mode[] = [
  { durability: "strict" },
  { ...FIRST_BOOT, durability: "strict" },
  // Nobody said which boot it is.
  { durability: "relaxed" },
];

for (const before of KEEPING) {
  const { durability, bootId } = before;
  for (const value of [VALUE, LARGE]) {
    Deno.test(`a power cut after the capture of ${value.length} bytes, ${durability}, boot ${bootId}: the file is published`, async () => {
      await afterKill(
        async (stores, id, staging) => {
          await stores.manifest.claim(ENTRY, { id, staging });
          await write(stores, staging, value);
          await stores.blobs.local.capture(staging);
        },
        async ({ engine }) => await expectReady(engine, value),
        {
          before,
          after: SECOND_BOOT,
        },
      );
    });
  }
}

for (const isRecorded of [false, true]) {
  const when = isRecorded ? "after its digest was recorded" : "after that";
  for (const value of [VALUE, LARGE]) {
    Deno.test(`relaxed mode captured ${value.length} bytes; a power cut ${when}: the work goes on`, async () => {
      await afterKill(async (stores, id, staging) => {
        const { manifest, root, blobs: { local } } = stores;
        await manifest.claim(ENTRY, { id, staging });
        await write(stores, staging, value);
        const digest = (await local.capture(staging)).digest ??
          await local.hash(staging);
        if (isRecorded) await manifest.record(ENTRY, id, digest);
        await tear(`${root}/.private`);
      }, async (found) => {
        const { engine, id, root } = found;
        assert.deepEqual(await names(`${root}/.private`), []);
        assert.equal((await get(engine, true)).kind, "loading");
        // The first one may join the look for a value that is not there.
        await until(
          () => engine.ask({ kind: "done", id }),
          (reply) => reply.kind === "error" && reply.error.code === "no-file",
        );
        await write(found, found.staging, value);
        assert.equal((await engine.ask({ kind: "done", id })).kind, "ok");
        await expectReady(engine, value);
      }, { before: FIRST_BOOT, after: SECOND_BOOT });
    });
  }
}

for (const mode of [FIRST_BOOT, ...KEEPING]) {
  const { durability, bootId } = mode;
  Deno.test(`a power cut between the renames of a capture, ${durability}, boot ${bootId}: the work goes on`, async () => {
    await afterKill(async (stores, id, staging) => {
      await stores.manifest.claim(ENTRY, { id, staging });
      await write(stores, staging, LARGE);
      await stores.blobs.local.capture(staging);
      // As it was taken: its last name comes after the sync.
      const [name] = await names(`${stores.root}/.private`);
      const from = `${stores.root}/.private/${name}`;
      const to = `${stores.root}/.private/taken-another.1-${staging}`;
      await Deno.rename(from, to);
      await tear(`${stores.root}/.private`);
    }, async (found) => {
      const { engine, id, root } = found;
      assert.deepEqual(await names(`${root}/.private`), []);
      await write(found, found.staging, VALUE);
      assert.equal((await engine.ask({ kind: "done", id })).kind, "ok");
      await expectReady(engine);
    }, { before: mode, after: mode });
  });
}

Deno.test("killed after the digest was recorded: the file is published", async () => {
  await afterKill(async (stores, id, staging) => {
    await stores.manifest.claim(ENTRY, { id, staging });
    await write(stores, staging);
    const { digest } = await stores.blobs.local.capture(staging);
    await stores.manifest.record(ENTRY, id, digest!);
  }, async ({ engine }) => await expectReady(engine));
});

Deno.test("killed after the rename: the file only lacks its row", async () => {
  await afterKill(async (stores, id, staging) => {
    await stores.manifest.claim(ENTRY, { id, staging });
    await write(stores, staging);
    const { digest } = await stores.blobs.local.capture(staging);
    await stores.manifest.record(ENTRY, id, digest!);
    await stores.blobs.local.install(staging, ENTRY.name);
  }, async ({ engine }) => await expectReady(engine));
});

Deno.test("a power cut after the rename tore the file: the work goes on", async () => {
  await afterKill(async (stores, id, staging) => {
    await stores.manifest.claim(ENTRY, { id, staging });
    await write(stores, staging);
    const { digest } = await stores.blobs.local.capture(staging);
    await stores.manifest.record(ENTRY, id, digest!);
    await stores.blobs.local.install(staging, ENTRY.name);
    const path = stores.blobs.local.path(ENTRY.name);
    await Deno.remove(path);
    await Deno.writeFile(path, VALUE.subarray(1));
  }, async ({ engine, id }) => {
    // The first one joins the look at the torn file, and is told.
    await until(
      () => engine.ask({ kind: "set", id, value: VALUE.slice() }),
      ({ kind }) => kind === "ok",
    );
    await expectReady(engine);
  });
});

Deno.test("killed in the middle of Set: the torn file is swept", async () => {
  await afterKill(async ({ manifest, root }, id) => {
    await manifest.claim(ENTRY, { id });
    await Deno.writeFile(`${root}/.private/tmp-torn`, VALUE.subarray(4));
  }, async ({ engine, id, root }) => {
    assert.deepEqual(await names(`${root}/.private`), []);
    assert.equal((await get(engine, true)).kind, "loading");
    const reply = await engine.ask({ kind: "set", id, value: VALUE.slice() });
    assert.equal(reply.kind, "ok");
    await expectReady(engine);
  });
});

Deno.test("killed after Set's rename: the client was not told, and sets again", async () => {
  await afterKill(async ({ manifest, blobs }, id) => {
    await manifest.claim(ENTRY, { id });
    await blobs.put(ENTRY.name, new TextEncoder().encode("not acknowledged"));
  }, async ({ engine, id, blobs }) => {
    await assert.rejects(Deno.lstat(blobs.local.path(ENTRY.name)));
    assert.equal((await get(engine, true)).kind, "loading");
    const reply = await engine.ask({ kind: "set", id, value: VALUE.slice() });
    assert.equal(reply.kind, "ok");
    await expectReady(engine);
  });
});

Deno.test("killed after the row was ready: what is left of the staging is swept", async () => {
  await afterKill(async (stores, id, staging) => {
    const { manifest, blobs } = stores;
    await manifest.claim(ENTRY, { id, staging });
    await write(stores, staging);
    const { digest } = await blobs.put(ENTRY.name, VALUE.slice());
    await manifest.publish(ENTRY, id, digest);
  }, async ({ engine, root }) => {
    assert.deepEqual(await names(`${root}/.staging`), []);
    await expectReady(engine);
  });
});

for (const fileIsGone of [false, true]) {
  const when = fileIsGone ? "after the file went" : "before the file went";
  Deno.test(`killed while evicting, ${when}: it is finished`, async () => {
    await afterKill(async ({ manifest, blobs }, id) => {
      await manifest.claim(ENTRY, { id });
      const { digest } = await blobs.put(ENTRY.name, VALUE.slice());
      await manifest.publish(ENTRY, id, digest);
      await manifest.evict(ENTRY, id);
      if (fileIsGone) await blobs.remove(ENTRY.name);
    }, async ({ engine, manifest, blobs, id }) => {
      const reply = await until(
        () => get(engine, true),
        ({ kind }) => kind !== "unassigned",
      );
      assert.equal(reply.kind, "assigned");
      await assert.rejects(Deno.lstat(blobs.local.path(ENTRY.name)));
      assert.equal(await manifest.findId(id), undefined);
    });
  });
}

Deno.test("a clean root has nothing to recover", async () => {
  await afterKill(async ({ manifest, blobs }, id) => {
    await manifest.claim(ENTRY, { id });
    const { digest } = await blobs.put(ENTRY.name, VALUE.slice());
    await manifest.publish(ENTRY, id, digest);
  }, async ({ engine }) => await expectReady(engine));
});
