import assert from "node:assert/strict";
import { MemoryBlobStore } from "../blobs/testing/memory_blob_store.ts";
import { BlobError } from "../blobs/blob_store.ts";
import { sha256Hex } from "../../workers/digest.ts";
import type { Budget } from "./admission.ts";
import { askFor, memoryEngine } from "./testing/memory_engine.ts";
import { type Upload, Uploads } from "./uploads.ts";

/** A budget of so many bytes, and what of it is taken. */
class SmallBudget implements Budget {
  taken = 0;
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  takeNow(_owner: object, bytes: number) {
    if (this.taken + bytes > this.#bytes) return undefined;
    this.taken += bytes;
    return { release: () => void (this.taken -= bytes) };
  }

  take(): never {
    throw new Error("an upload waits for no memory");
  }
}

/** Files whose appends are held until they are let go. */
class HeldFiles extends MemoryBlobStore {
  readonly held: (() => void)[] = [];
  readonly files = {
    append: async (name: string, offset: number, bytes: Uint8Array) => {
      await new Promise<void>((resolve) => this.held.push(resolve));
      await this.local.append(name, offset, bytes);
    },
    hash: (name: string) => this.local.hash(name),
    discard: (name: string) => this.local.discard(name),
  };
}

async function turns(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

function begin(store: HeldFiles, budget: Budget): Upload {
  const { files } = store;
  return new Uploads({ files, budget, warn: () => {} }).begin({}, "1");
}

for (
  const [what, bytes, early] of [
    ["while the one before is being written, if there is memory", 100, true],
    ["when the one before has been written, if there is none", 0, false],
  ] as const
) {
  Deno.test(`the next piece may come ${what}`, async () => {
    const store = new HeldFiles();
    const budget = new SmallBudget(bytes);
    const upload = begin(store, budget);
    let mayCome = 0;
    const first = upload.append(Uint8Array.of(1)).then(() => mayCome++);
    await turns();
    assert.equal(mayCome, early ? 1 : 0);
    const second = first.then(() => upload.append(Uint8Array.of(2)))
      .then(() => mayCome++);
    await turns();
    assert.equal(mayCome, early ? 1 : 0, "the third piece may not come yet");
    assert.equal(store.held.length, early ? 2 : 1, "two at a time at most");
    store.held[0]!();
    await first;
    await turns();
    store.held[1]!();
    await second;
    const digest = await upload.finish();
    assert.equal(digest.sha256, sha256Hex(Uint8Array.of(1, 2)));
    assert.equal(budget.taken, 0);
  });
}

Deno.test("a piece that cannot be written ends the upload, and its file goes", async () => {
  const store = new HeldFiles();
  const budget = new SmallBudget(100);
  const files = {
    ...store.files,
    async append(name: string, offset: number, bytes: Uint8Array) {
      if (offset > 0) throw new BlobError("full", "No space left");
      await store.local.append(name, offset, bytes);
    },
  };
  const upload = new Uploads({ files, budget, warn: () => {} }).begin({}, "1");
  await upload.append(Uint8Array.of(1));
  await upload.append(Uint8Array.of(2));
  const full = { code: "storage-full" };
  await assert.rejects(upload.append(Uint8Array.of(3)), full);
  await assert.rejects(upload.finish(), full);
  assert.equal((await store.local.leftovers()).captured.length, 1);
  await upload.discard();
  assert.deepEqual((await store.local.leftovers()).captured, []);
  assert.equal(budget.taken, 0);
});

Deno.test("of two pieces that fail the first one says why", async () => {
  const store = new HeldFiles();
  const files = {
    ...store.files,
    async append(_name: string, offset: number) {
      // The second one is not where the file ends, and is found out sooner.
      if (offset === 1) throw new BlobError("failed", "not what was written");
      await turns();
      throw new BlobError("full", "No space left");
    },
  };
  const budget = new SmallBudget(100);
  const upload = new Uploads({ files, budget, warn: () => {} }).begin({}, "1");
  await upload.append(Uint8Array.of(1));
  const full = { code: "storage-full" };
  await assert.rejects(upload.append(Uint8Array.of(2)), full);
  await assert.rejects(upload.finish(), full);
  await upload.discard();
  assert.equal(budget.taken, 0);
});

Deno.test("an upload is held to its quota and to the free disk while it comes", async () => {
  const files = {
    append: () => Promise.resolve(),
    hash: () => Promise.reject(new Error("it never ends")),
    discard: () => Promise.resolve(),
  };
  const budget = new SmallBudget(1_000);
  const table = { quotas: [{ pattern: "small", maxBytes: 25 }] };
  const { engine, warn } = memoryEngine({ table });
  const upload = async (key: string) => {
    const reply = await askFor(engine, key);
    assert(reply.kind === "assigned");
    const { id } = reply.assignment;
    return new Uploads({ files, budget, engine, warn }).begin({}, id);
  };
  const small = await upload("small:key");
  const endless = await upload("large:key");
  const next = await upload("large:next");
  const disk = {
    ...{ roomBytes: 100, keptBytes: 50, sizeBytes: 5_000, slackBytes: 10 },
    blockBytes: 1,
  };
  engine.feed({ kind: "usage", usage: [], disk });
  for (let i = 0; i < 2; i++) await small.append(new Uint8Array(10));
  await assert.rejects(
    small.append(new Uint8Array(10)),
    /quota of small allows 25 bytes in all, and the value has more; use/,
  );
  // 20 of the 100 have been counted by now; what is refused is not written.
  for (let i = 0; i < 8; i++) await endless.append(new Uint8Array(10));
  const refused =
    /--min-free leaves no byte of the disk to be written, after 90/;
  await assert.rejects(endless.append(new Uint8Array(10)), refused);
  // What is given up leaves its room to others at once.
  await endless.discard();
  for (let i = 0; i < 8; i++) await next.append(new Uint8Array(10));
  await assert.rejects(next.append(new Uint8Array(10)), refused);
  await engine.close();
});

for (
  const [what, isMade] of [
    ["goes on when there is room", true],
    ["is refused when none is made in time", false],
  ] as const
) {
  Deno.test(`a piece of a value that says its size waits for the room that is made, and ${what}`, async () => {
    const { engine, warn, clock, lines } = memoryEngine();
    const reply = await askFor(engine, "a");
    assert(reply.kind === "assigned");
    const files = {
      append: () => Promise.resolve(),
      hash: () => Promise.reject(new Error("it is not asked for")),
      discard: () => Promise.resolve(),
    };
    const budget = new SmallBudget(1_000);
    const upload = new Uploads({ files, budget, engine, warn })
      .begin({}, reply.assignment.id, { expected: 100 });
    const hold = (bytes: number, roomBytes: number) =>
      engine.feed({
        kind: "usage",
        usage: [{ namespace: "ns", bytes, entries: 10 }],
        disk: {
          ...{ roomBytes, keptBytes: 50, sizeBytes: 5_000, slackBytes: 10 },
          blockBytes: 1,
        },
      });
    hold(1_000, 0);
    let isCalled = false;
    engine.onCrowded = () => isCalled = true;
    await upload.announce();
    assert(isCalled, "room is made from the beginning");
    let isTaken = false;
    const taken = upload.append(new Uint8Array(100));
    taken.then(() => isTaken = true, () => {});
    await turns();
    assert(!isTaken);
    if (isMade) {
      hold(850, 150);
      engine.feed({ kind: "swept", stuck: [] });
      await taken;
    } else {
      clock.advance(500);
      await assert.rejects(
        taken,
        /--min-free leaves 0 bytes of the disk to be written, 1000 more are kept, and the value has 100; .*try again later/,
      );
      assert.equal(lines.length, 1);
      assert.match(
        lines[0]!,
        /^an upload was refused: Cannot publish an assignment: --min-free leaves/,
      );
    }
    await upload.discard();
    await engine.close();
  });
}

Deno.test("an upload whose file cannot be removed is counted no longer, either", async () => {
  const files = {
    append: () => Promise.resolve(),
    hash: () => Promise.reject(new Error("it never ends")),
    discard: () => Promise.reject(new BlobError("failed", "it is sick")),
  };
  const given: string[] = [];
  const engine = {
    ask: () => Promise.resolve({ kind: "ok" } as const),
    giveBack: (_id: string, upload: string) => void given.push(upload),
    about: () => ({}),
  };
  const budget = new SmallBudget(1_000);
  const lines: string[] = [];
  const warn = (line: string) => void lines.push(line);
  const upload = new Uploads({ files, budget, engine, warn }).begin({}, "1");
  await upload.append(new Uint8Array(90));
  await upload.discard();
  assert.match(lines.join(), /^cannot remove an upload: /);
  assert.deepEqual(given, [upload.name]);
});
