import assert from "node:assert/strict";
import { MemoryBlobStore } from "../blobs/testing/memory_blob_store.ts";
import { FakeClock } from "../clock.ts";
import { LarderError } from "../errors.ts";
import {
  EVICTION_PAUSE_MS,
  EVICTIONS_AT_ONCE,
  FREE_FILES_SLACK,
  FULL_INTERVAL_MS,
  KEPT_FREE_FILES,
} from "../limits.ts";
import type { MemoryManifest } from "../manifest/testing/memory_manifest.ts";
import { MemoryRows } from "../manifest/testing/memory_rows.ts";
import type { Quota, Reply } from "../table/types.ts";
import type { Engine } from "./engine.ts";
import { Evictor, type EvictorOptions } from "./evictor.ts";
import {
  askFor,
  HANDLE_LEASE_MS,
  memoryEngine,
} from "./testing/memory_engine.ts";

const VALUE_BYTES = 100;

/** A server's inside, whose stores outlive it. */
class Site {
  readonly clock = new FakeClock();
  readonly blobs = new MemoryBlobStore(this.clock);
  readonly #rows = new MemoryRows();
  readonly #quotas: readonly Quota[];
  lines!: string[];
  manifest!: MemoryManifest;
  engine!: Engine;
  evictor!: Evictor;

  private constructor(quotas: readonly Quota[]) {
    this.#quotas = quotas;
  }

  static async open(
    quotas: readonly Quota[],
    options: Partial<EvictorOptions> = {},
  ): Promise<Site> {
    const site = new Site(quotas);
    await site.start(options);
    return site;
  }

