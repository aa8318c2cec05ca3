import assert from "node:assert/strict";
import type { Op, ToWorker } from "../../workers/blob_protocol.ts";
import { bytesOf, digestOf, nameOf } from "./testing/blob_store_contract.ts";
import { openTestRoot, type TestRoot } from "./testing/test_root.ts";
import { spawnWorker } from "./worker_blob_store.ts";

/** What is done to the folder syncs on their way to the workers. */
class Gate {
  /** Folders whose sync was asked for. */
  readonly asked: string[] = [];
  #held: (() => void)[] = [];
  #open = true;
  #onAsked: (() => void) | undefined;

  /** From now on syncs stay on their way. */
  hold(): void {
    this.#open = false;
  }

  /** Lets those through that were held. */
  release(): void {
    this.#open = true;
    for (const go of this.#held.splice(0)) go();
  }

  /** Resolves when a sync is held. */
  async untilHeld(): Promise<void> {
    while (this.#held.length === 0) {
      await new Promise<void>((resolve) => this.#onAsked = resolve);
    }
  }

  /** A worker behind this gate. */
  spawn(root: string): Worker {
    const worker = spawnWorker(root);
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (
      message: ToWorker,
      transfer?: Transferable[] | StructuredSerializeOptions,
    ) => {
      if (!("ops" in message)) return post(message);
      const isSync = ({ op }: { op: Op }) => op.kind === "sync";
      const others = message.ops.filter((each) => !isSync(each));
      if (others.length > 0) {
        // What the pool sends has buffers, and no other options.
        post({ ops: others }, transfer as Transferable[]);
      }
      for (const each of message.ops.filter(isSync)) {
        if (each.op.kind === "sync") this.asked.push(each.op.folder);
        if (this.#open) post({ ops: [each] });
        else this.#held.push(() => post({ ops: [each] }));
      }
      this.#onAsked?.();
    };
    return worker;
  }
}

function openStrict(gate: Gate): Promise<TestRoot> {
  return openTestRoot({
    durability: "strict",
    spawn: (root) => gate.spawn(root),
  });
}

/** Whether a promise is still waiting after everything else has had its turn. */
async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
  let waiting = true;
  promise.then(() => waiting = false, () => waiting = false);
  await new Promise((resolve) => setTimeout(resolve));
  return waiting;
}

Deno.test("a strict store acknowledges nothing before its folder is synced", async () => {
  const gate = new Gate();
  await using harness = await openStrict(gate);
  const { store, store: { local } } = harness;
  harness.stage("small", bytesOf(10));
  harness.stage("large", bytesOf(2_000_000));
  const steps: [string, () => Promise<unknown>][] = [
    ["space.one", () => store.put(nameOf(1), bytesOf(10))],
    [".private", () => local.capture("small")],
    ["space.one", () => local.install("small", nameOf(2))],
    [".private", () => local.capture("large")],
    [".private", () => local.hash("large")],
    ["space.one", () => local.install("large", nameOf(3))],
  ];
  for (const [folder, step] of steps) {
    gate.asked.length = 0;
    gate.hold();
    const running = step();
    await gate.untilHeld();
    assert.deepEqual(gate.asked, [folder]);
    assert(await isWaiting(running));
    gate.release();
    await running;
  }
});

Deno.test("32 puts into one namespace share their folder's syncs", async () => {
  const gate = new Gate();
  await using harness = await openStrict(gate);
  const { store } = harness;
  await store.put(nameOf(0), bytesOf(10));
  gate.asked.length = 0;
  gate.hold();
  const puts = Array.from(
    { length: 32 },
    (_, index) => store.put(nameOf(index), bytesOf(10)),
  );
  await gate.untilHeld();
  while ((await store.list("space.one")).length < 32);
  gate.release();
  await Promise.all(puts);
  assert(gate.asked.length <= 8, `${gate.asked.length} syncs`);
});

Deno.test("a value in doubt is synced when it is verified, and then no more", async () => {
  const gate = new Gate();
  await using harness = await openStrict(gate);
  const { store, store: { local } } = harness;
  const { digest, stamp } = await store.put(nameOf(1), bytesOf(10));
  assert.deepEqual(digest, digestOf(bytesOf(10)));
  gate.asked.length = 0;
  await store.verify(nameOf(1), digest, stamp);
  assert.deepEqual(gate.asked, [], "reading costs no sync");
  local.doubt(nameOf(1));
  gate.hold();
  const verifying = store.verify(nameOf(1), digest, stamp);
  await gate.untilHeld();
  assert(await isWaiting(verifying));
  gate.release();
  await verifying;
  await store.verify(nameOf(1), digest);
  assert.deepEqual(gate.asked, ["space.one"]);
});
