/**
 * A worker in a process of its own, behind a proxy of its own.
 *
 * @module
 */

import { FaultProxy } from "../support/fault_proxy.ts";
import { TextLineStream } from "../support/lines.ts";
import type { Event } from "./history.ts";

/** What a worker is. */
export interface WorkerOptions {
  /** Which one. */
  readonly worker: number;
  readonly seed: number;
  /** Its command, without its words. */
  readonly command: readonly string[];
  /** Of the server. */
  readonly address: string;
  readonly patienceMs: number;
  /** How the server is spoken to; in plain text where absent. */
  readonly security: object | undefined;
  /** Told what it writes down. */
  readonly onEvent: (event: Event) => void;
}

/** A worker that runs, and its network. */
export class WorkerProcess implements AsyncDisposable {
  /** What it calls through. */
  readonly proxy: FaultProxy;
  readonly #options: WorkerOptions;
  #starts = 0;
  #child!: Deno.ChildProcess;
  #written!: Promise<void>;

  private constructor(proxy: FaultProxy, options: WorkerOptions) {
    this.proxy = proxy;
    this.#options = options;
  }

  /** Starts it; resolves when a call of it has ended. */
  static async start(options: WorkerOptions): Promise<WorkerProcess> {
    const { address, worker, security } = options;
    // Who cannot read what is said does not know a reset either.
    const isLate = worker % 2 === 0 && !security;
    const proxy = await FaultProxy.start(address, {
      // grpc-js ends a stream before it resets it.
      toServer: { delayMs: 5 * worker, resetDelayMs: isLate ? 40 : 0 },
    });
    const started = new WorkerProcess(proxy, options);
    await started.#start();
    return started;
  }

  async #start(): Promise<void> {
    const { command: [program, ...args], seed, patienceMs, worker, security } =
      this.#options;
    const words = [
      ...[`${seed + 1_000 * this.#starts++}`, `${patienceMs}`],
      JSON.stringify(security ?? {}),
    ];
    this.#child = new Deno.Command(program!, {
      args: [...args, this.proxy.address, ...words],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    const { promise: working, resolve, reject } = Promise.withResolvers<void>();
    this.#written = (async () => {
      for await (const line of lines) {
        // Who was killed may have been about to write.
        if (!line.endsWith("}")) continue;
        const event: Event = { ...JSON.parse(line), worker };
        if (event.type === "call") resolve();
        this.#options.onEvent(event);
      }
      reject(new Error(`worker ${worker} has ended without a call`));
    })();
    await working;
  }

  /** Lets it stand still for a time. */
  async stop(wait: () => Promise<void>): Promise<void> {
    this.#child.kill("SIGSTOP");
    await wait();
    this.#child.kill("SIGCONT");
  }

  /** Kills it, and starts another one in its place. */
  async restart(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#written;
    await this.#start();
  }

  /** Lets it end; resolves when it has written all down. */
  async end(): Promise<void> {
    await this.#child.stdin.close();
    await this.#written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.proxy[Symbol.asyncDispose]();
  }
}
