/**
 * Workers that share a cache, each behind a proxy of its own, while a seeded
 * schedule makes the network and the server fail.
 *
 * @module
 */

import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { Chance } from "../sim/chance.ts";
import { dealt, SERVER_CARDS, WORKER_CARDS } from "./cards.ts";
import type { Event, Fault, FaultKind } from "./history.ts";
import type { Secured } from "./secured.ts";
import { WorkerProcess } from "./worker_process.ts";
import { wrongs } from "./wrongs.ts";

/** What to run. */
export interface NetOptions {
  readonly seed: number;
  readonly seconds: number;
  /** The command of each worker, without its words. */
  readonly workers: readonly (readonly string[])[];
  /** Over TLS, and with tokens, where absent in plain text. */
  readonly secured?: Secured | undefined;
}

/** What came of it. */
export interface NetResult {
  readonly wrongs: readonly string[];
  readonly calls: number;
  readonly computations: number;
  readonly faults: readonly Fault[];
}

const BOUNDS = {
  // Longer than a lease: work is lost that is still to be published.
  patienceMs: 6_000,
  leaseMs: 4_000,
  intervalMs: 2_000,
  // Whoever is away for longer has lost a lease, too.
  graceMs: 8_000,
  slackMs: 500,
};
const ARGS = ["--restart-grace", `${BOUNDS.graceMs}ms`];
/** What fails, and the time between two faults: the server's are all's. */
const WORKER = { cards: WORKER_CARDS, pausesMs: [300, 1_000, 4_000] };
const SERVER = { cards: SERVER_CARDS, pausesMs: [2_000, 8_000] };
/** A large value takes some seconds then. */
const THROTTLED_BYTES = 500_000;

/** Runs it. */
export function runNet(options: NetOptions): Promise<NetResult> {
  return new Promise((resolve, reject) => {
    withRoot(async (root) => {
      await using net = await Net.start(root, options);
      await net.play(options.seconds);
      resolve(await net.result());
    }).catch(reject);
  });
}

class Net implements AsyncDisposable {
  readonly #seed: number;
  readonly #args: readonly string[];
  readonly #faults: Fault[] = [];
  readonly #events: Event[] = [];
  #server: ServerProcess;
  #workers: readonly WorkerProcess[] = [];

  private constructor(
    server: ServerProcess,
    { seed, args }: { readonly seed: number; readonly args: readonly string[] },
  ) {
    this.#server = server;
    this.#seed = seed;
    this.#args = args;
  }

  static async start(
    root: string,
    { seed, workers, secured }: NetOptions,
  ): Promise<Net> {
    const args = [...ARGS, ...secured?.args ?? []];
    const server = await ServerProcess.start(root, { args });
    const net = new Net(server, { seed, args });
    // A server that has never answered gets less patience.
    net.#workers = await Promise.all(
      workers.map((command, worker) =>
        WorkerProcess.start({
          ...{ worker, command, seed: seed + worker },
          address: net.#server.remote,
          patienceMs: BOUNDS.patienceMs,
          security: secured?.options,
          onEvent: (event) => net.#events.push(event),
        })
      ),
    );
    return net;
  }

  /** Lets things fail for so long, for each worker and the server by itself. */
  async play(seconds: number): Promise<void> {
    const endMs = Date.now() + seconds * 1_000;
    await Promise.all(
      [...this.#workers.keys(), undefined].map((worker) =>
        this.#playFor(worker, endMs)
      ),
    );
  }

  async #playFor(worker: number | undefined, endMs: number): Promise<void> {
    const chance = new Chance(this.#seed + (worker ?? -1));
    const { cards, pausesMs } = worker === undefined ? SERVER : WORKER;
    for (const { what, ms: wantedMs } of dealt(cards, chance)) {
      await pause(chance.pick(pausesMs));
      const beganMs = Date.now();
      const ms = Math.min(wantedMs, endMs - beganMs);
      if (ms < 0) return;
      const wait = () => pause(ms);
      if (worker === undefined) await this.#failServer(what, wait);
      else await failWorker(this.#workers[worker]!, what, wait);
      this.#faults.push({ what, worker, beganMs, endMs: Date.now() });
    }
  }

  async #failServer(what: FaultKind, wait: () => Promise<void>): Promise<void> {
    if (what === "server stopped") {
      const pid = await this.#server.serverPid();
      Deno.kill(pid, "SIGSTOP");
      await wait();
      return Deno.kill(pid, "SIGCONT");
    }
    const { root, local, remote } = this.#server;
    await this.#server.kill();
    const args = ["-l", local, "-r", remote, ...this.#args];
    this.#server = await ServerProcess.start(root, { args });
  }

  /** Ends the workers, and looks at what they did. */
  async result(): Promise<NetResult> {
    await Promise.all(this.#workers.map((worker) => worker.end()));
    const of = (type: Event["type"]) =>
      this.#events.filter((each) => each.type === type).length;
    return {
      wrongs: wrongs(this.#events, this.#faults, BOUNDS),
      calls: of("call"),
      computations: of("computation"),
      faults: this.#faults,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

async function failWorker(
  worker: WorkerProcess,
  what: FaultKind,
  wait: () => Promise<void>,
): Promise<void> {
  const { proxy } = worker;
  switch (what) {
    case "cut":
      return proxy.cut();
    case "reset":
      return proxy.cut("resetAndDestroy");
    case "half-closed":
      return proxy.halfClose();
    case "throttled":
      proxy.throttle(THROTTLED_BYTES);
      await wait();
      return proxy.throttle(Infinity);
    case "connection deaf":
      proxy.freeze("toClient");
      await wait();
      return proxy.thaw();
    case "connection silent":
      proxy.freeze("toClient");
      proxy.freeze("toServer");
      await wait();
      return proxy.thaw();
    case "refused":
      proxy.down();
      await wait();
      return proxy.up();
    case "silent":
      proxy.still();
      await wait();
      return proxy.thaw();
    case "worker stopped":
      return await worker.stop(wait);
    case "worker killed":
      return await worker.restart();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