  async start(options: Partial<EvictorOptions> = {}): Promise<void> {
    const { clock, blobs } = this;
    const table = { quotas: this.#quotas };
    const inside = memoryEngine({ clock, blobs, rows: this.#rows, table });
    ({ engine: this.engine, manifest: this.manifest, lines: this.lines } =
      inside);
    this.evictor = new Evictor({
      ...inside,
      handleLeaseMs: HANDLE_LEASE_MS,
      ...options,
    });
    await this.evictor.start();
  }

  async restart(options: Partial<EvictorOptions> = {}): Promise<void> {
    await this.evictor.close();
    await this.engine.close();
    await this.start(options);
  }

  get(key: string, api?: "local" | "remote"): Promise<Reply> {
    return askFor(this.engine, key, api);
  }

  /** Publishes a value that nobody has yet. */
  async publish(key: string, bytes = VALUE_BYTES): Promise<void> {
    const reply = await this.get(key);
    assert.equal(reply.kind, "assigned", `${key}: ${JSON.stringify(reply)}`);
    const { id } = (reply as Reply & { kind: "assigned" }).assignment;
    const value = new Uint8Array(bytes);
    const set = await this.engine.ask({ kind: "set", id, value });
    assert.equal(set.kind, "ok", key);
    // Each has a time of its own.
    this.clock.advance(1);
  }

  /** Publishes `0` to `count - 1`, the first one oldest. */
  async fill(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.publish(`${i}`);
  }

  /** The keys that are ready. */
  async kept(namespace = "ns"): Promise<string[]> {
    const page = await this.manifest.list(namespace, { limit: 500 });
    return page.items.map(({ key }) => new TextDecoder().decode(key)).sort(
      (a, b) => Number(a) - Number(b),
    );
  }
}

/** Waits for what happens beside. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve));
}

const TEN = [{ pattern: "*", maxBytes: 10 * VALUE_BYTES }];

Deno.test("the least recently used go first, down to the low watermark", async () => {
  const site = await Site.open(TEN);
  await site.fill(9);
  // A hit makes the oldest one the newest.
  assert.equal((await site.get("0")).kind, "value");
  site.clock.advance(1);
  await site.publish("9");
  await site.evictor.sweep();
  assert.deepEqual(await site.kept(), "0 2 3 4 5 6 7 8 9".split(" "));
  assert.deepEqual(site.evictor.stats, { entries: 1, bytes: VALUE_BYTES });
  assert.deepEqual(site.evictor.reasons, { room: 1, age: 0, ttl: 0 });
  assert.deepEqual(await site.blobs.list("ns").then((all) => all.length), 9);
  await site.publish("1");
});

Deno.test("the table says when it is crowded, and the evictor comes", async () => {
  const site = await Site.open(TEN);
  await site.fill(10);
  assert.equal(site.evictor.stats.entries, 0, "not before the clock moves on");
  site.clock.advance(EVICTION_PAUSE_MS);
  await until(() => site.evictor.stats.entries === 1);
});

Deno.test("who is refused has room made for, below the watermark too", async () => {
  const site = await Site.open([{ pattern: "*", maxBytes: 950 }]);
  await site.fill(9);
  // 900 is below the watermark, yet there is no room for a hundred more.
  const asked = site.get("9");
  await site.evictor.sweep();
  assert.equal((await asked).kind, "assigned");
});

Deno.test("room is there as soon as it is clear what goes, however slow the disk", async () => {
  const site = await Site.open([{ pattern: "*", maxBytes: 10_000 }]);
  await site.fill(90);
  const end = Promise.withResolvers<void>();
  const { blobs } = site;
  const remove = blobs.remove.bind(blobs);
  let removing = 0;
  blobs.remove = async (name) => {
    removing++;
    await end.promise;
    await remove(name);
  };
  const { kind, ...work } = await site.get("large");
  assert.equal(kind, "assigned");
  const { assignment: { id } } = work as Reply & { kind: "assigned" };
  const value = new Uint8Array(90 * 100);
  const set = site.engine.ask({ kind: "set", id, value });
  site.clock.advance(0);
  assert.equal((await set).kind, "ok", "though no file has gone");
  assert.equal(removing, EVICTIONS_AT_ONCE, "the disk gets some at once");
  end.resolve();
  await site.evictor.sweep();
  assert.deepEqual(await site.kept(), ["large"]);
});

Deno.test("what is pinned or being computed stays, and its quota is full", async () => {
  const site = await Site.open(TEN);
  await site.fill(9);
  for (let i = 0; i < 9; i++) {
    assert.equal((await site.get(`${i}`, "local")).kind, "handle");
  }
  assert.equal((await site.get("loading")).kind, "assigned");
  const asked = site.get("more");
  await site.evictor.sweep();
  const detail = "--max-bytes allows 1000 bytes: 900 are kept, 100 are " +
    "spoken for by what is being computed, and 100 more were asked for";
  const refused = { kind: "unassigned", reason: "no-room", detail } as const;
  assert.deepEqual(await asked, refused);
  // Nothing could go, and nothing has changed: nobody waits for it again.
  assert.deepEqual(await site.get("again"), refused);
  assert.match(site.lines.join("\n"), /no room, .* allows 1000 bytes: 900/);
  assert.equal((await site.kept()).length, 10);
  assert.match(
    site.lines.join("\n"),
    /cannot keep --max-bytes: 200 .* what is left is in use/,
  );
  // Handles end, and then they can go.
  site.clock.advance(HANDLE_LEASE_MS);
  site.engine.feed({ kind: "tick" });
  await site.evictor.sweep();
  const more = site.get("more");
  await site.evictor.sweep();
  assert.equal((await more).kind, "assigned");
});

Deno.test("in a stop nothing is evicted, and no quota is blamed for it", async () => {
  const site = await Site.open(TEN);
  await site.fill(10);
  site.engine.feed({ kind: "drain" });
  await site.evictor.sweep();
  assert.equal((await site.kept()).length, 10);
  assert.deepEqual(site.lines, []);
});

Deno.test("where it cannot be written down what goes nothing goes, and that is told until it can", async () => {
  const site = await Site.open(TEN);
  await site.fill(10);
  const evict = site.manifest.evict.bind(site.manifest);
  let tried = 0;
  site.manifest.evict = () => {
    tried++;
    return Promise.reject(new LarderError("storage-full", "no space"));
  };
  await site.evictor.sweep();
  assert.equal((await site.kept()).length, 10);
  assert.equal((await site.get("new")).kind, "unassigned");
  const full = "--max-bytes allows 1000 bytes: 1000 bytes are kept, and none " +
    "of them can go: the disk is so full that it cannot be written down what " +
    "goes; make room on it";
  assert.equal(site.engine.full, full);
  assert.deepEqual(
    site.lines.filter((line) => line !== "no space").slice(0, 1),
    [`no value can be kept: ${full}`],
  );
  // Not even a file that nobody uses any more helps then.
  const handle = await site.get("5", "local");
  assert.equal(handle.kind, "handle");
  tried = 0;
  await site.evictor.sweep();
  assert.equal(tried, 1, "one is enough to know");
  assert.equal(site.engine.full, full);

  site.manifest.evict = evict;
  await site.evictor.sweep();
  await site.evictor.sweep();
  assert.equal((await site.kept()).length, 9);
  assert.equal(site.engine.full, undefined);
  assert.equal(site.lines.at(-1), "values can be kept again");
  await site.publish("new");
});

Deno.test("what has gone is told once it is known, and not of what stays in the end", async () => {
  const site = await Site.open(TEN);
  await site.fill(10);
  for (let i = 1; i < 10; i++) {
    assert.equal((await site.get(`${i}`, "local")).kind, "handle");
  }
  site.manifest.evict = async () => {
    await new Promise((resolve) => setTimeout(resolve));
    throw new LarderError("storage-full", "no space");
  };
  // More is to go than can.
  const asked = site.get("new");
  await site.evictor.sweep();
  await asked;
  const told = site.lines.filter((line) =>
    /cannot keep|can be kept/.test(line)
  );
  assert.match(told.join(), /^no value can be kept: .* cannot be written down/);
});

Deno.test("a quota takes from its own namespaces only", async () => {
  const quotas = [{ pattern: "sim.*", maxEntries: 4 }];
  const site = await Site.open(quotas);
  await site.publish("other:0");
  for (let i = 0; i < 2; i++) {
    await site.publish(`sim.a:${i}`);
    await site.publish(`sim.b:${i}`);
  }
  await site.evictor.sweep();
  assert.deepEqual(await site.kept("sim.a"), ["0", "1"], "four are four");
  const publishing = site.publish("sim.b:2");
  await site.evictor.sweep();
  await publishing;
  assert.deepEqual(await site.kept("sim.a"), ["1"]);
  assert.deepEqual(await site.kept("sim.b"), ["0", "1", "2"]);
  assert.deepEqual(await site.kept("other"), ["0"]);
});

Deno.test("what nobody used for too long goes", async () => {
  const maxAgeMs = 1_000_000;
  const site = await Site.open([], { maxAgeMs });
  await site.fill(3);
  site.clock.advance(maxAgeMs - 1_000);
  assert.equal((await site.get("1")).kind, "value");
  await site.evictor.sweep();
  assert.equal((await site.kept()).length, 3);
  site.clock.advance(1_000);
  await site.evictor.sweep();
  assert.deepEqual(await site.kept(), ["1"]);
  assert.deepEqual(site.evictor.reasons, { room: 0, age: 2, ttl: 0 });
});

Deno.test("a disk that fills up has entries taken away until enough is free", async () => {
  const site = await Site.open([], { minFree: { percent: 10 } });
  let freeBytes = 5_000;
  site.blobs.space = () =>
    Promise.resolve({ freeBytes, totalBytes: 10_000, blockBytes: 1 });
  await site.fill(10);
  freeBytes = 850;
  await site.evictor.sweep();
  // 150 are missing, and a tenth of what has to be free comes on top.
  assert.deepEqual(await site.kept(), "3 4 5 6 7 8 9".split(" "));
});

/** A server whose disk of 100,000 bytes is to have some free; half of it is. */
async function onDisk(
  minFree: EvictorOptions["minFree"],
  blockBytes = 1,
): Promise<[Site, (bytes: number) => void]> {
  const site = await Site.open([], { minFree: minFree! });
  let freeBytes = 50_000;
  const freed = () =>
    site.evictor.stats.entries * Math.max(blockBytes, VALUE_BYTES);
  site.blobs.space = () =>
    Promise.resolve({
      freeBytes: freeBytes + freed(),
      totalBytes: 100_000,
      blockBytes,
    });
  await site.evictor.sweep();
  await site.fill(10);
  return [site, (bytes) => freeBytes = bytes];
}

for (const minFree of [{ bytes: 3_000 }, { percent: 3 }]) {
  Deno.test(`a disk that others fill takes nothing in vain: ${Object.keys(minFree)}`, async () => {
    const [site, setFree] = await onDisk(minFree);
    assert.equal(site.engine.full, undefined);
    setFree(1_999);
    await site.evictor.sweep();
    await site.evictor.sweep();
    assert.equal((await site.kept()).length, 10);
    const why = "only 1999 bytes of the disk are free, and --min-free asks " +
      "for 3000 bytes; all values together take 1000 bytes, too few to make up for it, " +
      "so none is removed: the rest is not Larder's";
    assert.equal(site.engine.full, why);
    assert.deepEqual(site.lines, [`no value can be kept: ${why}`]);
    assert.equal((await site.get("1")).kind, "value");
    const asked = await site.get("more");
    assert.equal(asked.kind, "unassigned");
    assert.match(
      (asked as Reply & { kind: "unassigned" }).detail ?? "",
      /^--min-free leaves 0 bytes of the disk to be written: 0 .* 100 more were asked for; only 1999 /,
    );
    // Somebody removes what was there: it is looked at within a second.
    setFree(4_000);
    site.clock.advance(FULL_INTERVAL_MS);
    await until(() => site.engine.full === undefined);
    assert.equal(site.lines.at(-1), "values can be kept again");
    await site.publish("more");
    assert.equal((await site.kept()).length, 11);
  });
}

Deno.test("of a disk that others fill as much is given back as helps", async () => {
  const [site, setFree] = await onDisk({ bytes: 3_000 });
  // With the tenth on top it would be more than there is.
  setFree(2_200);
  await site.evictor.sweep();
  assert.deepEqual(await site.kept(), ["8", "9"]);
  assert.equal(site.engine.full, undefined);
});

Deno.test("what a value takes of a disk is whole blocks, and no more go than help", async () => {
  const [site, setFree] = await onDisk({ bytes: 3_000 }, 1_000);
  // Of bytes there are 1,000, but they take 10,000.
  setFree(500);
  await site.evictor.sweep();
  assert.deepEqual(await site.kept(), "3 4 5 6 7 8 9".split(" "));
});

/** A server on a disk that holds so many files beside what Larder leaves free. */
async function onFiles(most: number): Promise<[Site, (files: number) => void]> {
  const site = await Site.open([], { minFree: { bytes: 0 } });
  let others = 0;
  site.blobs.space = async () => ({
    ...{ freeBytes: 50_000, totalBytes: 100_000, blockBytes: 1 },
    freeFiles: most + KEPT_FREE_FILES - others -
      (await site.blobs.list("ns")).length,
  });
  await site.evictor.sweep();
  return [site, (files) => others = files];
}

Deno.test("a disk whose inodes are used up has values go, and refuses no work", async () => {
  const [site] = await onFiles(20);
  for (let i = 0; i < 50; i++) {
    const asked = site.get(`${i}`);
    let isAnswered = false;
    asked.then(() => isAnswered = true);
    // Whoever waits for room has it made at once.
    await until(() => {
      site.clock.advance(0);
      return isAnswered;
    });
    const { kind, ...work } = await asked;
    assert.equal(kind, "assigned", `${i}`);
    const { assignment: { id } } = work as Reply & { kind: "assigned" };
    const set = await site.engine.ask({
      kind: "set",
      id,
      value: new Uint8Array(VALUE_BYTES),
    });
    assert.equal(set.kind, "ok");
    site.clock.advance(1);
  }
  await site.evictor.sweep();
  const kept = await site.kept();
  assert.ok(kept.length > 20 - 2 * FREE_FILES_SLACK, `${kept.length} are kept`);
  assert.ok(kept.length <= 20);
  assert.equal(kept.at(-1), "49");
  assert.deepEqual(site.lines, []);
});

Deno.test("a disk whose inodes others use up takes nothing in vain, and says that it is these", async () => {
  const [site, setOthers] = await onFiles(20);
  await site.fill(5);
  setOthers(23);
  await site.evictor.sweep();
  assert.equal((await site.kept()).length, 5);
  const why = "only 0 files can still be made on the disk (inodes), and " +
    "Larder leaves 8 of them free; all values together are 5, too few to " +
    "make up for it, so none is removed: the rest is not Larder's";
  assert.equal(site.engine.full, why);
  assert.deepEqual(site.lines, [`no value can be kept: ${why}`]);
  assert.equal((await site.get("more")).kind, "unassigned");
  setOthers(0);
  site.clock.advance(FULL_INTERVAL_MS);
  await until(() => site.engine.full === undefined);
  await site.publish("more");
});

Deno.test("nothing that was handed out before a restart goes for one lease", async () => {
  const site = await Site.open(TEN);
  await site.fill(9);
  for (const key of ["0", "1"]) {
    assert.equal((await site.get(key, "local")).kind, "handle");
  }
  site.clock.advance(1);
  for (let i = 2; i < 9; i++) await site.get(`${i}`);
  await site.restart();
  await site.publish("9");
  await site.evictor.sweep();
  assert.deepEqual(await site.kept(), "0 1 3 4 5 6 7 8 9".split(" "));
  // Nobody read it since: now it is the oldest, and goes first.
  site.clock.advance(HANDLE_LEASE_MS);
  await site.publish("10");
  await site.evictor.sweep();
  assert.deepEqual(await site.kept(), "1 3 4 5 6 7 8 9 10".split(" "));
});
