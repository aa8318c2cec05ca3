/**
 * A blob worker: file operations and hashing, off the main isolate, allowed to
 * read and write the root and nothing else. Its file calls are synchronous,
 * which is faster than async for what is small; what is large comes in slices.
 *
 * Anything wrong with a message is a bug of ours: it throws, the worker dies,
 * and the pool replaces it.
 *
 * @module
 */

import type { FromWorker, ToWorker } from "./blob_protocol.ts";
import { BlobSession } from "./blob_session.ts";
import { Scheduler } from "./blob_steps.ts";
import { denoFiles } from "./deno_files.ts";

/** The part of a worker's global scope that is used; the type checker assumes a window's. */
interface Port {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer: Transferable[]): void;
}

const port = globalThis as unknown as Port;
const scheduler = new Scheduler();
const session = new BlobSession({
  fs: denoFiles,
  run: (steps, settle) => scheduler.run(steps, settle),
  post: (outcomes, transfer) => port.postMessage(outcomes, transfer),
});

port.onmessage = ({ data }) => session.hear(data);
