// Publishes one value after the other, and gives each up midway, at another
// moment each time. Prints how many calls failed, as all of them should.
//
// MODULE ADDRESS WAY COUNT
// WAY: throw, abort or close; also the namespace, which is given_up.WAY.

import process from "node:process";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";

const [module, remote, way, count] = process.argv.slice(2);
const { bytes, Cache } = await import(module);
const namespace = `given_up.${way}`;
const PIECE_BYTES = 20_000;
/** It goes out in four pieces. */
const VALUE = new Uint8Array(1_000_000);
const AT_ONCE = 4;

/**
 * A cache that has heard of the server: one that has never answered gets 2 s,
 * which a busy machine may take, and then no call would be given up.
 */
async function connect() {
  const cache = await Cache.connect({ remote, patienceMs: 60_000 });
  const answers = () =>
    cache.stat(namespace, "k").then(() => true, () => false);
  for (let left = 300; !await answers(); left--) {
    if (left === 0) throw new Error("the server never answers");
    await sleep(100);
  }
  return cache;
}

/** Gives up when some of the pieces have gone, or all, but before the end. */
function after(at, giveUp) {
  let events = 0;
  return () => {
    if (events++ === at % 4) giveUp();
  };
}

/** Pieces, and then something else; in between the event loop goes round. */
async function* pieces(at, then) {
  for (let sent = 0; sent < at % 4; sent++) {
    for (let turn = 0; turn < at % 7; turn++) await setImmediate();
    yield new Uint8Array(PIECE_BYTES).fill(sent);
  }
  for (let turn = 0; turn < at % 5; turn++) await setImmediate();
  await then();
}

const ways = {
  // The producer throws.
  async throw(cache, at) {
    const producer = () =>
      pieces(at, () => {
        throw new Error("midway");
      });
    await cache.generateStream(namespace, at, producer);
  },
  // Nobody wants it to be kept any more, when some of it is on its way.
  async abort(cache, at) {
    const controller = new AbortController();
    const { signal } = controller;
    const abort = () => controller.abort(new Error("given up"));
    if (at % 2 === 0) {
      await cache.setStream(namespace, at, pieces(at, abort), { signal });
    } else {
      const onProgress = after(at >> 1, abort);
      await cache.set(namespace, at, VALUE, {
        codec: bytes,
        signal,
        onProgress,
      });
    }
  },
  // The cache is closed, when some of a value is on its way.
  async close(_, at) {
    const cache = await connect();
    const onProgress = after(at, () => void cache.close());
    await cache.generate(namespace, at, () => VALUE, {
      codec: bytes,
      onProgress,
    });
  },
};

let failed = 0;
let next = 0;
async function work() {
  const cache = await connect();
  while (next < Number(count)) {
    await ways[way](cache, next++).catch(() => failed++);
  }
  await cache.close();
}
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(failed);
