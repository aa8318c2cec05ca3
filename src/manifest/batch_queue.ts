/**
 * Gathers the operations of a turn of the event loop into one message, which
 * the worker makes one transaction; replaces a worker that died.
 *
 * @module
 */

import type {
  ArgumentsOf,
  OperationName,
  ResultOf,
} from "../../workers/manifest_operations.ts";
import type {
  Durability,
  FromManifestWorker,
  Makes,
  Outcome,
  PackedOperation,
} from "../../workers/manifest_protocol.ts";
import { LarderError, StartError } from "../errors.ts";
import { MAX_MANIFEST_QUEUE } from "../limits.ts";
import {
  batchMessage,
  failed,
  rejectAll,
  settle,
  type Waiting,
} from "./batch.ts";
import { type SpawnManifestWorker, WorkerSession } from "./worker_session.ts";

/** Operations of one transaction: keeps it, and the wait behind it, within some 20 ms. */
const MAX_BATCH_OPERATIONS = 1_024;
/** Bytes of keys in one message: a thousand of the longest would be 64 MiB. */
const MAX_BATCH_KEY_BYTES = 4 * 1024 * 1024;
/** After an opening that led nowhere, operations fail at once for this long. */
const REOPEN_PAUSE_MS = 500;

/** What a {@linkcode BatchQueue} needs. */
export interface BatchQueueOptions {
  /** The folder that is served, absolute. */
  readonly root: string;
  /** How a commit reaches the disk. */
  readonly durability: Durability;
  /** Where one that is missing is made. */
  readonly makes: Makes;
  /** The wall clock. */
  readonly wallMs: () => number;
  /** Is told how long each operation took. */
  readonly onTook?: ((kind: string, ms: number) => void) | undefined;
  /** Makes the worker. */
  readonly spawn: SpawnManifestWorker;
}

/** What has been sent so far. */
export interface BatchStats {
  /** Messages, each of them a transaction. */
  readonly batches: number;
  /** Operations in them. */
  readonly operations: number;
  /** Workers that were started, the first included. */
  readonly workers: number;
}

const NO_KEY: Uint8Array = new Uint8Array(0);

/** Operations on their way to the worker. */
export class BatchQueue {
  /** Whether the root had been served before the first opening. */
  servedBefore = false;
  /** Is told of each batch that failed as a whole, before those who wait for it. */
  onFailed: (error: LarderError) => void = () => {};
  readonly #options: BatchQueueOptions;
  readonly #queue: Waiting[] = [];
  #session: WorkerSession | undefined;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #flushScheduled = false;
  /** Operations of the batch that the worker has; the next one gathers meanwhile. */
  #inFlight = 0;
  /** The session has answered a batch: its death was not the opening's fault. */
  #proven = false;
  #notBeforeMs = 0;
  #wakeIdle: (() => void) | undefined;
  #batches = 0;
  #operations = 0;
  #workers = 0;

  private constructor(options: BatchQueueOptions) {
    this.#options = options;
  }

  /** Opens the root's manifest; rejects with a `StartError` when it cannot be served. */
  static async open(options: BatchQueueOptions): Promise<BatchQueue> {
    const queue = new BatchQueue(options);
    queue.servedBefore = await queue.#startWorker(options.makes);
    return queue;
  }

  /** What has been sent so far. */
  get stats(): BatchStats {
    return {
      batches: this.#batches,
      operations: this.#operations,
      workers: this.#workers,
    };
  }

