import assert from "node:assert/strict";
import type { ToWorker } from "../../workers/blob_protocol.ts";
import { FakeClock } from "../clock.ts";
import type { WorkerPort } from "./worker_handle.ts";
import { WorkerPool } from "./worker_pool.ts";

/** A worker that answers when the test says so, everything in one message. */
class SlowPort implements WorkerPort {
  onmessage: WorkerPort["onmessage"] = null;
  onmessageerror: WorkerPort["onmessageerror"] = null;
  onerror: WorkerPort["onerror"] = null;
  #unanswered: number[] = [];

  get jobs(): number {
    return this.#unanswered.filter((seq) => seq > 0).length;
  }

  postMessage(message: ToWorker): void {
    const seqs = "ops" in message ? message.ops.map(({ seq }) => seq) : [0];
    this.#unanswered.push(...seqs);
  }

  terminate(): void {}

  answer(): void {
    const data = this.#unanswered.map((seq) => ({ seq, value: undefined }));
    this.#unanswered = [];
    if (data.length === 0) return;
    this.onmessage?.(new MessageEvent("message", { data }));
  }
}

Deno.test("small jobs go to one worker together while it is quick, else to all", async () => {
  const clock = new FakeClock();
  const ports: SlowPort[] = [];
  const pool = new WorkerPool({
    size: 2,
    spawn() {
      ports.push(new SlowPort());
      return ports.at(-1)!;
    },
    onSpent() {},
    config: {
      root: "/root",
      ino: "1",
      strict: false,
      memory: "",
      keepCaptures: false,
    },
    clock,
  });
  /** Asks for so much at once; how much of it each worker got. */
  const share = async (jobs: number, eachMs = 0) => {
    const running = Array.from(
      { length: jobs },
      () => pool.run<"space">({ kind: "space" }),
    );
    await Promise.resolve();
    const shares = ports.map((port) => port.jobs);
    clock.advance(eachMs * Math.max(...shares));
    // What waits for room comes when there is some.
    while (ports.some((port) => port.jobs > 0)) {
      for (const port of ports) port.answer();
      await Promise.resolve();
    }
    for (const port of ports) port.answer();
    await Promise.all(running);
    return shares;
  };

  await share(1);
  // The second one is started when the first has its hands full.
  await share(100);
  assert.equal(ports.length, 2);
  assert.deepEqual(await share(10), [10, 0]);
  assert.deepEqual(await share(40), [32, 8]);
  for (let round = 0; round < 10; round += 1) await share(10, 10);
  assert.deepEqual(await share(10), [5, 5]);
  for (let round = 0; round < 50; round += 1) await share(10, 0.1);
  assert.deepEqual(await share(10), [10, 0]);
  await pool.close();
});
