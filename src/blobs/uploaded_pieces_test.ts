/** Values that come in pieces: hashed as they are written, by whoever writes them. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FakeClock } from "../clock.ts";
import {
  digestOf,
  nameOf,
  rejectsWith,
} from "./testing/blob_store_contract.ts";
import { SpareBuffers } from "./spare_buffers.ts";
import { openTestRoot } from "./testing/test_root.ts";

const PIECE_BYTES = 256 * 1024;
/** More than a worker keeps open. */
const UPLOADS = 12;

function pieceOf(upload: number, piece: number): Uint8Array {
  return new Uint8Array(PIECE_BYTES).fill(16 * upload + piece);
}

function wholeOf(upload: number, pieces: number): Uint8Array {
  return Buffer.concat(
    Array.from({ length: pieces }, (_, piece) => pieceOf(upload, piece)),
  );
}

Deno.test("many uploads at once are hashed each for itself, by many workers", async () => {
  await using harness = await openTestRoot({ workers: 2 });
  const { store: { local } } = harness;
  const uploads = Array.from({ length: UPLOADS }, (_, upload) => upload);
  for (let piece = 0; piece < 4; piece++) {
    await Promise.all(uploads.map((upload) =>
      local.append(
        `up${upload}`,
        piece * PIECE_BYTES,
        pieceOf(upload, piece),
      )
    ));
  }
  for (const upload of uploads) {
    const digest = await local.hash(`up${upload}`);
    assert.deepEqual(digest, digestOf(wholeOf(upload, 4)), `${upload}`);
    await local.discard(`up${upload}`);
  }
  const left = [...Deno.readDirSync(`${harness.root}/.private`)];
  assert.deepEqual(left, []);
});

Deno.test("what a worker had written that died is read again", async () => {
  await using harness = await openTestRoot({ workers: 1 });
  const { store, workers } = harness;
  await store.local.append("up", 0, pieceOf(0, 0));
  workers[0]!.postMessage(null);
  // Tried by the dead one and by the next: then it is there.
  assert.equal(await store.local.probe("nothing"), undefined);
  assert.equal(workers.length, 2);
  await store.local.append("up", PIECE_BYTES, pieceOf(0, 1));
  const digest = await store.local.hash("up");
  assert.deepEqual(digest, digestOf(wholeOf(0, 2)));
});

Deno.test("a file that is not what was written is hashed as it is, or refused", async () => {
  await using harness = await openTestRoot({ workers: 1 });
  const { root, store: { local } } = harness;
  const fileOf = () => {
    const [{ name } = { name: "" }] = [...Deno.readDirSync(`${root}/.private`)];
    return `${root}/.private/${name}`;
  };
  await local.append("up", 0, pieceOf(0, 0));
  await local.append("up", PIECE_BYTES, pieceOf(0, 1));
  Deno.truncateSync(fileOf(), PIECE_BYTES);
  assert.deepEqual(await local.hash("up"), digestOf(wholeOf(0, 1)));
  await local.discard("up");

  await local.append("up", 0, pieceOf(0, 0));
  const other = fileOf();
  Deno.removeSync(other);
  Deno.writeFileSync(other, pieceOf(0, 5));
  assert.deepEqual(await local.hash("up"), digestOf(pieceOf(0, 5)));
  await local.discard("up");

  await local.append("up", 0, pieceOf(0, 0));
  Deno.removeSync(fileOf());
  await rejectsWith(local.hash("up"), "missing");
});

Deno.test("a piece that does not follow what is there is no trouble of the disk", async () => {
  await using harness = await openTestRoot({ workers: 1 });
  const { store } = harness;
  await store.local.append("up", 0, pieceOf(0, 0));
  // As after a piece that was too large for a file: the next one is on its way.
  const late = store.local.append("up", 2 * PIECE_BYTES, pieceOf(0, 2));
  await rejectsWith(late, "damaged");
  assert.equal(store.trouble, undefined);
  await store.local.discard("up");
});

Deno.test("the buffers of what was written come back, and hold the next value whole", async () => {
  using spare = new SpareBuffers(new FakeClock());
  await using harness = await openTestRoot({ workers: 1, spare });
  const { store } = harness;
  const value = spare.take(PIECE_BYTES);
  value.fill(1);
  await store.put(nameOf(1), value);
  assert.equal(spare.bytes, PIECE_BYTES);
  // A shorter one, of as many pages: what is left of the first is not in it.
  const next = spare.take(PIECE_BYTES - 100);
  assert.equal(spare.bytes, 0);
  next.fill(2);
  const { digest } = await store.put(nameOf(2), next);
  const expected = new Uint8Array(PIECE_BYTES - 100).fill(2);
  assert.deepEqual(digest, digestOf(expected));
  const read = await store.read(nameOf(2), digest);
  assert.equal(Buffer.compare(read, expected), 0);
});
