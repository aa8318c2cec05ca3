import assert from "node:assert/strict";
import type { ToWorker } from "../../workers/blob_protocol.ts";
import { sha256Hex } from "../../workers/digest.ts";
import { BlobError } from "./blob_store.ts";
import {
  bytesOf,
  digestOf,
  nameOf,
  rejectsWith,
} from "./testing/blob_store_contract.ts";
import { openTestRoot } from "./testing/test_root.ts";
import { spawnWorker, WorkerBlobStore } from "./worker_blob_store.ts";
import type { WorkerPort } from "./worker_handle.ts";
import { WorkerPool } from "./worker_pool.ts";

const MIB = 1024 * 1024;

/** A message no worker understands: it throws where nothing catches it, and dies. */
function kill(worker: Worker | undefined): void {
  assert.ok(worker);
  worker.postMessage(null);
}

/** A published value of so many MiB, without making it in memory. */
async function publishLarge(
  harness: Awaited<ReturnType<typeof openTestRoot>>,
  mib: number,
) {
  const { local } = harness.store;
  using file = await Deno.open(local.stagingPath("large"), {
    write: true,
    create: true,
  });
  await file.truncate(mib * MIB);
  await local.capture("large");
  const digest = await local.hash("large");
  await local.install("large", nameOf(0));
  return digest;
}

Deno.test("a hash of 512 MiB does not hold up reads and writes of 1 KiB", async () => {
  await using harness = await openTestRoot({ workers: 1 });
  const { store } = harness;
  const { digest } = await store.put(nameOf(1), bytesOf(1024));
  const large = await publishLarge(harness, 512);
  const order: string[] = [];
  const note = (what: string) => () => void order.push(what);
  await Promise.all([
    store.verify(nameOf(0), large).then(note("large")),
    store.read(nameOf(1), digest)
      .then(() => store.put(nameOf(2), bytesOf(1024)))
      .then(() => store.read(nameOf(1), digest))
      .then(note("small")),
  ]);
  assert.deepEqual(order, ["small", "large"]);
  assert.equal(harness.workers.length, 1);
});

Deno.test("a file of 2 MiB does not wait for those that are huge", async () => {
  await using harness = await openTestRoot({ workers: 1 });
  const { local } = harness.store;
  const files = [
    ...Array.from({ length: 6 }, (_, i) => [`huge ${i}`, 100 * MIB] as const),
    ["large", 2 * MIB] as const,
  ];
  for (const [name, size] of files) {
    await Deno.writeFile(local.stagingPath(name), new Uint8Array());
    await Deno.truncate(local.stagingPath(name), size);
    await local.capture(name);
  }
  const hashed: string[] = [];
  await Promise.all(files.map(async ([name, size]) => {
    await local.hash(name, size);
    hashed.push(name);
  }));
  assert.equal(hashed[0], "large", hashed.join(", "));
});

Deno.test("a worker that dies in the middle is replaced: reads go on, writes fail", async () => {
  await using harness = await openTestRoot({ workers: 1 });
  const { store } = harness;
  const { digest } = await store.put(nameOf(1), bytesOf(1024));
  const large = await publishLarge(harness, 64);
  const verifying = store.verify(nameOf(0), large);
  const putting = store.put(nameOf(2), bytesOf(32 * MIB));
  // Sent right behind the two: the put has its file by then, and no bytes.
  await Promise.resolve();
  kill(harness.workers[0]);
  await rejectsWith(putting, "failed");
  assert.deepEqual((await verifying).digest, large);
  assert.deepEqual(await store.read(nameOf(1), digest), bytesOf(1024));
  assert.equal(harness.workers.length, 2);
  await rejectsWith(store.read(nameOf(2), digest), "missing");
  // The torn temporary file of the dead worker has been swept by now.
  await store.local.sweepPrivate();
  assert.deepEqual([...Deno.readDirSync(`${harness.root}/.private`)], []);
});

Deno.test("an operation that two workers died of fails", async () => {
  const workers: Worker[] = [];
  let deadly = false;
  await using harness = await openTestRoot({
    workers: 1,
    spawn(root) {
      const worker = spawnWorker(root);
      // Behind its configuration, ahead of any work.
      if (deadly) queueMicrotask(() => kill(worker));
      workers.push(worker);
      return worker;
    },
  });
  const large = await publishLarge(harness, 64);
  deadly = true;
  const verifying = harness.store.verify(nameOf(0), large);
  kill(workers[0]);
  await rejectsWith(verifying, "failed");
  deadly = false;
  await harness.store.verify(nameOf(0), large);
});

Deno.test("what a worker died of is given to the next one in the order that it came", async () => {
  const ports: WorkerPort[] = [];
  const given: string[][] = [];
  const spawn = () => {
    const ops: string[] = [];
    given.push(ops);
    const port: WorkerPort = {
      onmessage: null,
      onmessageerror: null,
      onerror: null,
      postMessage(message) {
        const said = "ops" in message ? message.ops : [{ seq: 0, op: null }];
        for (const { op } of said) {
          if (op?.kind === "probe") ops.push(op.staging);
        }
        // The first one never answers what it is asked.
        if (given.length === 1 && "ops" in message) return;
        const data = said.map(({ seq }) => ({ seq, value: undefined }));
        queueMicrotask(() =>
          port.onmessage?.(new MessageEvent("message", { data }))
        );
      },
      terminate() {},
    };
    ports.push(port);
    return port;
  };
  const config = { root: "/", ino: "1", strict: false, memory: "" };
  const pool = new WorkerPool({
    size: 1,
    spawn,
    config: { ...config, keepCaptures: false },
    onSpent() {},
  });
  const names = Array.from({ length: 20 }, (_, at) => `${at}`);
  const probing = names.map((staging) =>
    pool.run<"probe">({ kind: "probe", staging }, { retriable: true })
  );
  // They are on their way in the next turn.
  await new Promise((resolve) => setTimeout(resolve));
  ports[0]!.onerror?.(new ErrorEvent("error", { message: "it died" }));
  await Promise.all(probing);
  assert.deepEqual(given, [names, names]);
  await pool.close();
});

