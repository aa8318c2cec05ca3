/**
 * The pool of blob workers: a bounded queue in front, what is quick together at
 * one worker, the rest at the least loaded, more workers as there is more to do,
 * a new one for each that dies.
 *
 * A worker costs 25 ms and 11 MB, so the first is started with the pool and
 * the others when the first has its hands full.
 *
 * @module
 */

import type {
  Op,
  OpKind,
  OpOf,
  Results,
  WorkerConfig,
} from "../../workers/blob_protocol.ts";
import { type Clock, systemClock } from "../clock.ts";
import { MAX_BLOB_QUEUE, MAX_BLOB_QUEUE_BYTES } from "../limits.ts";
import { BlobError } from "./blob_store.ts";
import {
  type Job,
  type Series,
  type WorkerEnd,
  WorkerHandle,
  type WorkerPort,
} from "./worker_handle.ts";

/** Jobs that one worker has at most; the rest waits for whoever is free first. */
const MAX_JOBS_PER_WORKER = 128;
/** Each large one may hold its value in memory. */
const MAX_LARGE_PER_WORKER = 4;
/** Of these; the others are for files that are hashed in a moment. */
const MAX_HUGE_PER_WORKER = 2;
/** Hashed and copied in a second or so: a large one need not wait for more. */
const HUGE_BYTES = 64 * 1024 * 1024;
/**
 * A worker that is quick is given more until it has this load, even if another
 * one has none: a second one that is woken for a few takes nearly twice as long
 * for each. They wait for each other a millisecond or two.
 */
const TOGETHER_LOAD = 32;
/** From this load on another worker is worth its start. */
const SPAWN_LOAD = 8;
/** A worker that is starting answers later: it counts as this much busier. */
const STARTING_LOAD = 32;
/** A job that two workers died of is to blame. */
const MAX_DEATHS = 2;
/** Workers whose temporary files are still to be swept, at most. */
const MAX_DEAD_TAGS = 100;
/** After a worker that could not start, those that run do alone for this long. */
const START_PAUSE_MS = 1_000;
/** How long `close` waits for a disk that does not answer. */
const CLOSE_TIMEOUT_MS = 10_000;

/** What a pool needs to start its workers. */
export interface WorkerPoolOptions {
  /** At most so many workers. */
  readonly size: number;
  /** Starts a worker. */
  readonly spawn: () => WorkerPort;
  /** What each is told, but for its tag. */
  readonly config: Omit<WorkerConfig, "tag">;
  /** Takes the buffers of what was written. */
  readonly onSpent: (buffer: ArrayBuffer) => void;
  /** Is told how long each operation took, queueing included. */
  readonly onTook?: ((kind: string, ms: number) => void) | undefined;
  /** Pauses and waits are by this one. */
  readonly clock?: Clock;
  /** Bounds; the defaults are those of limits.ts. */
  readonly maxQueue?: number;
  readonly maxQueueBytes?: number;
}

/** How a job is to be treated. */
export interface JobOptions {
  /** Bytes that it holds in memory while it is queued or runs. */
  readonly bytes?: number;
  /** It may take long. */
  readonly large?: boolean;
  /** How many bytes a large one reads or writes. */
  readonly length?: number;
  /** It may be done twice: a worker's death is then no failure. */
  readonly retriable?: boolean;
  /** Buffers that go with it. */
  readonly transfer?: ArrayBuffer[];
  /** A step of something that was accepted before: not refused any more. */
  readonly accepted?: boolean;
  /** Best done by the worker that has done the others of it. */
  readonly series?: Series | undefined;
}

