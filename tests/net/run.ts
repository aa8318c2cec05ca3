/**
 * Workers that share a cache, each behind a proxy of its own, while a seeded
 * schedule makes the network and the server fail.
 *
 * @module
 */

import { FaultProxy } from "../support/fault_proxy.ts";
import { TextLineStream } from "../support/lines.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { Chance } from "../sim/chance.ts";
import { type Card, dealt, SERVER_CARDS, WORKER_CARDS } from "./cards.ts";
import type { Event, Fault, FaultKind } from "./history.ts";
import { wrongs } from "./wrongs.ts";

/** What to run. */
export interface NetOptions {
  readonly seed: number;
  readonly seconds: number;
  /** The command of each worker, without its words. */
  readonly workers: readonly (readonly string[])[];
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
/** Between two faults; of the server's there are fewer, for they are all's. */
const PAUSES_MS = { worker: [300, 1_000, 4_000], server: [2_000, 8_000] };

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
  readonly #faults: Fault[] = [];
  readonly #events: Event[] = [];
  #server: ServerProcess;
  readonly #proxies: FaultProxy[] = [];
  readonly #children: Deno.ChildProcess[] = [];
  readonly #ended: Promise<void>[] = [];

  private constructor(server: ServerProcess, seed: number) {
    this.#server = server;
    this.#seed = seed;
  }

  static async start(
    root: string,
    { seed, workers }: NetOptions,
  ): Promise<Net> {
    const net = new Net(await ServerProcess.start(root, { args: ARGS }), seed);
    const working = workers.map((command, at) =>
      net.#startWorker(at, command, seed + at)
    );
    // A server that has never answered gets less patience.
    await Promise.all(working);
    return net;
  }

  /** Lets things fail for so long, for each worker and the server by itself. */
  async play(seconds: number): Promise<void> {
    const endMs = Date.now() + seconds * 1_000;
    const workers = [...this.#proxies.keys()];
    await Promise.all(
      [...workers, undefined].map((worker) => this.#playFor(worker, endMs)),
    );
  }

  async #playFor(worker: number | undefined, endMs: number): Promise<void> {
    const chance = new Chance(this.#seed + (worker ?? -1));
    const cards = worker === undefined ? SERVER_CARDS : WORKER_CARDS;
    const pausesMs = PAUSES_MS[worker === undefined ? "server" : "worker"];
    for (const { what, ms } of dealt(cards, chance)) {
      await pause(chance.pick(pausesMs));
      const leftMs = endMs - Date.now();
      if (leftMs <= 0) return;
      const beganMs = Date.now();
      await this.#fail(worker, { what, ms: Math.min(ms, leftMs) });
      this.#faults.push({ what, worker, beganMs, endMs: Date.now() });
    }
  }

  /** Ends the workers, and looks at what they did. */
  async result(): Promise<NetResult> {
    for (const child of this.#children) await child.stdin.close();
    await Promise.all(this.#ended);
    const of = (type: Event["type"]) =>
      this.#events.filter((each) => each.type === type).length;
    return {
      wrongs: wrongs(this.#events, this.#faults, BOUNDS),
      calls: of("call"),
      computations: of("computation"),
      faults: this.#faults,
    };
  }

  async #fail(worker: number | undefined, { what, ms }: Card): Promise<void> {
    const proxy = this.#proxies[worker ?? 0]!;
    const faults: Record<FaultKind, () => Promise<void>> = {
      "cut": () => Promise.resolve(proxy.cut()),
      "reset": () => Promise.resolve(proxy.cut("resetAndDestroy")),
      "one connection silent": async () => {
        proxy.freeze("toClient");
        if (ms > 1_000) proxy.freeze("toServer");
        await pause(ms);
        proxy.thaw();
      },
      "refused": async () => {
        proxy.down();
        await pause(ms);
        proxy.up();
      },
      "silent": async () => {
        proxy.still();
        await pause(ms);
        proxy.thaw();
      },
      "server stopped": async () => {
        const pid = await this.#server.serverPid();
        Deno.kill(pid, "SIGSTOP");
        await pause(ms);
        Deno.kill(pid, "SIGCONT");
      },
      "server killed": async () => {
        const { root, local, remote } = this.#server;
        await this.#server.kill();
        const args = ["-l", local, "-r", remote, ...ARGS];
        this.#server = await ServerProcess.start(root, { args });
      },
    };
    await faults[what]();
  }

  async #startWorker(
    at: number,
    [program, ...args]: readonly string[],
    seed: number,
  ): Promise<void> {
    const proxy = await FaultProxy.start(this.#server.remote, {
      // grpc-js ends a stream before it resets it.
      toServer: { delayMs: 5 * at, resetDelayMs: at % 2 ? 0 : 40 },
    });
    this.#proxies[at] = proxy;
    const words = [proxy.address, `${seed}`, `${BOUNDS.patienceMs}`];
    const child = new Deno.Command(program!, {
      args: [...args, ...words],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#children.push(child);
    const lines = child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    const { promise: working, resolve, reject } = Promise.withResolvers<void>();
    this.#ended.push((async () => {
      for await (const line of lines) {
        const event: Event = { ...JSON.parse(line), worker: at };
        if (event.type === "call") resolve();
        this.#events.push(event);
      }
      reject(new Error(`worker ${at} has ended without a call`));
    })());
    await working;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    }
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
