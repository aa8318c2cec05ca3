/**
 * A blob worker on the simulated disk: what a message asks for, a slice of it,
 * and the answer are events of their own. It runs what a worker runs.
 *
 * @module
 */

import type { WorkerPort } from "../../src/blobs/worker_handle.ts";
import { OpError, systemCode } from "../../workers/blob_files.ts";
import type { FromWorker, Op, ToWorker } from "../../workers/blob_protocol.ts";
import { BlobSession } from "../../workers/blob_session.ts";
import type { Settle, Steps } from "../../workers/blob_steps.ts";
import type { FileSystem } from "../../workers/file_system.ts";
import { systemError } from "../../src/blobs/testing/memory_files.ts";
import type { Chance } from "./chance.ts";
import { ROOT } from "./disk.ts";
import type { Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Gate, SimFiles } from "./sim_files.ts";

/** What a worker lives in. */
export interface SimWorkerOptions {
  readonly fs: FileSystem;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly chance: Chance;
  /** The process that it dies with. */
  readonly owner: object;
  /** An operation begins. */
  readonly onHeard: (op: Op) => void;
  /** A sync of this file fails. */
  readonly onUnsynced: (path: string) => void;
}

/** Where captured files lie, and those that are being written. */
const PRIVATE = `${ROOT}/.private/`;
/** Calls that may find no room. */
const FILLING = ["create", "append", "write", "mkdir", "rename"];
/** What is left of the work of one that is killed gets so many turns. */
const LAST_TURNS = 10;

/** The worker has ended: thrown by each further call of what it did. */
class Death extends Error {}

interface Task {
  readonly steps: Steps<unknown>;
  readonly settle: Settle;
}

/** A thread that may end at any call. */
export class SimWorker implements WorkerPort {
  onmessage: WorkerPort["onmessage"] = null;
  onmessageerror: WorkerPort["onmessageerror"] = null;
  onerror: WorkerPort["onerror"] = null;
  readonly #options: SimWorkerOptions;
  readonly #session: BlobSession;
  readonly #inbox: ToWorker[] = [];
  readonly #outbox: FromWorker[] = [];
  /** What goes on when it is its turn. */
  readonly #ready = new Set<Task>();
  /** Calls until it ends. */
  #callsLeft = Infinity;
  #ended = false;
  #terminated = false;

  /** Waits for its configuration. */
  constructor(options: SimWorkerOptions) {
    this.#options = options;
    const { fs, chance } = options;
    const gate: Gate = {
      pass: (call, path) => this.#pass(call, path),
      later: (call, act) => this.#later(call, act),
      part: (length) => chance.happens(0.1) ? chance.below(length) + 1 : length,
    };
    this.#session = new BlobSession({
      fs: new SimFiles(fs, gate),
      run: (steps, settle) => this.#step({ steps, settle }),
      post: (outcomes, transfer) => this.#answer(outcomes, transfer),
    });
  }

  /** {@inheritDoc WorkerPort.postMessage} */
  postMessage(message: ToWorker, transfer: ArrayBuffer[]): void {
    this.#inbox.push(structuredClone(message, { transfer }));
    this.#happens(`blobs ${describe(message)}`, () => this.#hear());
  }

  /** {@inheritDoc WorkerPort.terminate} */
  terminate(): void {
    this.#ended = this.#terminated = true;
  }

  /** Its process is killed; until that comes about it makes so many calls more. */
  kill(calls: number): void {
    this.#callsLeft = calls;
    while (this.#inbox.length > 0) this.#hear();
    for (let turns = LAST_TURNS; turns > 0; turns--) {
      for (const task of [...this.#ready]) this.#step(task);
    }
    this.#ended = true;
  }

  #hear(): void {
    const message = this.#inbox.shift();
    if (!message || this.#ended) return;
    if ("ops" in message) {
      for (const { op } of message.ops) this.#options.onHeard(op);
    }
    this.#session.hear(message);
  }

  #step(task: Task, failed?: { readonly cause: unknown }): void {
    this.#ready.delete(task);
    if (this.#ended) return;
    let next: IteratorResult<Promise<void> | undefined, unknown>;
    try {
      next = failed ? task.steps.throw(failed.cause) : task.steps.next();
    } catch (cause) {
      if (this.#ended) return;
      // What the disk says is told to the pool; the rest is a mistake of ours.
      const isTold = cause instanceof OpError ||
        systemCode(cause) !== undefined;
      if (!isTold) throw cause;
      return task.settle(undefined, { cause });
    }
    if (this.#ended) return;
    if (next.done) return task.settle(next.value);
    if (next.value === undefined) {
      this.#ready.add(task);
      return this.#happens("a slice", () => this.#step(task));
    }
    next.value.then(
      () => this.#step(task),
      (cause: unknown) => this.#step(task, { cause }),
    );
  }

  #pass(call: string, path: string): void {
    if (this.#ended) throw new Death();
    if (this.#callsLeft === 0) this.#end();
    if (this.#callsLeft < Infinity) return void this.#callsLeft--;
    const { faults, scheduler } = this.#options;
    const fault = faults.call(purposeOf(call, path));
    if (fault === "none") return;
    // Not its path: names of private files are another each time.
    scheduler.note(`  ${call}: ${fault}`);
    if (fault === "death") {
      this.#happens("a worker has died", () => {
        const message = "it was killed";
        this.onerror?.(new ErrorEvent("error", { message }));
      });
      this.#end();
    }
    if (call === "sync") this.#options.onUnsynced(path);
    const isFull = fault === "full" && FILLING.includes(call);
    throw systemError(isFull ? "ENOSPC" : "EIO", path);
  }

  #end(): never {
    this.#ended = true;
    throw new Death();
  }

  #later<T>(call: string, act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) =>
      this.#happens(`a disk's ${call}`, () => {
        if (this.#ended) return;
        try {
          resolve(act());
        } catch (error) {
          reject(error);
        }
      })
    );
  }

  #answer(outcomes: FromWorker, transfer: ArrayBuffer[]): void {
    if (this.#ended) return;
    this.#outbox.push(structuredClone(outcomes, { transfer }));
    this.#happens("blobs answer", () => {
      const data = this.#outbox.shift();
      if (this.#terminated) return;
      this.onmessage?.(new MessageEvent("message", { data }));
    });
  }

  #happens(label: string, run: () => void): void {
    const { scheduler, owner } = this.#options;
    scheduler.add({ label, owner, run });
  }
}

/** What a call has to do with a value that is being published. */
function purposeOf(
  call: string,
  path: string,
): "publish" | "remove" | undefined {
  const isPrivate = path.startsWith(PRIVATE);
  if (isPrivate && call === "remove") return "remove";
  return isPrivate || call === "rename" ? "publish" : undefined;
}

function describe(message: ToWorker): string {
  if ("config" in message) return "begin";
  return message.ops.map(({ op }) => `${op.kind} ${aboutOf(op)}`).join(", ");
}

function aboutOf(op: Op): string {
  if ("staging" in op) return op.staging;
  if ("name" in op) return op.name;
  return "";
}
