/**
 * The life of one manifest worker, from its first message to its death. It
 * answers every message once and in order, so that answers need no number.
 *
 * @module
 */

import type {
  FromManifestWorker,
  ToManifestWorker,
} from "../../workers/manifest_protocol.ts";

/** Makes the worker; tests put themselves in between. */
export type SpawnManifestWorker = (root: string) => Worker;

/** A worker that may touch the root and nothing else. */
export function spawnManifestWorker(root: string): Worker {
  const script = new URL(
    "../../workers/manifest_worker.ts",
    import.meta.url,
  );
  return new Worker(script, {
    type: "module",
    name: "manifest",
    deno: {
      permissions: {
        read: [root],
        write: [root],
        net: false,
        env: false,
        run: false,
        ffi: false,
        sys: ["statfs"],
        import: false,
      },
    },
  });
}

interface Waiting {
  resolve(answer: FromManifestWorker): void;
  reject(error: Error): void;
}

/** A worker and the answers that are expected from it. */
export class WorkerSession {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #death: Error | undefined;

  /** Takes the worker over. `onDeath` is called once, after every answer that was due has been rejected. */
  constructor(worker: Worker, onDeath: () => void) {
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<FromManifestWorker>) =>
      this.#waiting.shift()?.resolve(event.data);
    const die = (reason: string) => {
      if (this.#death) return;
      this.end(`The manifest worker died: ${reason}`);
      onDeath();
    };
    worker.onerror = (event) => {
      // Otherwise it would take the whole server with it.
      event.preventDefault();
      die(event.message);
    };
    worker.onmessageerror = () => die("it sent what cannot be read");
  }

  /** Sends a message; rejects when the worker dies before it answers. */
  ask(message: ToManifestWorker): Promise<FromManifestWorker> {
    if (this.#death) return Promise.reject(this.#death);
    return new Promise((resolve, reject) => {
      this.#worker.postMessage(message, transferOf(message));
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Stops the worker; what it still owes is rejected. */
  end(reason: string): void {
    if (this.#death) return;
    this.#death = new Error(reason);
    this.#worker.terminate();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#death);
  }
}

/** Packed keys are nobody else's: cloned, large ones would pile up as garbage. */
function transferOf(message: ToManifestWorker): Transferable[] {
  return message.kind === "batch" ? [message.keys.buffer as ArrayBuffer] : [];
}
