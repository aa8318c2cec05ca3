/** One program, one server: what generate, get and set do. */

import assert from "node:assert/strict";
import {
  bytes,
  Cache,
  CacheError,
  type ConnectOptions,
  json,
  messagepack,
  type Progress,
  StoredError,
} from "../../src/client/mod.ts";
import { MAX_KEY_BYTES } from "../../src/limits.ts";
import type { Answering } from "../support/server_here.ts";
import { gate, withServerHere } from "./support.ts";

const MIB = 1024 * 1024;

/** Runs a test once with values in messages, and once with values in files. */
function onBoth(
  name: string,
  run: (
    connect: (options?: Pick<ConnectOptions, "onOutage">) => Promise<Cache>,
    server: Answering,
  ) => Promise<void>,
): void {
  for (const kind of ["remote", "local"] as const) {
    Deno.test(`${name} (${kind})`, () =>
      withServerHere((server) =>
        run(
          (options) => Cache.connect({ [kind]: server[kind], ...options }),
          server,
        )
      ));
  }
}

onBoth("what one client computes, another one reads", async (connect) => {
  await using first = await connect();
  await using second = await connect();
  const key = { model: "ring", stages: [3, 5] };
  const made = await first.generateDetailed("sim.osc", key, () => ({ hz: 7 }));
  assert.deepEqual(made, { value: { hz: 7 }, source: "computed" });
  const found = await second.generateDetailed("sim.osc", key, () => {
    throw new Error("it is there");
  });
  assert.deepEqual(found.value, { hz: 7 });
  assert.equal(found.source, first.name.split(" ")[0]);
  assert.deepEqual(await second.get("sim.osc", key), { hz: 7 });
  assert.equal(await second.get("sim.osc", "another"), undefined);
});

onBoth("a value that is there stays as it is", async (connect) => {
  await using cache = await connect();
  assert.equal(await cache.set("a", "k", 1), true);
  assert.equal(await cache.set("a", "k", 2), false);
  assert.equal(await cache.get("a", "k"), 1);
  const both = [1, 2].map((value) => cache.set("a", "at once", value));
  const kept = (await Promise.all(both)).indexOf(true);
  assert.equal((await Promise.all(both)).lastIndexOf(true), kept);
  assert.equal(await cache.get("a", "at once"), kept + 1);
  // Nobody has to be able to read it.
  await cache.set("a", "bytes", Uint8Array.of(255), { codec: bytes });
  assert.equal(await cache.set("a", "bytes", 1), false);
});

onBoth("codecs write and read the bytes", async (connect) => {
  await using cache = await connect();
  const when = new Date(0);
  assert.deepEqual(
    await cache.generate("a", "m", () => when, { codec: messagepack<Date>() }),
    when,
  );
  assert.deepEqual(
    await cache.get("a", "m", { codec: messagepack<Date>() }),
    when,
  );
  const raw = Uint8Array.of(0, 255, 7);
  await cache.set("a", raw, raw, { codec: bytes });
  assert.deepEqual(await cache.get("a", raw, { codec: bytes }), raw);
});

onBoth(
  "a value that its codec refuses is a result all the same",
  async (connect) => {
    const outages: string[] = [];
    await using cache = await connect({
      onOutage: ({ error }) => outages.push(error.message),
    });
    const refused = { mhz: 900, note: undefined } as unknown as number;
    for (let round = 1; round <= 2; round++) {
      const { value, source } = await cache.generateDetailed(
        "a",
        "no json",
        () => refused,
      );
      assert.deepEqual([value, source], [refused, "uncached"]);
      assert.equal(outages.length, round);
    }
    assert.match(outages[0]!, /a value of a is not kept: .*note is undefined/);
    // The work was given back: it is not waited for.
    assert.equal(await cache.generate("a", "no json", () => 1), 1);
  },
);

onBoth(
  "when the computation throws: an error is not kept, and the next one computes at once",
  async (connect) => {
    await using cache = await connect();
    await using other = await connect();
    const thrown = new RangeError("diverged");
    await assert.rejects(
      cache.generate("a", "k", () => Promise.reject(thrown)),
      (error) => error === thrown,
    );
    assert.equal(await other.generate("a", "k", () => 2), 2);
  },
);

onBoth(
  "when the computation throws: an error is kept when that was asked for",
  async (connect) => {
    await using cache = await connect();
    const fail = () => {
      throw new RangeError("diverged");
    };
    const cacheErrors = (error: unknown) => error instanceof RangeError;
    await assert.rejects(cache.generate("a", "k", fail, { cacheErrors }), {
      name: "RangeError",
    });
    const stored = (error: unknown) =>
      error instanceof StoredError && error.message === "diverged" &&
      error.originalName === "RangeError";
    await assert.rejects(cache.generate("a", "k", () => 1), stored);
    await assert.rejects(cache.get("a", "k"), stored);
    const stream = await cache.getStream("a", "k");
    await assert.rejects(Array.fromAsync(stream!), stored);
  },
);

