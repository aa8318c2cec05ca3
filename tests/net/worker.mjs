// Calls a cache over a bad network, again and again, and writes down what it
// did: a line of JSON each. Ends when its stdin does.
//
// MODULE ADDRESS SEED PATIENCE_MS SECURITY

import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const [module, remote, seed, patienceMs, security] = process.argv.slice(2);
const { bytes, Cache } = await import(module);
const NS = "tests.net";
/** All workers want the same few keys, and others a little later. */
const KEYS = 4;
const ID_BYTES = 36;
/** Calls of each sort that are under way at once, and the keys that they want. */
const SORTS = [
  { atOnce: 3, name: "quick", ageMs: 1_500, computeMs: 400, pauseMs: 50 },
  // A fault that is longer than a lease strikes while work is held.
  { atOnce: 2, name: "slow", ageMs: 8_000, computeMs: 6_000, pauseMs: 500 },
];

let state = Number(seed);
/** Below `limit`: mulberry32. */
function below(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % limit;
}

const write = (event) => console.log(JSON.stringify(event));

/** A value says in each of its blocks which computation it is of. */
function valueOf({ id, size }) {
  return new TextEncoder().encode(id.repeat(size / ID_BYTES));
}

/** Of which computation a value is; `mixed`: of none, or of several. */
function about(value) {
  const size = value.length;
  const text = new TextDecoder().decode(value);
  const id = text.slice(0, ID_BYTES);
  const whole = id.repeat(Math.ceil(size / ID_BYTES)).slice(0, size);
  return { id: whole === text && id.length === ID_BYTES ? id : "mixed", size };
}

const cache = await Cache.connect({
  remote,
  ...JSON.parse(security),
  patienceMs: Number(patienceMs),
  onOutage: ({ error: { code, message } }) =>
    write({ type: "outage", atMs: Date.now(), code, message }),
});

/** A producer gives up in the middle of its value. */
class Midway extends Error {
  code = "midway";
}

const kinds = {
  async generate(key, compute, options) {
    const made = await cache.generateDetailed(
      NS,
      key,
      async () => valueOf(await compute()),
      { ...options, codec: bytes },
    );
    return { ...about(made.value), source: made.source };
  },
  async stream(key, compute, options, onStart) {
    const isCutShort = below(2) === 0;
    const stream = await cache.generateStream(NS, key, async () => {
      const value = valueOf(await compute());
      const step = Math.min(Math.ceil(value.length / 4), 100_000);
      return (async function* () {
        for (let at = 0; at < value.length; at += step) {
          await sleep(1);
          if (isCutShort && at > value.length / 2) throw new Midway();
          yield value.subarray(at, at + step);
        }
      })();
    }, options);
    onStart();
    const pieces = [];
    for await (const piece of stream) pieces.push(piece);
    return about(Buffer.concat(pieces));
  },
  async get(key, _, options) {
    const value = await cache.get(NS, key, { ...options, codec: bytes });
    return value && about(value);
  },
};

/** When timers were late, and by how much. */
const lates = [];
const LOOK_MS = 50;
let lookedMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  const lateMs = nowMs - lookedMs - LOOK_MS;
  lookedMs = nowMs;
  if (lateMs > 1) lates.push({ atMs: Date.now(), lateMs });
  if (lates.length > 10_000) lates.splice(0, 5_000);
}, LOOK_MS).unref();

function lateSince(beganMs) {
  let lateMs = performance.now() - lookedMs;
  for (let at = lates.length - 1; at >= 0; at--) {
    if (lates[at].atMs < beganMs) break;
    lateMs += lates[at].lateMs;
  }
  return Math.round(lateMs);
}

const KINDS = {
  quick: ["generate", "generate", "stream", "stream", "get"],
  // Nothing but a fault ends them early.
  slow: ["generate"],
};
const over = new AbortController();
const { signal } = over;
let calls = 0;
async function call({ name, ageMs, computeMs }) {
  const call = `${process.pid}-${calls++}`;
  const kind = KINDS[name][below(KINDS[name].length)];
  const key = `${name}-${Math.floor(Date.now() / ageMs)}-${below(KEYS)}`;
  const deadlineMs = name === "quick" && below(4) === 0
    ? 200 + below(3_000)
    : undefined;
  const size = (below(4) === 0 ? 83_334 : 3) * ID_BYTES;
  const beganMs = Date.now();
  const compute = async () => {
    const id = randomUUID();
    const atMs = Date.now();
    write({ type: "computation", call, key, id, size, atMs });
    // It ends with the run.
    await sleep(below(computeMs), undefined, { signal }).catch(() => {});
    return { id, size };
  };
  let startedMs;
  let result;
  try {
    const options = deadlineMs === undefined ? {} : { deadlineMs };
    const onStart = () => startedMs = Date.now();
    result = await kinds[kind](key, compute, options, onStart);
  } catch (error) {
    const { code, name, message } = error;
    result = { error: code ?? name, message };
  }
  write({
    ...{ type: "call", call, kind, key, deadlineMs, computeMs },
    ...{ beganMs, startedMs, endMs: Date.now(), lateMs: lateSince(beganMs) },
    ...result,
  });
}

process.stdin.on("end", () => over.abort()).resume();
async function work(sort) {
  while (!signal.aborted) {
    await call(sort);
    await sleep(below(sort.pauseMs));
  }
}
await Promise.all(
  SORTS.flatMap((sort) =>
    Array.from({ length: sort.atOnce }, () => work(sort))
  ),
);
await cache.close();
