// Values that are not what they should be, work that is lost, and listeners that
// throw. Says what it does, a line each, and in the end how it went: JSON.
//
// MODULE SCENARIO ADDRESS [ADDRESS]

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

// By itself, or one of several in a process (host.mjs), each with an id.
const given = new URL(import.meta.url).searchParams;
const id = given.get("id");
const [module, scenario, address, direct] = id
  ? JSON.parse(given.get("words"))
  : process.argv.slice(2);
const { bytes, Cache, memory, TieredCache } = await import(module);
const NS = "tests.calls";
const codec = bytes;
const BRIEF = { patienceMs: 50 };
/** Of whom a server that is there must not lose on a busy machine. */
const SHORT = { patienceMs: 1_000 };

const outages = [];
const onOutage = ({ error }) => outages.push(error.message);
const open = [];
async function connect(remote, options = {}) {
  const cache = await Cache.connect({ remote, onOutage, ...options });
  open.push(cache);
  return cache;
}
/**
 * The same, once it has heard of the server: one that has never answered gets 2 s,
 * which a busy machine may take, whatever the patience is.
 */
async function acquainted(remote, options) {
  const cache = await connect(remote, options);
  const failed = () => thrown(() => cache.stat(NS, "another"));
  await until(failed, (error) => error === undefined);
  return cache;
}
/** Memory before the server at the address. */
async function tiered(remote, options) {
  const server = await acquainted(remote, options);
  const tiers = [memory({ maxBytes: 1_000 }), server];
  const cache = new TieredCache(tiers, { onOutage });
  open.push(cache);
  return cache;
}
const say = (line) => console.log(id ? `${id} ${line}` : line);
const end = (result) => say(JSON.stringify({ ...result, outages }));
const thrown = (run) => run().then(() => undefined, String);

/** Asks until the answer is as it should be; the last one, if it never is. */
async function until(ask, isRight) {
  const endMs = performance.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (isRight(answer) || performance.now() > endMs) return answer;
    await sleep(20);
  }
}

const scenarios = {
  /** What is kept is no JSON. */
  async unreadable() {
    const cache = await acquainted(address);
    await cache.set(NS, "k", new Uint8Array(2_000_000), { codec });
    const read = await thrown(() => cache.get(NS, "k"));
    const made = await cache.generateDetailed(NS, "k", () => 7);
    const found = await cache.generateDetailed(NS, "k", () => 8);
    end({ read, made, found });
  },
  /** Bytes change on their way. */
  async spoilt() {
    const cache = await acquainted(address);
    const compute = () => Uint8Array.of(7);
    const made = await cache.generateDetailed(NS, "k", compute, { codec });
    let read = 0;
    const streamed = await thrown(async () => {
      const stream = await cache.getStream(NS, "k");
      for await (const piece of stream) read += piece.length;
    });
    end({ source: made.source, size: made.value.length, read, streamed });
  },
  /** Somebody else gets the work, and has another value by the end of it. */
  async lostWork() {
    const slow = await tiered(address);
    const others = await acquainted(address);
    const made = await slow.generateDetailed(NS, "k", async () => {
      say("bad");
      await until(() => others.get(NS, "k"), (value) => value === "B");
      return "A";
    });
    const next = await slow.generateDetailed(NS, "k", () => "C");
    const last = await slow.generateDetailed(NS, "k", () => "C");
    end({ made, next, last });
  },
  /** The server is away when a value is there, and has another one when it is back. */
  async unshared() {
    const cut = await tiered(address, SHORT);
    const others = await acquainted(direct);
    const made = await cut.generateDetailed(NS, "k", async () => {
      say("bad");
      // Until nothing comes through.
      const probe = await connect(address, BRIEF);
      const refused = () => thrown(() => probe.claim(NS, "p", { wait: false }));
      await until(refused, (error) => error !== undefined);
      return "A";
    });
    const meanwhile = await cut.generateDetailed(NS, "k", () => "C");
    await others.generate(NS, "k", () => "B");
    say("good");
    const generate = () => cut.generateDetailed(NS, "k", () => "C");
    const next = await until(generate, ({ value }) => value === "B");
    const last = await generate();
    end({ made, meanwhile, next, last });
  },
  /** Nobody may be told of an outage without an error. */
  async throwingListener() {
    const listeners = [
      () => {
        throw new Error("a bug of the listener");
      },
      () => Promise.reject(new Error("a bug of the listener")),
    ];
    const values = [];
    for (const onOutage of listeners) {
      const cache = await connect("127.0.0.1:1", { ...BRIEF, onOutage });
      values.push(await cache.generate(NS, "k", () => 1));
      const both = [cache, memory({ maxBytes: 1_000 })];
      const all = new TieredCache(both, { onOutage });
      values.push(await all.generate(NS, "k", () => 2));
    }
    end({ values });
  },
  /** The server hears nothing, not even that more will come. */
  async blockedProducer() {
    const cache = await acquainted(address);
    async function* blocked() {
      yield new Uint8Array(10);
      await sleep(50);
      // Lets nothing else run in here.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4_000);
      yield new Uint8Array(10);
    }
    end({ isKept: await cache.setStream(NS, "k", blocked()) });
  },
};

await scenarios[scenario]();
for (const cache of open) await cache.close();