onBoth(
  "when the computation throws: what fails to say whether to keep an error does not keep the work",
  async (connect) => {
    await using cache = await connect();
    await using other = await connect();
    const fail = () => Promise.reject(new RangeError("diverged"));
    const cacheErrors = () => {
      throw new TypeError("cannot say");
    };
    await assert.rejects(cache.generate("a", "k", fail, { cacheErrors }), {
      message: "cannot say",
    });
    assert.equal(
      (await other.claim("a", "k", { wait: false })).kind,
      "assigned",
    );
  },
);

onBoth(
  "when two callers in one process ask for the same: they share one computation",
  async (connect) => {
    await using cache = await connect();
    const { promise, resolve } = gate<object>();
    let runs = 0;
    const compute = () => {
      runs++;
      return promise;
    };
    const both = [1, 2].map(() => cache.generate("a", "k", compute));
    const value = {};
    resolve(value);
    assert.deepEqual(await Promise.all(both), [value, value]);
    assert.equal(runs, 1);
  },
);

onBoth(
  "when every caller has aborted, or is past its time: the computation ends with the last one",
  async (connect) => {
    await using cache = await connect();
    const started = gate<AbortSignal>();
    const compute = (signal: AbortSignal) => {
      started.resolve(signal);
      return new Promise<number>(() => {});
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [first, second].map(({ signal }) =>
      cache.generate("a", "k", compute, { signal })
    );
    const signal = await started.promise;
    first.abort(new Error("not any more"));
    await assert.rejects(calls[0]!, /not any more/);
    assert.equal(signal.aborted, false);
    second.abort(new Error("nobody"));
    await assert.rejects(calls[1]!, /nobody/);
    assert.equal(signal.aborted, true);
    // The work was given back.
    assert.equal(await cache.generate("a", "k", () => 3), 3);
  },
);

onBoth(
  "when every caller has aborted, or is past its time: a value that was computed is kept, though its caller has left",
  async (connect) => {
    await using cache = await connect();
    await using other = await connect();
    const controller = new AbortController();
    const value = new Uint8Array(5 * MIB).fill(7);
    const call = cache.generate("a", "k", () => value, {
      codec: bytes,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await assert.rejects(call, /enough/);
    const kept = await other.get("a", "k", { codec: bytes, wait: true });
    assert.deepEqual(kept, value);
  },
);

onBoth(
  "when a deadline passes, or a signal is aborted: who aborts while a value comes does not get it",
  async (connect) => {
    await using cache = await connect();
    await cache.set("a", "k", new Uint8Array(5 * MIB), { codec: bytes });
    const controller = new AbortController();
    const options = {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    };
    const getting = cache.get("a", "k", { ...options, codec: bytes });
    await assert.rejects(getting, /enough/);
  },
);

onBoth("a deadline may be longer than any timer", async (connect) => {
  await using cache = await connect();
  const options = { deadlineMs: Infinity };
  assert.equal(await cache.generate("a", "k", () => 1, options), 1);
});

onBoth(
  "when a deadline passes, or a signal is aborted: it ends waiting, not somebody else's work",
  async (connect) => {
    await using worker = await connect();
    await using waiter = await connect();
    const [started, result] = [gate(), gate<number>()];
    const working = worker.generate("a", "k", () => {
      started.resolve();
      return result.promise;
    });
    await started.promise;
    const late = waiter.generate("a", "k", () => 2, { deadlineMs: 100 });
    await assert.rejects(
      late,
      (error) => error instanceof CacheError && error.code === "deadline",
    );
    const patient = waiter.generate("a", "k", () => 2);
    result.resolve(1);
    assert.deepEqual(await Promise.all([working, patient]), [1, 1]);
  },
);

onBoth(
  "large values go in and out in pieces, and say how far they are",
  async (connect) => {
    await using cache = await connect();
    const piece = new Uint8Array(MIB).map((_, at) => at);
    async function* pieces() {
      for (let at = 0; at < 5; at++) yield piece;
    }
    const [out, back]: Progress[][] = [[], []];
    const told = (progress: Progress) => out!.push(progress);
    assert(await cache.setStream("a", "k", pieces(), { onProgress: told }));
    assert.deepEqual(out!.at(-1)!.done, 5 * MIB);
    const stream = await cache.getStream("a", "k", {
      onProgress: (progress) => back!.push(progress),
    });
    const read = await new Response(stream).bytes();
    assert.equal(read.length, 5 * MIB);
    assert.deepEqual(read.subarray(4 * MIB), piece);
    assert.deepEqual(back!.at(-1), {
      direction: "in",
      done: 5 * MIB,
      total: 5 * MIB,
    });
    assert(back!.length > 5);
    const unread = await cache.getStream("a", "k");
    await unread!.cancel();
  },
);

onBoth("pieces may come in memory that is used again", async (connect) => {
  await using cache = await connect();
  const count = 40;
  async function* pieces() {
    const piece = new Uint8Array(1_000);
    for (let at = 0; at < count; at++) yield piece.fill(at);
  }
  assert(await cache.setStream("a", "k", pieces()));
  const read = await cache.get("a", "k", { codec: bytes });
  const filled = Array.from(
    { length: count },
    (_, at) => read![at * 1_000],
  );
  assert.deepEqual(filled, [...Array(count).keys()]);
});

onBoth(
  "a stream is produced once, and read from the cache",
  async (connect) => {
    await using cache = await connect();
    let runs = 0;
    const produce = () => {
      runs++;
      return ReadableStream.from([bytesOf("one "), bytesOf("two")]);
    };
    for (let turn = 0; turn < 2; turn++) {
      const stream = await cache.generateStream("a", "k", produce);
      assert.equal(await new Response(stream).text(), "one two");
    }
    assert.equal(runs, 1);
  },
);

onBoth(
  "when the computation throws: a stream that fails is no outage, and its work goes back at once",
  async (connect) => {
    await using cache = await connect();
    await using other = await connect();
    let runs = 0;
    async function* failing() {
      runs++;
      yield bytesOf("one");
      throw new RangeError("diverged");
    }
    const diverged = { name: "RangeError", message: "diverged" };
    await assert.rejects(cache.setStream("a", "k", failing()), diverged);
    const again = await other.claim("a", "k", { wait: false });
    assert.equal(again.kind, "assigned");
    await assert.rejects(cache.generateStream("a", "2", failing), diverged);
    assert.equal(runs, 2);
  },
);

onBoth(
  "when a deadline passes, or a signal is aborted: publishing a stream ends, and the work goes back",
  async (connect) => {
    await using cache = await connect();
    await using other = await connect();
    const [left, ended, never] = [new AbortController(), gate(), gate()];
    async function* endless() {
      try {
        for (let at = 0;; at++) {
          if (at === 3) left.abort(new Error("enough"));
          yield new Uint8Array(MIB);
        }
      } finally {
        ended.resolve();
      }
    }
    await assert.rejects(cache.setStream("a", "k", endless(), left), /enough/);
    await ended.promise;
    const again = await other.claim("a", "k", { wait: false });
    assert.equal(again.kind, "assigned");

    const late = new AbortController();
    async function* stuck() {
      yield new Uint8Array(1);
      late.abort(new Error("too late"));
      await never.promise;
    }
    await assert.rejects(cache.setStream("a", "2", stuck(), late), /too late/);
    never.resolve();
  },
);

onBoth(
  "work that is claimed goes back at the end of the block",
  async (connect) => {
    await using cache = await connect();
    await using other = await connect();
    {
      const claim = await cache.claim("a", "k");
      assert(claim.kind === "assigned");
      await using _held = claim.held;
      const second = await other.claim("a", "k", { wait: false });
      assert.equal(second.kind, "loading");
    }
    const claim = await other.claim("a", "k");
    assert(claim.kind === "assigned");
    await claim.held.publish(json().encode([1]));
    assert.deepEqual(await cache.get("a", "k"), [1]);
  },
);

onBoth(
  "when the namespace or the key is none: it is thrown",
  async (connect) => {
    await using cache = await connect();
    const invalid = (error: unknown) =>
      error instanceof CacheError && error.code === "invalid";
    await assert.rejects(cache.generate("no-such", "k", () => 1), invalid);
    const large = new Uint8Array(MAX_KEY_BYTES + 1);
    await assert.rejects(cache.generate("a", large, () => 1), invalid);
  },
);

Deno.test("who holds work hears that the cache was closed", () =>
  withServerHere(async ({ remote }) => {
    const cache = await Cache.connect({ remote });
    const claims = [await cache.claim("a", 1), await cache.claim("a", 2)];
    const [held, other] = claims.map((claim) => {
      assert(claim.kind === "assigned");
      return claim.held;
    });
    const started = gate();
    const publishing = held!.publish(async function* () {
      started.resolve();
      yield new Uint8Array(10);
      await new Promise(() => {});
    });
    await started.promise;
    const closed = { code: "closed", message: "the cache is closed" };
    const failing = assert.rejects(publishing, closed);
    await cache.close();
    await failing;
    assert.equal(other!.signal.reason.code, "closed");
    await assert.rejects(other!.publish(new Uint8Array(1)), closed);
    await other!.abandon();
  }));

onBoth("closing ends whoever waits", async (connect) => {
  await using worker = await connect();
  const claim = await worker.claim("a", "k");
  assert.equal(claim.kind, "assigned");
  const cache = await connect();
  const waiting = cache.generate("a", "k", () => 1);
  const closed = assert.rejects(
    waiting,
    (error) => error instanceof CacheError && error.code === "closed",
  );
  await cache.close();
  await closed;
});

Deno.test("an address is host:port, and there is at least one", async () => {
  await assert.rejects(Cache.connect({}), TypeError);
  await assert.rejects(Cache.connect({ remote: "localhost" }), TypeError);
});

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
