// Calls through a network that gets bad. Says what it does, a line each, and in
// the end how it went: JSON.
//
// MODULE SCENARIO ADDRESS [ADDRESS] [PATIENCE_MS]

import { once } from "node:events";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

// By itself, or one of several in a process (host.mjs), each with an id.
const given = new URL(import.meta.url).searchParams;
const id = given.get("id");
const [module, scenario, address, ...words] = id
  ? JSON.parse(given.get("words"))
  : process.argv.slice(2);
const { bytes, Cache } = await import(module);
const NS = "tests.calls";
const VALUE = new Uint8Array(4_000_000).fill(7);
const codec = bytes;

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
  const answers = () => cache.stat(NS, "another").then(() => true, () => false);
  for (let left = 300; !await answers(); left--) {
    if (left === 0) throw new Error("the server never answers");
    await sleep(100);
  }
  return cache;
}
/** When the network was asked to become bad. */
let askedMs = 0;
function say(line) {
  askedMs = performance.now();
  console.log(id ? `${id} ${line}` : line);
}

/**
 * How long something takes, also since the network was asked to become bad, and
 * what it comes to. What hangs ends all the same.
 */
async function timed(run) {
  const beganMs = performance.now();
  const hangs = sleep(30_000, { error: "hangs" }, { ref: false });
  const late = lateness();
  let result;
  try {
    result = await Promise.race([run(), hangs]);
  } catch (error) {
    result = { error: error.code ?? error.message };
  }
  const endMs = performance.now();
  const ms = Math.round(endMs - beganMs);
  const sinceAskedMs = Math.round(endMs - askedMs);
  return { ms, sinceAskedMs, lateMs: late(), ...result };
}

/** Lets nothing else run in here, and leaves the processor to others. */
function block(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const LOOK_MS = 20;
/** A timer that is no later has not been held up. */
const USUAL_MS = 5;

/** Watches by how much timers are late, in all, on a machine that is busy. */
function lateness() {
  let lateMs = 0;
  let lastMs = performance.now();
  const look = () => {
    const late = performance.now() - lastMs - LOOK_MS;
    lastMs = performance.now();
    if (late > USUAL_MS) lateMs += late;
  };
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    return Math.round(lateMs);
  };
}

const end = (result) => say(JSON.stringify({ ...result, outages }));
/** Until the network is bad, once it was asked to be: see host.mjs. */
const isSo = () => id ? once(process, `so ${id}`) : sleep(150);

async function* small() {
  yield new Uint8Array(3);
}

