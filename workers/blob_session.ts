/**
 * What a blob worker does with its messages: wherever it runs, on whatever
 * disk.
 *
 * @module
 */

import type {
  Failure,
  FailureCode,
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
import type { Settle, Steps } from "./blob_steps.ts";
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
import type { FileSystem } from "./file_system.ts";
import { SPENT_BYTES } from "./spent.ts";
import { Written } from "./written.ts";

/** What tells of a value, in its own root, that it is lost. */
const LOSSES: readonly FailureCode[] = ["missing", "damaged", "not-a-file"];

/** What a session runs on. */
export interface SessionHost {
  readonly fs: FileSystem;
  /** Does the steps, and calls `settle` when they end. */
  readonly run: (steps: Steps<unknown>, settle: Settle) => void;
  /** Sends what has settled. */
  readonly post: (outcomes: FromWorker, transfer: ArrayBuffer[]) => void;
}

/** The work of one worker. */
export class BlobSession {
  readonly #host: SessionHost;
  readonly #written = new Written();
  #outbox: Outcome[] = [];
  #folders: Folders | undefined;

  /** Waits for its configuration. */
  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** Begins what a message asks for. */
  hear(message: ToWorker): void {
    if ("config" in message) {
      this.#begin(message.config);
    } else {
      const folders = this.#folders;
      // Without them the pool has been told, and has given this worker up.
      folders?.inOneTurn(() => this.#beginAll(folders, message.ops));
    }
    this.#flush();
  }

  #beginAll(
    folders: Folders,
    ops: Extract<ToWorker, { ops: unknown }>["ops"],
  ): void {
    for (const { seq, op } of ops) {
      this.#host.run(this.#perform(folders, op), (value, error) => {
        const spent = spentOf(op);
        this.#report({
          seq,
          ...spent && { spent },
          ...error ? { failure: this.#explain(op, error.cause) } : { value },
        });
      });
    }
  }

  #begin(config: WorkerConfig): void {
    try {
      this.#folders = new Folders(this.#host.fs, config);
      this.#report({ seq: 0, value: undefined });
    } catch (error) {
      this.#report({ seq: 0, failure: toFailure(error) });
    }
  }

  /**
   * What is missing because its root or folder went away is not lost, nor is
   * what looks different in another root.
   */
  #explain(op: Op, cause: unknown): Failure {
    const failure = toFailure(cause);
    if (!LOSSES.includes(failure.code)) return failure;
    try {
      this.#folders?.checkRoot();
    } catch (error) {
      return toFailure(error);
    }
    if (failure.code !== "missing") return failure;
    // These need no file that could be missing: a folder was.
    const brings = ["put", "append", "rehearse", "sync"].includes(op.kind);
    return brings ? { ...failure, code: "failed" } : failure;
  }

  /** What settles in one turn goes back in one message. */
  #report(outcome: Outcome): void {
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(outcome);
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    const transfer: ArrayBuffer[] = [];
    for (const outcome of this.#outbox) {
      if (outcome.spent) transfer.push(outcome.spent);
      const value = "value" in outcome ? outcome.value : undefined;
      if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer) {
        transfer.push(value.buffer);
      }
    }
    const outcomes = this.#outbox;
    this.#outbox = [];
    this.#host.post(outcomes, transfer);
  }

  *#perform(folders: Folders, op: Op): Steps<unknown> {
    switch (op.kind) {
      case "put":
        return yield* put(folders, op);
      case "append":
        return yield* append(folders, this.#written, op);
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
        return yield* hash(folders, this.#written, op);
      case "install":
        return yield* install(folders, op);
      case "discard":
        return yield* discard(folders, this.#written, op);
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
