/**
 * A manifest's operations, batched as `src/manifest/batch_queue.ts` does it:
 * one batch at a time, a transaction each, answered as a whole. Whatever the
 * interface has is passed on, so that it may grow.
 *
 * @module
 */

import { LarderError } from "../../src/errors.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import { MemoryManifest } from "../../src/manifest/testing/memory_manifest.ts";
import type { StoreOptions } from "./sim_blobs.ts";
import type { Underway } from "./observer.ts";

/** What a value's way into the manifest is made of. */
const PUBLISHING = ["record", "publish"];

interface Waiting extends Underway {
  readonly apply: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the rows of a disk for one process. */
export function openManifest(
  options: StoreOptions,
): Manifest {
  const { disk: { rows }, wallMs } = options;
  const inner = new MemoryManifest({ wallMs, rows });
  const queue = new Queue(options);
  return new Proxy<Manifest>(inner, {
    get(target, method) {
      const member: unknown = Reflect.get(target, method, target);
      if (typeof member !== "function") return member;
      if (method === "close" || method === Symbol.asyncDispose) {
        return () => queue.close();
      }
      return (...args: unknown[]) => {
        const apply = () =>
          Reflect.apply(member, target, args) as Promise<unknown>;
        return queue.call(String(method), aboutOf(args[0]), apply);
      };
    },
  });
}

/** The entry's name, or the id, that an operation is called with. */
function aboutOf(argument: unknown): string {
  if (typeof argument === "string") return argument;
  // Uses: of the one that is handed out, or of the first of many.
  if (Array.isArray(argument)) return aboutOf(argument[0]?.entry);
  const { name } = Object(argument) as { readonly name?: unknown };
  return typeof name === "string" ? name : "";
}

class Queue {
  readonly #options: StoreOptions;
  #waiting: Waiting[] = [];
  #busy = false;
  #closed = false;
  readonly #idle = Promise.withResolvers<void>();

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  call(
    kind: string,
    about: string,
    apply: () => Promise<unknown>,
  ): Promise<unknown> {
    this.#options.observer.called({ kind, about });
    if (this.#closed) return Promise.reject(failed("The manifest is closed"));
    if (this.#options.faults.overloaded()) {
      const message = "Too much waits for the manifest";
      return Promise.reject(new LarderError("overloaded", message));
    }
    return new Promise((resolve, reject) => {
      const waiting = { kind, about, apply, resolve, reject };
      this.#options.observer.began(waiting);
      this.#waiting.push(waiting);
      if (!this.#busy) this.#schedule();
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    if (!this.#busy) return Promise.resolve();
    return this.#idle.promise;
  }

  #schedule(): void {
    const { scheduler, owner } = this.#options;
    this.#busy = true;
    const run = () => this.#commit();
    scheduler.add({ label: "manifest commits", owner, run });
  }

  #commit(): void {
    const { chance, faults, scheduler, observer } = this.#options;
    const count = 1 + chance.below(this.#waiting.length);
    const batch = this.#waiting.splice(0, count);
    const publishes = batch.some(({ kind }) => PUBLISHING.includes(kind));
    const fault = faults.batch({ publishes });
    const what = batch.map(({ kind, about }) => `${kind} ${about}`).join(", ");
    scheduler.note(`  ${what}${fault === "none" ? "" : `: ${fault}`}`);
    if (fault === "failed" || fault === "full") {
      const code = fault === "full" ? "storage-full" : "manifest-failed";
      const error = new LarderError(code, "The batch was rolled back");
      return this.#answer(batch, ({ reject }) => reject(error));
    }
    const outcomes = batch.map(({ apply }) => {
      const outcome = apply();
      observer.changed();
      return outcome;
    });
    if (fault === "unanswered") {
      const error = failed("The manifest's worker died");
      return this.#answer(batch, ({ reject }) => reject(error));
    }
    Promise.allSettled(outcomes).then((settled) =>
      this.#answer(batch, ({ resolve, reject }, index) => {
        const outcome = settled[index]!;
        if (outcome.status === "fulfilled") resolve(outcome.value);
        else reject(outcome.reason);
      })
    );
  }

  #answer(
    batch: readonly Waiting[],
    tell: (waiting: Waiting, index: number) => void,
  ): void {
    const { scheduler, owner, observer } = this.#options;
    const run = () => {
      for (const waiting of batch) observer.ended(waiting);
      batch.forEach(tell);
      this.#busy = false;
      if (this.#waiting.length > 0) this.#schedule();
      else if (this.#closed) this.#idle.resolve();
    };
    scheduler.add({ label: "manifest answers", owner, run });
  }
}

function failed(message: string): LarderError {
  return new LarderError("manifest-failed", message);
}
