/**
 * The workers of servers in a test's own process, kept for the next server: to
 * start one takes more of a processor than most tests do.
 *
 * Only one that owes no answer, and has closed its manifest, is kept; another one
 * ends as it does in a server. A kept worker may touch more than one root, since
 * the next server has another one: what confines workers is tested on processes
 * (tests/confinement).
 *
 * @module
 */

import type { FromWorker, ToWorker } from "../../workers/blob_protocol.ts";
import type { ToManifestWorker } from "../../workers/manifest_protocol.ts";

/** For files that run a few servers at once. */
const MAX_IDLE = 8;
const SCRIPTS = /\/workers\/(blob|manifest)_worker\.ts$/;
const RealWorker = globalThis.Worker;
const idle = new Map<string, Worker[]>();

/** From here on this process keeps the workers of its servers. */
export function keepWorkers(): void {
  globalThis.Worker = new Proxy(RealWorker, {
    construct(target, [script, options]: ConstructorParameters<typeof Worker>) {
      return SCRIPTS.test(`${script}`)
        ? new KeptWorker(`${script}`)
        : new target(script, options);
    },
  });
}

/** What a server takes for a worker of its own. */
class KeptWorker implements
  Pick<
    Worker,
    "onmessage" | "onmessageerror" | "onerror" | "postMessage" | "terminate"
  > {
  onmessage: Worker["onmessage"] = null;
  onmessageerror: Worker["onmessageerror"] = null;
  onerror: Worker["onerror"] = null;
  readonly #script: string;
  readonly #worker: Worker;
  /** Answers that are to come. */
  #owed = 0;
  #isOpen = false;
  #hasFailed = false;

  constructor(script: string) {
    this.#script = script;
    const worker = idle.get(script)?.pop() ??
      new RealWorker(script, { type: "module" });
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<FromWorker | unknown>) => {
      this.#owed -= Array.isArray(event.data) ? event.data.length : 1;
      this.onmessage?.call(worker, event);
    };
    worker.onmessageerror = (event) => {
      this.#hasFailed = true;
      this.onmessageerror?.call(worker, event);
    };
    worker.onerror = (event) => {
      this.#hasFailed = true;
      this.onerror?.call(worker, event);
    };
  }

  postMessage(message: ToWorker | ToManifestWorker, transfer: unknown): void {
    this.#worker.postMessage(message, transfer as Transferable[]);
    this.#owed += "ops" in message ? message.ops.length : 1;
    if ("kind" in message) this.#isOpen = message.kind !== "close";
  }

  terminate(): void {
    const others = idle.get(this.#script) ?? [];
    const isFree = this.#owed === 0 && !this.#isOpen && !this.#hasFailed;
    if (!isFree || others.length >= MAX_IDLE) return this.#worker.terminate();
    this.#worker.onmessage = null;
    this.#worker.onmessageerror = null;
    this.#worker.onerror = null;
    idle.set(this.#script, [...others, this.#worker]);
  }
}
