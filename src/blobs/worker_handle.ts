/**
 * One blob worker, seen from the main isolate.
 *
 * @module
 */

import type {
  FromWorker,
  Op,
  Outcome,
  ToWorker,
  WorkerConfig,
} from "../../workers/blob_protocol.ts";
import type { Clock } from "../clock.ts";
import { NumberMap } from "../number_map.ts";
import { BlobError } from "./blob_store.ts";

/** What a worker is to its pool: a `Worker`, or something that behaves like one. */
export interface WorkerPort {
  /** What it says. */
  onmessage: ((event: MessageEvent) => void) | null;
  /** It said something unreadable. */
  onmessageerror: ((event: MessageEvent) => void) | null;
  /** It has ended. */
  onerror: ((event: ErrorEvent) => void) | null;
  /** Tells it something; the buffers are its own from then on. */
  postMessage(message: ToWorker, transfer: ArrayBuffer[]): void;
  /** Ends it. */
  terminate(): void;
}

/** An operation on its way. */
export interface Job {
  op: Op;
  /** Bytes that it holds in memory. */
  readonly bytes: number;
  /** Takes long: only a few at a time are given to one worker. */
  readonly large: boolean;
  /** The same, and as long as many large ones. */
  readonly huge: boolean;
  /** May be done twice. */
  readonly retriable: boolean;
  /** Buffers that go with it. */
  readonly transfer: ArrayBuffer[];
  /** Those that are best done by the same worker. */
  readonly series: Series | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: BlobError) => void;
  /** How often it was given to a worker that died. */
  deaths: number;
}

/** Jobs that are best done by one worker: it remembers what went before. */
export interface Series {
  /** Who has done the last one. */
  worker?: WorkerHandle | undefined;
}

/** What a worker tells its pool. */
export interface HandleEvents {
  /** Jobs were settled, or the worker became ready: there may be room. */
  readonly onRoom: () => void;
  /** A buffer that nobody uses any more. */
  readonly onSpent: (buffer: ArrayBuffer) => void;
  /** The worker is gone. */
  readonly onDeath: (end: WorkerEnd) => void;
}

/** A worker's end. */
export interface WorkerEnd {
  /** What was on its way. */
  readonly jobs: Job[];
  /** Why it ended. */
  readonly error: BlobError;
  /** It had begun well. */
  readonly ready: boolean;
}

/** What a large job of unknown size weighs: as 4 MiB. */
const UNKNOWN_WEIGHT = 64;
const BYTES_PER_WEIGHT = 64 * 1024;

/** A worker that takes longer for a job waits for its disk, or has much to hash. */
const QUICK_MS = 1;
/** How much the last message counts when the time of a job is estimated. */
const LAST_SHARE = 1 / 8;

/** Sends what one turn asks for as one message, and notices the worker's end. */
export class WorkerHandle {
  /** Part of the names of its temporary files. */
  readonly tag: string;
  readonly #worker: WorkerPort;
  readonly #events: HandleEvents;
  readonly #clock: Clock;
  readonly #jobs = new NumberMap<Job>();
  #outbox: { seq: number; job: Job }[] = [];
  #seq = 0;
  #load = 0;
  #large = 0;
  #huge = 0;
  /** Since when it has been busy, or has last answered. */
  #sinceMs = 0;
  /** What a job has taken lately. */
  #jobMs = 0;
  #ready = false;
  #dead = false;

  /** Configures a worker that has just been started. */
  constructor(
    worker: WorkerPort,
    config: WorkerConfig,
    events: HandleEvents,
    clock: Clock,
  ) {
    this.tag = config.tag;
    this.#worker = worker;
    this.#events = events;
    this.#clock = clock;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    worker.onmessageerror = () => this.terminate("a message was unreadable");
    worker.onerror = (event) => {
      // Without this the error would end the server.
      event.preventDefault();
      this.terminate(event.message);
    };
    worker.postMessage({ config }, []);
  }

  /** The weight of what it has to do. */
  get load(): number {
    return this.#load;
  }

  /** Jobs on their way. */
  get jobs(): number {
    return this.#jobs.size;
  }

  /** Large jobs on their way. */
  get large(): number {
    return this.#large;
  }

  /** Of these, huge ones. */
  get huge(): number {
    return this.#huge;
  }

  /** Its jobs are done in a moment: another one may wait for those before it. */
  get isQuick(): boolean {
    return this.#jobMs < QUICK_MS;
  }

  /** It has answered its configuration. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Sends a job with the others of this turn. */
  send(job: Job): void {
    if (this.#jobs.size === 0) this.#sinceMs = this.#clock.nowMs();
    this.#seq += 1;
    this.#jobs.set(this.#seq, job);
    this.#load += weight(job);
    if (job.large) this.#large += 1;
    if (job.huge) this.#huge += 1;
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push({ seq: this.#seq, job });
  }

  /** Ends the worker; what was on its way is handed to `onDeath`. */
  terminate(why = "it was terminated"): void {
    this.#die(new BlobError("failed", `A blob worker ended: ${why}`));
  }

  #flush(): void {
    if (this.#dead) return;
    const ops = this.#outbox.map(({ seq, job }) => ({ seq, op: job.op }));
    const transfer = this.#outbox.flatMap(({ job }) => job.transfer);
    this.#outbox = [];
    try {
      this.#worker.postMessage({ ops }, transfer);
    } catch (error) {
      // A buffer that somebody detached: nothing of the message has left, and
      // the others must not wait for ever.
      const message = `The message to a blob worker was refused: ${error}`;
      for (const { seq } of ops) {
        this.#settle({ seq, failure: { code: "failed", message } });
      }
      this.#events.onRoom();
    }
  }

  #hear(outcomes: FromWorker): void {
    if (this.#dead) return;
    this.#time(outcomes.length);
    for (const outcome of outcomes) {
      if (outcome.spent) this.#events.onSpent(outcome.spent);
      if (outcome.seq !== 0) {
        this.#settle(outcome);
      } else if ("failure" in outcome) {
        this.#die(new BlobError(outcome.failure.code, outcome.failure.message));
        return;
      } else {
        this.#ready = true;
      }
    }
    this.#events.onRoom();
  }

  #time(jobs: number): void {
    const nowMs = this.#clock.nowMs();
    // What came while it was starting says nothing of its disk.
    if (this.#ready) {
      const each = (nowMs - this.#sinceMs) / jobs;
      this.#jobMs += (each - this.#jobMs) * LAST_SHARE;
    }
    this.#sinceMs = nowMs;
  }

  #settle(outcome: Outcome): void {
    const job = this.#jobs.get(outcome.seq);
    if (!job) return;
    this.#jobs.delete(outcome.seq);
    this.#load -= weight(job);
    if (job.large) this.#large -= 1;
    if (job.huge) this.#huge -= 1;
    if ("failure" in outcome) {
      job.reject(
        new BlobError(outcome.failure.code, outcome.failure.message),
      );
    } else {
      job.resolve(outcome.value);
    }
  }

  #die(error: BlobError): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#worker.terminate();
    const jobs = this.#jobs.values();
    this.#jobs.clear();
    this.#events.onDeath({ jobs, error, ready: this.#ready });
  }
}

function weight(job: Job): number {
  const bytes = job.bytes / BYTES_PER_WEIGHT;
  return 1 + (job.large ? Math.max(bytes, UNKNOWN_WEIGHT) : bytes);
}
