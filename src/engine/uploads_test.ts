import assert from "node:assert/strict";
import { MemoryBlobStore } from "../blobs/memory_blob_store.ts";
import { BlobError } from "../blobs/blob_store.ts";
import { sha256Hex } from "../../workers/digest.ts";
import type { Budget } from "./admission.ts";
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
  return new Uploads({ files, budget, warn: () => {} }).begin({});
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
    assert.equal(mayCome, early ? 1 : 0, "never two in the file's queue");
    assert.equal(store.held.length, 1, "one append at a time");
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
  const upload = new Uploads({ files, budget, warn: () => {} }).begin({});
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
