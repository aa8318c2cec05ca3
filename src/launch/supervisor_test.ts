import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import { completeConfig, type Config } from "../config.ts";
import type { Child, ChildExit } from "./child.ts";
import { StopRequests } from "./stop_requests.ts";
import { supervise } from "./supervisor.ts";
import type { ServedAddresses } from "./running_server.ts";

const CONFIG = completeConfig({ root: "/r", local: { host: "::1", port: 0 } });

/** Children that end when the test says so. */
class Nursery {
  readonly clock = new FakeClock();
  readonly stop = new StopRequests(() => this.clock.nowMs());
  readonly log: string[] = [];
  readonly configs: Config[] = [];
  readonly calls: string[] = [];
  #ready = Promise.withResolvers<ServedAddresses>();
  #exited = Promise.withResolvers<ChildExit>();
  #spawned = Promise.withResolvers<void>();
  readonly code: Promise<number>;

  constructor() {
    this.code = supervise(CONFIG, {
      spawn: (config) => this.#spawn(config),
      stop: this.stop,
      clock: this.clock,
      log: (line) => this.log.push(line),
    });
  }

  #spawn(config: Config): Child {
    this.configs.push(config);
    this.#spawned.resolve();
    this.#spawned = Promise.withResolvers();
    this.#ready = Promise.withResolvers();
    this.#exited = Promise.withResolvers();
    return {
      ready: this.#ready.promise,
      exited: this.#exited.promise,
      stop: () => this.calls.push("stop"),
      reload: () => this.calls.push("reload"),
      kill: () => {
        this.calls.push("kill");
        this.exit(137, "SIGKILL");
      },
    };
  }

  get nextSpawn(): Promise<void> {
    return this.#spawned.promise;
  }

  async ready(addresses: ServedAddresses = {}): Promise<void> {
    this.#ready.resolve(addresses);
    await turn();
  }

  exit(code: number, signal: string | null = null): void {
    this.#exited.resolve({ code, signal });
  }

  /** One ends, and the next one is there so many milliseconds later. */
  async restarts(
    waitMs: number,
    code: number,
    signal?: string,
  ): Promise<void> {
    const spawned = this.nextSpawn;
    this.exit(code, signal);
    await turn();
    this.clock.advance(waitMs);
    await spawned;
  }
}

/** Lets everything that can go on go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("supervise passes a clean exit and refused starts on", async () => {
  for (const code of [0, 1, 2]) {
    const nursery = new Nursery();
    nursery.exit(code);
    assert.equal(await nursery.code, code);
    assert.deepEqual(nursery.log, []);
  }
});

Deno.test("supervise names the picked port when it starts a server again", async () => {
  const nursery = new Nursery();
  await nursery.ready({ localAddress: "[::1]:4711" });
  await nursery.restarts(0, 1);
  assert.deepEqual(nursery.configs, [
    CONFIG,
    { ...CONFIG, local: { host: "::1", port: 4_711 } },
  ]);
  nursery.exit(0);
  assert.equal(await nursery.code, 0);
});

Deno.test("supervise goes on where a server that died cannot be started again for now", async () => {
  const nursery = new Nursery();
  await nursery.ready();
  await nursery.restarts(0, 137, "SIGKILL");
  // Its disk is full; it has said so.
  await nursery.restarts(100, 1);
  await nursery.ready();
  await nursery.restarts(200, 137, "SIGKILL");
  // Whatever is wrong with the command line stays so.
  nursery.exit(2);
  assert.equal(await nursery.code, 2);
  assert.deepEqual(nursery.log, [
    "the server died (SIGKILL); it is started again now",
    "the server could not start; it is started again in 100 ms",
    "the server died (SIGKILL); it is started again in 200 ms",
  ]);
});

Deno.test("supervise waits longer from death to death, and not once it is to stop", async () => {
  const nursery = new Nursery();
  await nursery.ready();
  await nursery.restarts(0, 134, "SIGABRT");
  nursery.exit(134, "SIGABRT");
  await turn();
  nursery.clock.advance(99);
  await turn();
  assert.equal(nursery.configs.length, 2);
  const third = nursery.nextSpawn;
  nursery.clock.advance(1);
  await third;
  nursery.exit(70);
  await turn();
  nursery.stop.request();
  assert.equal(await nursery.code, 0);
  assert.equal(nursery.configs.length, 3);
  assert.deepEqual(nursery.log, [
    "the server died (SIGABRT); it is started again now",
    "the server died (SIGABRT); it is started again in 100 ms",
    "the server died (exit code 70); it is started again in 200 ms",
  ]);
});

Deno.test("supervise passes the exit code of a drained server on", async () => {
  const nursery = new Nursery();
  await nursery.ready();
  nursery.stop.request();
  await turn();
  assert.deepEqual(nursery.calls, ["stop"]);
  nursery.exit(0);
  assert.equal(await nursery.code, 0);
});

Deno.test("supervise reports a server that dies while it drains", async () => {
  const nursery = new Nursery();
  await nursery.ready();
  nursery.stop.request();
  await turn();
  nursery.exit(139, "SIGSEGV");
  assert.equal(await nursery.code, 1);
  assert.deepEqual(nursery.log, [
    "the server died while it stopped (SIGSEGV)",
  ]);
});

Deno.test("supervise kills a server that does not drain in time", async () => {
  const nursery = new Nursery();
  await nursery.ready();
  nursery.stop.request();
  await turn();
  nursery.clock.advance(CONFIG.drainTimeoutMs + 5_000);
  assert.equal(await nursery.code, 1);
  assert.deepEqual(nursery.calls, ["stop", "kill"]);
});

Deno.test("supervise says what another Ctrl-C does when it does it, and not of a SIGTERM", async () => {
  const hint = "still stopping: Ctrl-C again ends it at once";
  for (const isInterrupt of [true, false]) {
    const nursery = new Nursery();
    await nursery.ready();
    if (isInterrupt) nursery.stop.interrupt();
    else nursery.stop.request();
    await turn();
    // This one is taken for the same press.
    nursery.clock.advance(500);
    if (isInterrupt) nursery.stop.interrupt();
    assert.deepEqual(nursery.log, []);
    nursery.clock.advance(500);
    assert.deepEqual(nursery.log, isInterrupt ? [hint] : []);
    nursery.exit(0);
    assert.equal(await nursery.code, 0);
  }
  const quick = new Nursery();
  await quick.ready();
  quick.stop.interrupt();
  await turn();
  quick.exit(0);
  assert.equal(await quick.code, 0);
  quick.clock.advance(5_000);
  assert.deepEqual(quick.log, []);
});

Deno.test("supervise kills at once when it is forced", async () => {
  const nursery = new Nursery();
  await nursery.ready();
  nursery.stop.interrupt();
  nursery.clock.advance(1_000);
  nursery.stop.interrupt();
  assert.equal(await nursery.code, 130);
  assert.deepEqual(nursery.calls, ["stop", "kill"]);
});