/** Runs blob operations in workers; none is ever left without an answer. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #clock: Clock;
  readonly #workers = new Set<WorkerHandle>();
  /** Three lanes: no job waits behind much larger ones that found no room. */
  readonly #small: Job[] = [];
  readonly #large: Job[] = [];
  readonly #huge: Job[] = [];
  /** Begins the tags of all its workers. */
  readonly #tag = crypto.randomUUID().replaceAll("-", "");
  readonly #dead: string[] = [];
  #size: number;
  #noStartBeforeMs = 0;
  #spawned = 0;
  #unsettled = 0;
  #together = 0;
  #bytes = 0;
  #closed = false;
  #closing: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;

  /** Starts nothing yet; the first job does. */
  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#size = options.size;
  }

  /** What is queued or runs. */
  get underWay(): { readonly operations: number; readonly bytes: number } {
    return { operations: this.#unsettled, bytes: this.#bytes };
  }

  /** Why a job of so many bytes is not accepted now, if so. */
  refusal(bytes: number): BlobError | undefined {
    if (this.#closed) return closed();
    const { maxQueue = MAX_BLOB_QUEUE, maxQueueBytes = MAX_BLOB_QUEUE_BYTES } =
      this.#options;
    // A value larger than the whole queue may pass alone.
    const fits = this.#bytes === 0 || this.#bytes + bytes <= maxQueueBytes;
    if (fits && this.#unsettled < maxQueue) return undefined;
    return new BlobError(
      "overloaded",
      `${this.#unsettled} blob operations of ${this.#bytes} bytes are waiting`,
    );
  }

  /** Runs one operation; rejects with a {@linkcode BlobError}. */
  run<K extends OpKind>(
    op: OpOf<K>,
    options: JobOptions = {},
  ): Promise<Results[K]> {
    const bytes = options.bytes ?? 0;
    const isEnded = this.#size === 0;
    const refusal = options.accepted && !isEnded
      ? undefined
      : this.refusal(bytes);
    if (refusal) return Promise.reject(refusal);
    const { onTook } = this.#options;
    const beganMs = onTook ? performance.now() : 0;
    return new Promise((resolve, reject) => {
      this.#unsettled += 1;
      this.#bytes += bytes;
      const job: Job = {
        // The kind says which operation it is; the compiler loses that here.
        op: op as Op,
        bytes,
        large: options.large ?? false,
        huge: options.large === true && (options.length ?? 0) > HUGE_BYTES,
        retriable: options.retriable ?? false,
        transfer: options.transfer ?? [],
        series: options.series,
        resolve: (value) => {
          onTook?.(op.kind, performance.now() - beganMs);
          this.#settled(bytes);
          // Worker and store share the table of results.
          resolve(value as Results[K]);
        },
        reject: (error) => {
          onTook?.(op.kind, performance.now() - beganMs);
          this.#settled(bytes);
          reject(error);
        },
        deaths: 0,
      };
      this.#laneOf(job).push(job);
      this.#dispatch();
    });
  }

  /** Runs several operations that are one to their caller: `close` waits for all. */
  async together<T>(steps: () => Promise<T>): Promise<T> {
    this.#together += 1;
    try {
      return await steps();
    } finally {
      this.#together -= 1;
      this.#noteDrained();
    }
  }

  /** Removes temporary files of former processes, and of workers that died. */
  sweepPrivate(): Promise<void> {
    const op = {
      kind: "sweep-private",
      pool: this.#tag,
      dead: [...this.#dead],
    } as const;
    return this.run<"sweep-private">(op, { retriable: true });
  }

  /** Lets what was accepted finish, refuses the rest, ends the workers. */
  close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    if (this.#unsettled + this.#together > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onDrained = resolve;
      const timer = this.#clock.setTimer(CLOSE_TIMEOUT_MS, resolve);
      await promise;
      timer.cancel();
    }
    this.#size = 0;
    for (const job of this.#takeQueued()) job.reject(closed());
    for (const worker of [...this.#workers]) worker.terminate();
  }

  #settled(bytes: number): void {
    this.#unsettled -= 1;
    this.#bytes -= bytes;
    this.#noteDrained();
  }

  #noteDrained(): void {
    if (this.#unsettled + this.#together === 0) this.#onDrained?.();
  }

  #laneOf({ large, huge }: Job): Job[] {
    if (huge) return this.#huge;
    return large ? this.#large : this.#small;
  }

  get #lanes(): readonly Job[][] {
    return [this.#small, this.#large, this.#huge];
  }

  #takeQueued(): Job[] {
    return this.#lanes.flatMap((lane) => lane.splice(0));
  }

  #dispatch(): void {
    for (const lane of this.#lanes) {
      let sent = 0;
      for (const job of lane) {
        const worker = this.#pick(job);
        if (!worker) break;
        worker.send(job);
        sent += 1;
      }
      lane.splice(0, sent);
    }
  }

  #pick(job: Job): WorkerHandle | undefined {
    const { series } = job;
    if (!series) return this.#leastLoaded(job);
    const { worker } = series;
    // Few jobs of a series are on their way at once: it is never too busy for them.
    if (worker && this.#workers.has(worker)) return worker;
    return series.worker = this.#leastLoaded(job);
  }

  #leastLoaded(job: Job): WorkerHandle | undefined {
    let best: WorkerHandle | undefined;
    let bestLoad = Infinity;
    for (const worker of this.#workers) {
      const load = worker.load + (worker.ready ? 0 : STARTING_LOAD);
      const isFull = worker.jobs >= MAX_JOBS_PER_WORKER ||
        (job.large && worker.large >= MAX_LARGE_PER_WORKER) ||
        (job.huge && worker.huge >= MAX_HUGE_PER_WORKER);
      if (isFull) continue;
      if (load < TOGETHER_LOAD && worker.isQuick) return worker;
      if (load < bestLoad) [best, bestLoad] = [worker, load];
    }
    if (bestLoad < SPAWN_LOAD) return best;
    return this.#spawn() ?? best;
  }

  /** One more worker, unless there are enough or one is starting already. */
  #spawn(): WorkerHandle | undefined {
    const workers = [...this.#workers];
    if (workers.length >= this.#size) return undefined;
    if (workers.some((worker) => !worker.ready)) return undefined;
    const pausing = this.#clock.nowMs() < this.#noStartBeforeMs;
    if (pausing && workers.length > 0) return undefined;
    const worker = this.#start();
    if (!worker) return undefined;
    this.#spawned += 1;
    const tag = `${this.#tag}-${this.#spawned}`;
    const handle: WorkerHandle = new WorkerHandle(
      worker,
      { ...this.#options.config, tag },
      {
        onSpent: this.#options.onSpent,
        onRoom: () => this.#dispatch(),
        onDeath: (end) => this.#replace(handle, end),
      },
      this.#clock,
    );
    this.#workers.add(handle);
    // It takes its share when it is ready; only the first has no one before it.
    return workers.length === 0 ? handle : undefined;
  }

  #start(): WorkerPort | undefined {
    try {
      return this.#options.spawn();
    } catch (cause) {
      this.#pauseStarts();
      // Those who wait must hear of it, once the caller is through the queue.
      queueMicrotask(() => {
        if (this.#workers.size > 0) return;
        const error = new BlobError("failed", "Cannot start a blob worker", {
          cause,
        });
        for (const job of this.#takeQueued()) job.reject(error);
      });
      return undefined;
    }
  }

  #pauseStarts(): void {
    this.#noStartBeforeMs = this.#clock.nowMs() + START_PAUSE_MS;
  }

  #replace(worker: WorkerHandle, end: WorkerEnd): void {
    this.#workers.delete(worker);
    const others = this.#workers.size;
    const jobs = end.jobs.reverse();
    if (end.ready) {
      if (this.#dead.length >= MAX_DEAD_TAGS) this.#dead.shift();
      this.#dead.push(worker.tag);
    } else if (this.#size > 0) {
      // One that cannot even start will not start at once either: descriptors
      // or the root are missing. What has no worker at all fails.
      this.#pauseStarts();
      if (others === 0) jobs.push(...this.#takeQueued());
    }
    for (const job of jobs) {
      job.deaths += 1;
      const again = job.retriable && job.deaths < MAX_DEATHS;
      if (again && this.#size > 0 && (end.ready || others > 0)) {
        job.op = onceMore(job.op);
        this.#laneOf(job).unshift(job);
      } else {
        job.reject(end.error);
      }
    }
    this.#dispatch();
    const worked = jobs.some((job) => job.op.kind !== "sweep-private");
    if (end.ready && worked && !this.#closed) {
      // Its temporary files may lie there still. If this fails, the next start
      // sweeps them; a worker that died of sweeping is no reason to sweep.
      this.sweepPrivate().catch(() => {});
    }
  }
}

/** What may have been done in part: that is looked for. */
function onceMore(op: Op): Op {
  return op.kind === "capture" ? { ...op, first: false } : op;
}

function closed(): BlobError {
  return new BlobError("failed", "The blob store has been closed");
}