  /** Sends an operation with the next batch; resolves after its commit. */
  call<K extends OperationName>(
    name: K,
    args: ArgumentsOf<K>,
    key: Uint8Array = NO_KEY,
  ): Promise<ResultOf<K>> {
    if (this.#closing) {
      return Promise.reject(failed("The manifest is closed"));
    }
    if (this.#queue.length + this.#inFlight >= MAX_MANIFEST_QUEUE) {
      return Promise.reject(
        new LarderError("overloaded", "Too much waits for the manifest"),
      );
    }
    const operation = [name, key.length, ...args] as const;
    const beganMs = this.#options.onTook ? performance.now() : 0;
    return new Promise<ResultOf<K>>((resolve, reject) => {
      this.#queue.push({
        // The compiler does not see that name and arguments belong together, and
        // that the outcome is theirs.
        operation: operation as unknown as PackedOperation,
        key,
        beganMs,
        resolve: resolve as (outcome: Outcome) => void,
        reject,
      });
      this.#scheduleFlush();
    });
  }

  /** Sends what waits, closes the file, stops the worker; idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#shutDown();
  }

  /**
   * One batch at a time: a second in flight was no faster (the worker is busy
   * either way), and made smaller batches, so more messages and more syncs.
   */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#inFlight > 0) return;
    this.#flushScheduled = true;
    // After the turn's I/O callbacks, so that every request of it gets in.
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#queue.length === 0 || this.#inFlight > 0) return;
    if (this.#session) this.#send(this.#session, this.#takeBatch());
    else if (!this.#opening) this.#reopen();
  }

  #takeBatch(): Waiting[] {
    let count = 0;
    let keyBytes = 0;
    for (const waiting of this.#queue) {
      keyBytes += waiting.key.length;
      if (count > 0 && keyBytes > MAX_BATCH_KEY_BYTES) break;
      if (++count === MAX_BATCH_OPERATIONS) break;
    }
    return this.#queue.splice(0, count);
  }

  async #send(session: WorkerSession, batch: Waiting[]): Promise<void> {
    this.#batches++;
    this.#operations += batch.length;
    this.#inFlight = batch.length;
    try {
      const answer = await session.ask(batchMessage(batch));
      this.#tell(batch);
      const failure = settle(batch, answer);
      if (failure) this.onFailed(failure);
      this.#proven = true;
    } catch (error) {
      this.#reject(batch, failed("The manifest's worker died", error));
    }
    this.#inFlight = 0;
    if (this.#queue.length > 0) this.#scheduleFlush();
    else this.#wakeIdle?.();
  }

  #reject(waiting: readonly Waiting[], error: LarderError): void {
    this.#tell(waiting);
    this.onFailed(error);
    rejectAll(waiting, error);
  }

  #tell(ended: readonly Waiting[]): void {
    const { onTook } = this.#options;
    if (!onTook) return;
    const nowMs = performance.now();
    for (const { operation: [name], beganMs } of ended) {
      onTook(name, nowMs - beganMs);
    }
  }

  /** Starts a worker and opens the manifest in it. */
  async #startWorker(makes: Makes): Promise<boolean> {
    const { root, durability, wallMs, spawn } = this.#options;
    this.#workers++;
    const session = new WorkerSession(spawn(root), () => this.#lose(session));
    const answer = await session.ask(
      { kind: "open", root, durability, makes, nowMs: wallMs() },
    ).catch(refusal);
    if (answer.kind !== "opened") {
      const reason = answer.kind === "refused" ? answer.message : answer.kind;
      session.end(reason);
      throw new StartError(1, reason);
    }
    this.#proven = false;
    this.#session = session;
    return answer.servedBefore;
  }

  /**
   * A worker died in service. One that did something is replaced at once; one
   * that dies over its first batch again and again costs a pause each time.
   */
  #lose(session: WorkerSession): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    if (this.#proven) this.#reopen();
    else this.#giveUp(new Error("The manifest's worker dies on every batch"));
  }

  #reopen(): void {
    if (performance.now() < this.#notBeforeMs) {
      this.#reject(
        this.#queue.splice(0),
        failed("The manifest is out of order"),
      );
      this.#wakeIdle?.();
      return;
    }
    this.#opening = this.#startWorker("never").then(
      () => {
        this.#opening = undefined;
        this.#flush();
      },
      (error) => {
        this.#opening = undefined;
        this.#giveUp(error);
      },
    );
  }

  #giveUp(reason: unknown): void {
    this.#notBeforeMs = performance.now() + REOPEN_PAUSE_MS;
    this.#reject(
      this.#queue.splice(0),
      failed("The manifest is out of order", reason),
    );
    this.#wakeIdle?.();
  }

  async #shutDown(): Promise<void> {
    await this.#opening;
    while (this.#queue.length > 0 || this.#inFlight > 0) {
      await new Promise<void>((resolve) => this.#wakeIdle = resolve);
    }
    await this.#opening;
    const session = this.#session;
    this.#session = undefined;
    // A worker that dies now leaves a -wal behind, which the next start reads.
    await session?.ask({ kind: "close" }).catch(() => {});
    session?.end("The manifest is closed");
  }
}

/** A worker that dies over the opening has refused it, too. */
function refusal(error: Error): FromManifestWorker {
  return { kind: "refused", message: error.message };
}