Deno.test("a capture that a worker died of looks for what is left of it", async () => {
  const captures: unknown[] = [];
  const workers: Worker[] = [];
  await using harness = await openTestRoot({
    workers: 1,
    spawn(root) {
      const worker = spawnWorker(root);
      const post = worker.postMessage.bind(worker);
      worker.postMessage = (message: ToWorker | null, transfer?: unknown) => {
        const ops = message && "ops" in message ? message.ops : [];
        for (const { op } of ops) if (op.kind === "capture") captures.push(op);
        post(message, transfer as Transferable[]);
      };
      workers.push(worker);
      return worker;
    },
  });
  const { store: { local } } = harness;
  Deno.writeFileSync(local.stagingPath("one"), bytesOf(10));
  const capturing = local.capture("one", { first: true, mostBytes: 100 });
  kill(workers[0]);
  assert.deepEqual((await capturing).digest, digestOf(bytesOf(10)));
  const op = { kind: "capture", staging: "one", mostBytes: 100 };
  assert.deepEqual(captures, [
    { ...op, first: true },
    { ...op, first: false },
  ]);
});

Deno.test("close ends also when a worker dies meanwhile", async () => {
  await using harness = await openTestRoot({ workers: 1 });
  const large = await publishLarge(harness, 64);
  const putting = harness.store.put(nameOf(2), bytesOf(16 * MIB));
  const failed = rejectsWith(putting, "failed");
  const verifying = harness.store.verify(nameOf(0), large);
  const closing = harness.store.close();
  kill(harness.workers[0]);
  await failed;
  assert.deepEqual((await verifying).digest, large);
  await closing;
});

Deno.test("a full queue refuses, and the caller keeps the bytes", async () => {
  await using harness = await openTestRoot({
    maxQueue: 10,
    maxQueueBytes: 3 * MIB,
  });
  const { store } = harness;
  const running = Array.from(
    { length: 10 },
    (_, index) => store.put(nameOf(index), bytesOf(10)),
  );
  await rejectsWith(store.put(nameOf(11), bytesOf(10)), "overloaded");
  await rejectsWith(store.list("space.one"), "overloaded");
  await Promise.all(running);

  // Larger than the queue, but alone.
  const alone = store.put(nameOf(1), bytesOf(4 * MIB));
  const refused = bytesOf(MIB);
  await rejectsWith(store.put(nameOf(2), refused), "overloaded");
  assert.deepEqual(digestOf(refused), digestOf(bytesOf(MIB)));
  await alone;
  await store.put(nameOf(2), refused);
});

Deno.test("the first worker does alone until it has its hands full", async () => {
  await using harness = await openTestRoot({ workers: 3 });
  const { store } = harness;
  await store.put(nameOf(1), bytesOf(10));
  await store.namespaces();
  assert.equal(harness.workers.length, 1);
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(
      Array.from(
        { length: 100 },
        (_, index) => store.put(nameOf(index), bytesOf(1000)),
      ),
    );
  }
  assert.equal(harness.workers.length, 3);
});

Deno.test("open fails cleanly where the root or the worker cannot be opened", async () => {
  await rejectsWith(WorkerBlobStore.open({ root: "/no/such/root" }), "failed");
  await using harness = await openTestRoot();
  const { root } = harness;
  const script = (source: string) => () =>
    new Worker(`data:text/javascript,${encodeURIComponent(source)}`, {
      type: "module",
    });
  for (
    const source of ["throw new Error('cannot start')", "this is no script"]
  ) {
    await rejectsWith(
      WorkerBlobStore.open({ root, spawn: script(source) }),
      "failed",
    );
  }
  const spawn = () => {
    throw new Error("no more threads");
  };
  await rejectsWith(WorkerBlobStore.open({ root, spawn }), "failed");
  await Deno.writeTextFile(`${root}/file`, "");
  await assert.rejects(
    WorkerBlobStore.open({ root: `${root}/file` }),
    BlobError,
  );
});

Deno.test("put consumes a large value and leaves a pool's other users alone", async () => {
  await using harness = await openTestRoot();
  const { store } = harness;
  const message = bytesOf(MIB);
  const view = message.subarray(100, 100 + 300 * 1024);
  const { digest } = await store.put(nameOf(1), view);
  assert.equal(
    digest.sha256,
    sha256Hex(message.subarray(100, 100 + 300 * 1024)),
  );
  assert.deepEqual(digestOf(message), digestOf(bytesOf(MIB)));

  const own = message.subarray(8);
  const stored = await store.put(nameOf(2), own);
  assert.deepEqual(stored.digest, digestOf(bytesOf(MIB).subarray(8)));
  assert.ok(message.buffer.detached);
  // Read as empty it would be published as an empty value.
  await assert.rejects(store.put(nameOf(3), own), /given away/);
});
