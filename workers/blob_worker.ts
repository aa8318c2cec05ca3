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

import type {
  Failure,
  FromWorker,
  Op,
  Outcome,
  ToWorker,
  WorkerConfig,
} from "./blob_protocol.ts";
import { toFailure } from "./blob_files.ts";
import { Folders } from "./blob_folders.ts";
import {
  append,
  capture,
  discard,
  hash,
  install,
  leftovers,
  probe,
  sweepPrivate,
} from "./blob_staging.ts";
import { Scheduler, type Steps } from "./blob_steps.ts";
import {
  list,
  measure,
  namespaces,
  put,
  quarantine,
  read,
  readRange,
  rehearse,
  remove,
  removeEmpty,
  space,
  sweep,
  verify,
} from "./blob_values.ts";
import { SPENT_BYTES } from "./spent.ts";
import { Written } from "./written.ts";

/** The part of a worker's global scope that is used; the type checker assumes a window's. */
interface Port {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer: Transferable[]): void;
}

const port = globalThis as unknown as Port;
const scheduler = new Scheduler();
let outbox: Outcome[] = [];
const written = new Written();
let folders: Folders | undefined;

port.onmessage = ({ data }) => {
  if ("config" in data) {
    begin(data.config);
  } else {
    for (const { seq, op } of data.ops) {
      scheduler.run(perform(op), (value, error) => {
        const spent = spentOf(op);
        report({
          seq,
          ...spent && { spent },
          ...error ? { failure: explain(op, error.cause) } : { value },
        });
      });
    }
  }
  flush();
};

function begin(config: WorkerConfig): void {
  try {
    folders = new Folders(config);
    report({ seq: 0, value: undefined });
  } catch (error) {
    report({ seq: 0, failure: toFailure(error) });
  }
}

/** What is missing because its root or folder went away is not lost. */
function explain(op: Op, cause: unknown): Failure {
  const failure = toFailure(cause);
  if (failure.code !== "missing") return failure;
  try {
    folders?.checkRoot();
  } catch (error) {
    return toFailure(error);
  }
  // These need no file that could be missing: a folder was.
  const brings = ["put", "append", "rehearse", "sync"].includes(op.kind);
  return brings ? { ...failure, code: "failed" } : failure;
}

/** What settles in one turn goes back in one message. */
function report(outcome: Outcome): void {
  if (outbox.length === 0) queueMicrotask(flush);
  outbox.push(outcome);
}

function flush(): void {
  if (outbox.length === 0) return;
  const transfer: ArrayBuffer[] = [];
  for (const outcome of outbox) {
    if (outcome.spent) transfer.push(outcome.spent);
    const value = "value" in outcome ? outcome.value : undefined;
    if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer) {
      transfer.push(value.buffer);
    }
  }
  const outcomes = outbox;
  outbox = [];
  port.postMessage(outcomes, transfer);
}

/** What an operation has brought: it goes back where it may serve again. */
function spentOf(op: Op): ArrayBuffer | undefined {
  if (op.kind !== "put" && op.kind !== "append") return undefined;
  const { buffer } = op.value;
  if (!(buffer instanceof ArrayBuffer)) return undefined;
  if (buffer.byteLength >= SPENT_BYTES) return buffer;
  // Frees the bytes now, not when V8 gets to it: they look tiny to it.
  buffer.transfer(0);
  return undefined;
}

function* perform(op: Op): Steps<unknown> {
  if (!folders) return; // The pool has been told: it has given this worker up.
  switch (op.kind) {
    case "put":
      return yield* put(folders, op);
    case "append":
      return yield* append(folders, written, op);
    case "read":
      return yield* read(folders, op);
    case "read-range":
      return readRange(folders, op);
    case "verify":
      return yield* verify(folders, op);
    case "remove":
      return yield* remove(folders, op);
    case "quarantine":
      return yield* quarantine(folders, op);
    case "measure":
      return measure(folders, op);
    case "space":
      return space(folders);
    case "namespaces":
      return yield* namespaces(folders);
    case "list":
      return yield* list(folders, op);
    case "remove-empty":
      return removeEmpty(folders, op);
    case "sweep":
      return yield* sweep(folders, op);
    case "probe":
      return probe(folders, op);
    case "capture":
      return yield* capture(folders, op);
    case "hash":
      return yield* hash(folders, written, op);
    case "install":
      return yield* install(folders, op);
    case "discard":
      return yield* discard(folders, written, op);
    case "sync":
      return yield* folders.sync(op.folder);
    case "rehearse":
      return yield* rehearse(folders, op);
    case "leftovers":
      return yield* leftovers(folders);
    case "sweep-private":
      return yield* sweepPrivate(folders, op);
  }
}
