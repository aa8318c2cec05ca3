/** Failures that somebody has to see: in the log, or as the end of the server. */

import assert from "node:assert/strict";
import { BlobError } from "../blobs/blob_store.ts";
import { LarderError } from "../errors.ts";
import { Catalog } from "./catalog.ts";
import { Engine } from "./engine.ts";
import { Known } from "./known.ts";
import { askFor, memoryEngine } from "./testing/memory_engine.ts";
import { Uploads } from "./uploads.ts";
import { BlobCache } from "../blobs/blob_cache.ts";

const FREE = { release: () => {} };
const BUDGET = { takeNow: () => FREE, take: () => FREE };

Deno.test("an exception in the queue ends the engine, and nothing is done twice", async () => {
  const { manifest, blobs, clock, warn } = memoryEngine();
  const thrown: unknown[] = [];
  let ids = 0;
  const engine = new Engine({
    ...{ manifest, blobs, clock, warn, cache: new BlobCache(blobs, 0) },
    newId() {
      if (++ids === 2) throw new Error("a bug of ours");
      return `${ids}`;
    },
    onBroken: (error) => void thrown.push(error),
    table: {
      ...{ leaseTimeoutMs: 1_000, restartGraceMs: 1_000, handleLeaseMs: 1_000 },
      maxValueBytes: 1_000,
    },
  });
  const reply = await askFor(engine, "first");
  assert.equal(reply.kind, "assigned");
  let answered = 0;
  const get = (key: string) => askFor(engine, key).then(() => answered++);
  get("second");
  get("third");
  // It takes no commands any more, the one that failed included.
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(answered, 0);
  assert.equal(ids, 2);
  assert.match(`${thrown}`, /^Error: a bug of ours$/);
});

Deno.test("an upload and a look-up that fail are in the log, with their cause", async () => {
  const lines: string[] = [];
  const warn = (line: string) => void lines.push(line);
  const full = () => Promise.reject(new BlobError("full", "ENOSPC in /root"));
  const files = { append: full, hash: full, discard: () => Promise.resolve() };
  const upload = new Uploads({ files, budget: BUDGET, warn }).begin({}, "1");
  await upload.append(new Uint8Array(1));
  await assert.rejects(upload.finish(), (error) => {
    assert(error instanceof LarderError);
    assert.equal(error.code, "storage-full");
    assert.doesNotMatch(error.message, /root/, "no paths for clients");
    return true;
  });
  const { engine, clock } = memoryEngine();
  const fail = () => {
    const options = { cause: "disk I/O error" };
    const message = "The manifest did not answer";
    return Promise.reject(new LarderError("manifest-failed", message, options));
  };
  const catalog = new Catalog({
    root: "/root",
    engine,
    clock,
    manifest: { stat: fail, list: fail, usagePage: fail },
    blobs: { removeEmpty: fail },
    space: new Known(fail, clock),
    limits: {},
    evictor: { sweep: fail, stats: { entries: 0, bytes: 0 } },
    damaged: () => 0,
    warn,
  });
  await assert.rejects(catalog.stat("ns", new Uint8Array()), LarderError);
  await assert.rejects(
    catalog.totals({ pageSize: 1, token: "" }, () => true),
    LarderError,
  );
  const page = { pageSize: 1, token: "" };
  await assert.rejects(catalog.list("ns", page), LarderError);
  assert.deepEqual(lines, [
    "an upload failed: ENOSPC in /root",
    ...Array(3).fill("a look-up failed: disk I/O error"),
  ]);
});
