/**
 * A blob worker without a thread: it does the same on whatever disk it is
 * given, in microtasks.
 *
 * @module
 */

import type { FromWorker, ToWorker } from "../../../workers/blob_protocol.ts";
import { BlobSession } from "../../../workers/blob_session.ts";
import type { Settle, Steps } from "../../../workers/blob_steps.ts";
import type { FileSystem } from "../../../workers/file_system.ts";
import type { WorkerPort } from "../worker_handle.ts";

/** Does what the thread would do, between two steps of whoever asked. */
export class InlineWorker implements WorkerPort {
  onmessage: WorkerPort["onmessage"] = null;
  onmessageerror: WorkerPort["onmessageerror"] = null;
  onerror: WorkerPort["onerror"] = null;
  readonly #session: BlobSession;
  #ended = false;

  /** A worker on these files. */
  constructor(fs: FileSystem) {
    this.#session = new BlobSession({
      fs,
      run: (steps, settle) => void run(steps, settle),
      post: (outcomes, transfer) => this.#answer(outcomes, transfer),
    });
  }

  /** {@inheritDoc WorkerPort.postMessage} */
  postMessage(message: ToWorker, transfer: ArrayBuffer[]): void {
    const heard = structuredClone(message, { transfer });
    queueMicrotask(() => {
      if (!this.#ended) this.#session.hear(heard);
    });
  }

  /** {@inheritDoc WorkerPort.terminate} */
  terminate(): void {
    this.#ended = true;
  }

  #answer(outcomes: FromWorker, transfer: ArrayBuffer[]): void {
    const data = structuredClone(outcomes, { transfer });
    queueMicrotask(() => {
      if (!this.#ended) this.onmessage?.(new MessageEvent("message", { data }));
    });
  }
}

async function run(steps: Steps<unknown>, settle: Settle): Promise<void> {
  let next: IteratorResult<Promise<void> | undefined, unknown>;
  try {
    next = steps.next();
    while (!next.done) {
      try {
        await next.value;
      } catch (error) {
        next = steps.throw(error);
        continue;
      }
      next = steps.next();
    }
  } catch (cause) {
    return settle(undefined, { cause });
  }
  settle(next.value);
}