const scenarios = {
  /** A call on a connection that has worked before. */
  async ask(patienceMs) {
    const cache = await acquainted(address, { patienceMs });
    say("bad");
    await isSo();
    end(await timed(() => cache.generateDetailed(NS, "k", () => 1)));
  },
  /** Waits for somebody, who publishes when the network is bad. */
  async wait(patienceMs) {
    const cache = await acquainted(address, { patienceMs });
    const holder = await acquainted(words[0]);
    const claim = await holder.claim(NS, "k");
    const waiting = cache.generateDetailed(NS, "k", () => 1);
    await sleep(500);
    say("bad");
    await isSo();
    const result = await timed(async () => {
      if (claim.kind === "assigned") {
        await claim.held.publish(new TextEncoder().encode("2"));
      }
      return await waiting;
    });
    end(result);
  },
  /** Publishes on a connection that gets bad on the way. */
  async publish(patienceMs) {
    const cache = await acquainted(address, { patienceMs });
    say("bad");
    const result = await timed(() =>
      cache.generateDetailed(NS, "k", () => VALUE, { codec })
    );
    const { ms, sinceAskedMs, lateMs, source, error } = result;
    end({ ms, sinceAskedMs, lateMs, source, error });
  },
  /** Keeps a value through a line that gets slow: what it has to do is little. */
  async slowLine(patienceMs) {
    const cache = await acquainted(address, { patienceMs });
    say("bad");
    await isSo();
    const value = VALUE.subarray(0, 150_000);
    end({ isKept: await cache.set(NS, "k", value, { codec }) });
  },
  /** Reads on a connection that gets bad on the way. */
  async read(patienceMs) {
    const writer = await acquainted(words[0]);
    await writer.set(NS, "k", VALUE, { codec });
    const cache = await acquainted(address, { patienceMs });
    say("bad");
    const result = await timed(async () => ({
      size: (await cache.get(NS, "k", { codec }))?.length,
    }));
    end(result);
  },
  /** Nothing comes any more; each call has to end with its deadline. */
  async deadlines() {
    const cache = await acquainted(address);
    const deadlineMs = 400;
    let starting = 4;
    let start;
    const started = new Promise((resolve) => {
      start = () => --starting === 0 && resolve();
    });
    const never = () => {
      start();
      return new Promise(() => {});
    };
    async function* slow() {
      start();
      yield new Uint8Array(10);
      await sleep(60_000, undefined, { ref: false });
    }
    const failing = async () => {
      start();
      await sleep(deadlineMs);
      throw new Error("failed");
    };
    const calls = {
      generate: () => cache.generate(NS, 1, never, { deadlineMs }),
      stream: () => cache.generateStream(NS, 2, slow, { deadlineMs }),
      set: () => cache.setStream(NS, 3, slow(), { deadlineMs }),
      throws: () => cache.generate(NS, 4, failing),
    };
    const running = Object.entries(calls).map(async ([name, call]) => {
      const { ms, lateMs, error } = await timed(call);
      return [name, { ms, lateMs, error }];
    });
    const all = Promise.all(running);
    await Promise.race([started, all]);
    say("bad");
    end(Object.fromEntries(await all));
    process.exit();
  },
  /** Writes into a file what never ends; the call has to. */
  async stuckFile() {
    const cache = await connect(undefined, { local: address });
    async function* stuck() {
      yield new Uint8Array(10);
      await new Promise(() => {});
    }
    const deadlineMs = 400;
    const calls = [
      () => cache.setStream(NS, 1, stuck(), { deadlineMs }),
      () => cache.generateStream(NS, 2, stuck, { deadlineMs }),
    ];
    // Nothing that is waited for keeps a process on Node alive.
    const living = setInterval(() => {}, 1_000);
    end({ calls: await Promise.all(calls.map(timed)) });
    clearInterval(living);
  },
  /** Produces a stream for longer than it may. */
  async lateStream() {
    const cache = await acquainted(address);
    let isStopped = false;
    async function* late() {
      try {
        yield new Uint8Array(10);
        say("bad");
        for (;;) {
          await sleep(100);
          yield new Uint8Array(1);
        }
      } finally {
        isStopped = true;
      }
    }
    async function* stuck() {
      yield new Uint8Array(10);
      say("bad");
      await new Promise(() => {});
    }
    const source = words[0] === "late" ? late() : stuck();
    const living = setInterval(() => {}, 1_000);
    const result = await timed(async () => ({
      isKept: await cache.setStream(NS, "k", source),
    }));
    clearInterval(living);
    await sleep(500);
    const value = await cache.get(NS, "k");
    end({ ...result, isStopped, value });
  },
  /** Waits for somebody for long; meanwhile lets nothing else run. */
  async longWait() {
    const cache = await acquainted(address);
    const holder = await acquainted(words[0]);
    const claim = await holder.claim(NS, "k");
    const waiting = cache.generateDetailed(NS, "k", () => 1);
    await sleep(4_000);
    block(2_500);
    await sleep(1_000);
    await claim.held.publish(new TextEncoder().encode("2"));
    end({ source: (await waiting).source });
  },
  /** The local server says nothing, the remote one does. */
  async silentLocal(patienceMs) {
    const [local, how] = words;
    const cache = await connect(address, { local, patienceMs });
    if (how === "later") await cache.set(NS, "another", 1);
    say("bad");
    await isSo();
    end(await timed(() => cache.generateDetailed(NS, "k", () => 1)));
  },
  /** Asks where no Larder is, twice. */
  async strangers(patienceMs) {
    const cache = await connect(address, { patienceMs });
    const { source } = await cache.generateDetailed(NS, "k", () => 1);
    const stat = await cache.stat(NS, "k").catch(({ message }) => message);
    end({ source, stat });
  },
  /** Aborts calls before they can be answered. */
  async aborts() {
    const kind = words[0];
    const cache = await connect(undefined, { [kind]: address });
    await cache.get(NS, "another");
    const one = async (key) => {
      const controller = new AbortController();
      const call = cache.claim(NS, key, { signal: controller.signal });
      await sleep(key % 8);
      controller.abort(new Error("not wanted"));
      try {
        const claim = await call;
        // A busy machine: it has come before.
        if (claim.kind === "ready") await claim.body.release();
        return "came";
      } catch {
        return "aborted";
      }
    };
    const fates = await Promise.all(
      Array.from({ length: 40 }, (_, key) => one(key)),
    );
    end({ aborted: fates.filter((fate) => fate === "aborted").length });
    // What has come meanwhile goes back with the client.
  },
  /** Gives work back when nobody is there. */
  async giveUp() {
    const cache = await acquainted(address);
    const result = await timed(() =>
      cache.generateDetailed(NS, "k", async () => {
        say("bad");
        await sleep(1_000);
        throw new Error("failed");
      })
    );
    end(result);
    // As long as a program goes on, and its patience lasts, it tries.
    await sleep(20_000);
  },
  /** Calls a call off on a connection that is silent, and has nothing more to do. */
  async callOff() {
    const [cache, holder, another] = await Promise.all(
      [1, 2, 3].map(() => acquainted(address)),
    );
    await cache.get(NS, "another");
    await holder.claim(NS, "held");
    say("bad");
    await isSo();
    const deadlineMs = 100;
    const computed = async () => {
      await isSo();
      return VALUE;
    };
    const thrown = () => Promise.reject(new Error("thrown"));
    const calls = [
      () => cache.get(NS, "k", { deadlineMs }),
      () => cache.getStream(NS, "k", { deadlineMs }),
      () => cache.generate(NS, "k", computed, { codec, deadlineMs }),
      () => cache.generateStream(NS, "s", small, { deadlineMs }),
      () => cache.set(NS, "v", 1, { deadlineMs }),
      () => cache.stat(NS, "k", { deadlineMs }),
      () => cache.delete(NS, "k", { deadlineMs }),
      () => cache.invalidate(NS, { deadlineMs }),
      () => another.generate(NS, "a", thrown, { deadlineMs }),
    ];
    await Promise.all(calls.map((call) => call().catch(() => {})));
    // By then heartbeats have come to nothing.
    await sleep(2_000);
    say("left");
    open.length = 0;
  },
  /** Ends what it has of a value, of work and of an error on a silent connection. */
  async endWork() {
    const caches = await Promise.all(
      Array.from({ length: 4 }, () => acquainted(address)),
    );
    const [thrower, publisher, stopper, holder] = caches;
    const { held } = await holder.claim(NS, "held");
    let started = 0;
    let isBad;
    const bad = new Promise((resolve) => isBad = resolve);
    const start = async () => {
      if (++started === 3) {
        say("bad");
        await isSo();
        isBad();
      }
      await bad;
    };
    // By then all have begun, on a busy machine, too.
    const deadlineMs = 3_000;
    const calls = [
      () =>
        thrower.generate(NS, "t", async () => {
          await start();
          throw new Error("thrown");
        }),
      () =>
        publisher.generate(NS, "p", async () => {
          await start();
          return VALUE;
        }, { codec, deadlineMs }),
      () =>
        stopper.generateStream(NS, "s", async function* () {
          yield VALUE;
          await start();
          yield VALUE;
        }, { deadlineMs }),
      async () => {
        await bad;
        await held.abandon();
      },
    ];
    const beganMs = performance.now();
    // Who ends before all have begun lets nobody wait for ever.
    await Promise.all(
      calls.map((call) => call().catch(() => {}).finally(isBad)),
    );
    say(`left ${Math.round(performance.now() - beganMs)}`);
    open.length = 0;
  },
  /** Calls where a connection is begun, and never made. */
  async neverMade() {
    const [end, ca, ...others] = words;
    const caches = [
      await connect(address, { ca }),
      ...await Promise.all(others.map((each) => connect(each))),
    ];
    const deadlineMs = 1_200;
    const call = (cache) =>
      cache.generate(NS, "k", () => 1, { deadlineMs }).catch(() => {});
    await Promise.all(caches.map(call));
    if (end === "close") {
      await Promise.all(caches.map((cache) => cache.close()));
    }
    say("left");
    open.length = 0;
  },
  /** Gives work back when nobody is there, and has nothing more to do. */
  async leave() {
    const cache = await acquainted(address);
    const failing = async () => {
      say("bad");
      await sleep(500);
      throw new Error("failed");
    };
    await cache.generate(NS, "k", failing).catch(() => {});
    say("left");
    open.length = 0;
  },
  /** Computes without letting anything else run. */
  async blocks() {
    const cache = await acquainted(address);
    const { source } = await cache.generateDetailed(NS, "k", () => {
      say("bad");
      block(Number(words[0]));
      return 1;
    });
    end({ source });
  },
  /** Holds much work for a while, and publishes it; how late timers were. */
  async hold() {
    const cache = await acquainted(address);
    const [holdMs, keys] = words;
    const heldMs = Date.now();
    const held = await Promise.all(
      JSON.parse(keys).map(async (key) => (await cache.claim(NS, key)).held),
    );
    say(`${heldMs}`);
    const late = lateness();
    await sleep(Number(holdMs));
    const lateMs = late();
    let lost = 0;
    await Promise.all(
      held.map((each) => each.publish(Uint8Array.of(49)).catch(() => lost++)),
    );
    end({ lost, lateMs });
  },
  /** Publishes what can be read again, or once, while the connection breaks. */
  async stream() {
    const cache = await acquainted(address);
    async function* pieces() {
      for (let sent = 0; sent < 40; sent++) {
        await undefined;
        yield VALUE.subarray(0, 100_000);
      }
    }
    const one = pieces();
    const source = { again: pieces, once: one, same: () => one }[words[0]];
    const isKept = await cache.setStream(NS, "k", source);
    const size = (await cache.get(NS, "k", { codec }))?.length;
    end({ isKept, size });
  },
  /** Produces a stream while the connection breaks: another one, or the same. */
  async produce() {
    const cache = await acquainted(address);
    let began = 0;
    async function* pieces() {
      began++;
      for (let sent = 0; sent < 40; sent++) {
        await undefined;
        yield VALUE.subarray(0, 100_000);
      }
    }
    const one = pieces();
    const produce = {
      new: pieces,
      later: () => Promise.resolve(pieces()),
      same: () => one,
    };
    try {
      const stream = await cache.generateStream(NS, "k", produce[words[0]]);
      let size = 0;
      for await (const piece of stream) size += piece.length;
      const kept = (await cache.get(NS, "k", { codec }))?.length;
      end({ began, size, kept });
    } catch ({ code, message }) {
      end({ began, code, message });
    }
  },
  /** Streams whose first piece, or second one, takes its time. */
  async slowProducer() {
    const cache = await acquainted(address);
    async function* late(at) {
      for (const piece of [0, 1]) {
        if (piece === at) await sleep(Number(words[0]));
        yield new Uint8Array(10);
      }
    }
    const kept = [0, 1].map(async (at) => {
      const isKept = await cache.setStream(NS, at, late(at));
      return [isKept, (await cache.get(NS, at, { codec }))?.length];
    });
    end({ kept: await Promise.all(kept) });
  },
  /** A reader that has other things to do for a while. */
  async slowReader() {
    const cache = await acquainted(address);
    const large = new Uint8Array(16_000_000).fill(3);
    await cache.set(NS, "k", large, { codec });
    const stream = await cache.getStream(NS, "k");
    let size = 0;
    for await (const piece of stream) {
      if (size === 0) await sleep(Number(words[0]));
      size += piece.length;
    }
    end({ size });
  },
  /** A stream that is read to its half. With a word, the cache is closed then. */
  async halfRead() {
    const cache = await acquainted(address);
    // More than fits between the connection and whoever reads.
    const large = new Uint8Array(32_000_000);
    await cache.set(NS, "k", large, { codec });
    const stream = await cache.getStream(NS, "k");
    const reader = stream.getReader();
    await reader.read();
    if (words[0] === "close") await cache.close();
    // What was there already may still come.
    const closed = words[0] === "close"
      ? await reader.read().catch(({ code }) => ({ code }))
      : {};
    say(`half ${closed.code ?? ""}`);
    open.length = 0;
  },
  /** Many calls with one signal. */
  async signals() {
    let added = 0;
    const any = AbortSignal.any;
    let linked = 0;
    AbortSignal.any = (signals) => {
      linked++;
      return any.call(AbortSignal, signals);
    };
    const { signal } = new AbortController();
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args) => {
      added++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args) => {
      added--;
      removeEventListener.apply(signal, args);
    };
    const cache = await acquainted(address);
    for (let at = 0; at < 20; at++) {
      await cache.generate(NS, at, () => at, { signal });
      await cache.generate(NS, at, () => at, { signal });
      const read = await cache.generateStream(NS, `s${at}`, small, { signal });
      for await (const _ of read);
      for await (const _ of cache.list(NS, { signal })) break;
    }
    end({ added, linked });
  },
};

await scenarios[scenario](words.length > 0 ? Number(words.at(-1)) : undefined);
for (const cache of open) await cache.close();
