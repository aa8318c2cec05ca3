/**
 * Takes the place of the server in the confined command: tries to escape, then
 * lets workers try that are started with the very options of ours.
 *
 * @module
 */

import process from "node:process";
import { pathToFileURL } from "node:url";
import { spawnWorker } from "../../src/blobs/worker_blob_store.ts";
import { spawnManifestWorker } from "../../src/manifest/worker_session.ts";
import { type Outcomes, type Target, tryEscapes } from "./escapes.ts";

/** What one place of the program could do. */
export interface Attempted {
  /** Every attempt. */
  readonly outcomes: Outcomes;
  /** The environment as it was seen, or the error instead. */
  readonly env: string;
}

/** What the probe prints, as JSON. */
export interface Report {
  readonly main: Attempted;
  readonly blobWorker: Attempted;
  readonly manifestWorker: Attempted;
  /** What a link that leads out of the root lets through: Deno follows it. */
  readonly throughLink: string;
  /** The same with node's view of the environment. */
  readonly nodeEnv: string;
}

/** The options that a function of ours starts its worker with. */
function optionsOf(spawn: (root: string) => Worker, root: string) {
  const Real = globalThis.Worker;
  let options: WorkerOptions | undefined;
  globalThis.Worker = class {
    constructor(_script: URL, given?: WorkerOptions) {
      options = given;
    }
  } as unknown as typeof Worker;
  try {
    spawn(root);
  } finally {
    globalThis.Worker = Real;
  }
  return options;
}

function fromWorker(
  spawn: (root: string) => Worker,
  target: Target,
): Promise<Attempted> {
  const { promise, resolve, reject } = Promise.withResolvers<Attempted>();
  const script = pathToFileURL(`${target.root}/worker_probe.ts`);
  const worker = new Worker(script, optionsOf(spawn, target.root));
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.postMessage(target);
  return promise;
}

if (import.meta.main) {
  const target: Target = JSON.parse(Deno.args[0]!);
  const report: Report = {
    main: {
      outcomes: await tryEscapes(target),
      env: JSON.stringify(Deno.env.toObject()),
    },
    blobWorker: await fromWorker(spawnWorker, target),
    manifestWorker: await fromWorker(spawnManifestWorker, target),
    throughLink: Deno.readTextFileSync(`${target.root}/leak/secret`),
    nodeEnv: JSON.stringify(process.env),
  };
  console.log(JSON.stringify(report));
  Deno.exit(0);
}
