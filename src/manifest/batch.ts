/**
 * One message's worth of operations: how they are packed, and how the worker's
 * answer reaches each of them.
 *
 * @module
 */

import type {
  FromManifestWorker,
  OperationFault,
  Outcome,
  PackedOperation,
  ToManifestWorker,
} from "../../workers/manifest_protocol.ts";
import { LarderError } from "../errors.ts";

/** An operation and whoever waits for it. */
export interface Waiting {
  /** What the worker is to do. */
  readonly operation: PackedOperation;
  /** The entry's key; empty where the operation has none. */
  readonly key: Uint8Array;
  /** When it was asked for. */
  readonly beganMs: number;
  /** Takes the outcome, after the commit. */
  resolve(outcome: Outcome): void;
  /** Takes the failure; nothing was changed. */
  reject(error: Error): void;
}

/** The message that carries a batch. */
export function batchMessage(batch: readonly Waiting[]): ToManifestWorker {
  const operations = batch.map((waiting) => waiting.operation);
  const keys = packKeys(batch.map((waiting) => waiting.key));
  return { kind: "batch", operations, keys };
}

/** The keys in one buffer: a view would carry the whole buffer it is of along. */
export function packKeys(keys: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const key of keys) length += key.length;
  const packed = new Uint8Array(length);
  let offset = 0;
  for (const key of keys) {
    packed.set(key, offset);
    offset += key.length;
  }
  return packed;
}

/**
 * Hands the worker's answer out: a batch that was rolled back fails as a whole.
 *
 * @returns Why it did, if so.
 */
export function settle(
  batch: readonly Waiting[],
  answer: FromManifestWorker,
): LarderError | undefined {
  if (answer.kind !== "done") {
    const error = batchError(answer);
    rejectAll(batch, error);
    return error;
  }
  for (const [index, waiting] of batch.entries()) {
    const outcome = answer.outcomes[index];
    if (outcome === undefined) {
      waiting.reject(failed("The manifest did not answer"));
    } else if (isFault(outcome)) {
      waiting.reject(failed("The manifest refused a change", outcome.fault));
    } else {
      waiting.resolve(outcome);
    }
  }
  return undefined;
}

/** Fails every operation of a batch. */
export function rejectAll(batch: readonly Waiting[], error: LarderError): void {
  for (const waiting of batch) waiting.reject(error);
}

/** A failure of the manifest; what SQLite said is the cause, for the log. */
export function failed(message: string, cause?: unknown): LarderError {
  return new LarderError("manifest-failed", message, { cause });
}

function batchError(answer: FromManifestWorker): LarderError {
  if (answer.kind !== "failed") return failed("The manifest did not answer");
  if (answer.fault === "full") {
    const message = "the disk of the cache is full: make room on it";
    return new LarderError("storage-full", message, { cause: answer.message });
  }
  const message = "the manifest fails now: `larder status` says why";
  return failed(message, answer.message);
}

function isFault(outcome: Outcome): outcome is OperationFault {
  return typeof outcome === "object" && outcome !== null && "fault" in outcome;
}
