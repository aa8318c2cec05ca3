/**
 * Where rude clients meet a real server, before witnesses.
 *
 * @module
 */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { RemoteClient } from "../support/clients.ts";
import { ServerProcess } from "../support/server_process.ts";
import { within } from "../support/waiting.ts";
import { MemoryWatch } from "./memory.ts";
import { SERVER_FLAGS } from "./scale.ts";
import { Witness } from "./witness.ts";

const MIB = 1024 * 1024;
/**
 * The launcher and the server together, whatever clients do: 320 MiB, and a
 * twentieth more for machines so busy that V8 collects late.
 */
const TREE_LIMIT_BYTES = 320 * MIB * 1.05;
/** No polite call may take that long: the server would have hung. */
const HUNG_MS = 5_000;
/** A case that takes longer is stuck. */
const CASE_LIMIT_MS = 60_000;
/** Both APIs on picked ports. */
const ADDRESSES = ["-l", "127.0.0.1:0", "-r", "127.0.0.1:0"];
/** The namespace of all values here. */
export const NS = "tests.rude";

/** A case: what the client does, and the story of it as its name. */
export interface RudeCase {
  readonly name: string;
  /** Resolves when the client is done, or throws what it did not expect. */
  readonly run: (arena: Arena) => Promise<void>;
}

/** A server, and what watches it. */
export class Arena implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #server: ServerProcess;
  readonly #witness: Witness;
  /** The port of RemoteCache. */
  readonly port: number;
  /** The port of LocalCache. */
  readonly localPort: number;

  private constructor(
    stack: AsyncDisposableStack,
    server: ServerProcess,
    witness: Witness,
  ) {
    this.#stack = stack;
    this.#server = server;
    this.#witness = witness;
    this.port = portOf(server.remote);
    this.localPort = portOf(server.local);
  }

  /** Starts everything; `flags` are the server's. */
  static async open(flags: readonly string[] = []): Promise<Arena> {
    await using stack = new AsyncDisposableStack();
    const { path: root } = stack.use(await temporaryFolder());
    const server = stack.use(
      await ServerProcess.start(root, {
        args: [...ADDRESSES, ...flags, ...SERVER_FLAGS],
      }),
    );
    const witness = stack.use(await Witness.start(server.remote, server.pid));
    return new Arena(stack.move(), server, witness);
  }

  /** `ip:port` of RemoteCache. */
  get remote(): string {
    return this.#server.remote;
  }

  /** `ip:port` of LocalCache. */
  get local(): string {
    return this.#server.local;
  }

  /** The folder that is served. */
  get root(): string {
    return this.#server.root;
  }

  /** What launcher and server take now. */
  treeBytes(): number {
    using memory = new MemoryWatch(this.#server.pid);
    return memory.lap().nowBytes;
  }

  /** The sockets that the server has open, by their inodes. */
  async sockets(): Promise<Set<string>> {
    const folder = `/proc/${await this.#server.serverPid()}/fd/`;
    const targets = Array.from(Deno.readDirSync(folder), ({ name }) => {
      try {
        return Deno.readLinkSync(folder + name);
      } catch {
        // It was closed in this moment.
        return "";
      }
    });
    return new Set(targets.filter((one) => one.startsWith("socket:")));
  }

  /** Publishes values under the names `<prefix> <i>`. */
  async publish(
    prefix: string,
    { count = 1, sizeBytes }: { count?: number; sizeBytes: number },
  ): Promise<void> {
    using client = new RemoteClient(this.remote);
    for (let i = 0; i < count; i++) {
      const { id } = await client.assigned(NS, `${prefix} ${i}`);
      await client.set(id, new Uint8Array(sizeBytes).fill(i));
    }
  }

  /** An assignment to publish under. */
  async assigned(key: string): Promise<bigint> {
    using client = new RemoteClient(this.remote);
    return BigInt((await client.assigned(NS, key)).id);
  }

  /** Runs a case, and looks at what it did to others. */
  async judge({ name, run }: RudeCase): Promise<void> {
    const before = await this.#witness.lap();
    const startMs = performance.now();
    let failure: unknown;
    await within(run(this), name, CASE_LIMIT_MS).catch((error) => {
      failure = error;
    });
    const tookMs = performance.now() - startMs;
    const { failures, serverPid, ...lap } = await this.#witness.lap();
    console.log(
      `rude: ${name}: tree peak ${mib(lap.peakBytes)}, after ` +
        `${mib(lap.nowBytes)}; polite calls ${lap.calls}, ` +
        `p50 ${ms(lap.p50Ms)}, p99 ${ms(lap.p99Ms)}, max ${ms(lap.maxMs)}; ` +
        `took ${ms(tookMs)}`,
    );
    assert.equal(serverPid, before.serverPid, `it died\n${this.#stderr()}`);
    assert.deepEqual(failures, [], "a polite client was not served");
    if (failure !== undefined) throw failure;
    assert.ok(lap.maxMs < HUNG_MS, `a polite call took ${ms(lap.maxMs)}`);
    await this.#servesNewcomers();
    assert.ok(
      lap.peakBytes < TREE_LIMIT_BYTES,
      `the server took ${mib(lap.peakBytes)}`,
    );
  }

  #stderr(): string {
    return this.#server.stderr.slice(-2_000);
  }

  async #servesNewcomers(): Promise<void> {
    using client = new RemoteClient(this.remote);
    const key = crypto.randomUUID();
    const { id } = await client.assigned(NS, key);
    await client.set(id, "new");
    assert.equal((await client.value(NS, key)).length, 3);
  }

  /** Stops the server, which must end well. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Cases of one kind. */
export interface RudeKind {
  /** What the server makes of them. */
  readonly name: string;
  readonly cases: readonly RudeCase[];
}

/** A test of many cases on one server, which may have flags of its own. */
export function rudeTest(
  name: string,
  cases: readonly RudeCase[],
  flags: readonly string[] = [],
): void {
  Deno.test(name, async (test) => {
    await using arena = await Arena.open(flags);
    await judgeAll(test, arena, cases);
  });
}

/** A test of many kinds on one server, which has the usual settings. */
export function rudeKindsTest(name: string, kinds: readonly RudeKind[]): void {
  Deno.test(name, async (test) => {
    await using arena = await Arena.open();
    for (const { name, cases } of kinds) {
      await test.step(name, (kind) => judgeAll(kind, arena, cases));
    }
  });
}

async function judgeAll(
  test: Deno.TestContext,
  arena: Arena,
  cases: readonly RudeCase[],
): Promise<void> {
  for (const one of cases) {
    await test.step(one.name, () => arena.judge(one));
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

function mib(sizeBytes: number): string {
  return `${Math.round(sizeBytes / MIB)} MiB`;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
