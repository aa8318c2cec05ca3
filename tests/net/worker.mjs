// Calls a cache over a bad network, again and again, and writes down what it
// did: a line of JSON each. Ends when its stdin does.
//
// MODULE ADDRESS SEED PATIENCE_MS

import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const [module, remote, seed, patienceMs] = process.argv.slice(2);
const { bytes, Cache } = await import(module);
const NS = "tests.net";
const AT_ONCE = 3;
/** All workers want the same few keys, and others a little later. */
const KEYS = 4;
const AGE_MS = 1_500;
const ID_BYTES = 36;

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
function valueOf(id, size) {
  return new TextEncoder().encode(id.repeat(Math.ceil(size / ID_BYTES)));
}

/** Of which computation a value is; `torn`: of none, or of several. */
function idOf(value) {
  const text = new TextDecoder().decode(value);
  const id = text.slice(0, ID_BYTES);
  const whole = id.repeat(text.length / ID_BYTES);
  return id.length === ID_BYTES && whole === text ? id : "torn";
}

const cache = await Cache.connect({
  remote,
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
    const made = await cache.generateDetailed(NS, key, async () => {
      const { id, size } = await compute();
      return valueOf(id, size);
    }, { ...options, codec: bytes });
    return { id: idOf(made.value), source: made.source };
  },
  async stream(key, compute, options, about) {
    const isCutShort = below(2) === 0;
    const stream = await cache.generateStream(NS, key, async () => {
      const { id, size } = await compute();
      const value = valueOf(id, size);
      return (async function* () {
        for (let at = 0; at < value.length; at += 100_000) {
          await sleep(1);
          yield value.subarray(at, at + 100_000);
          if (isCutShort && at > value.length / 2) throw new Midway();
        }
      })();
    }, options);
    about.startedMs = Date.now();
    const pieces = [];
    for await (const piece of stream) pieces.push(piece);
    return { id: idOf(Buffer.concat(pieces)) };
  },
  async get(key, _, options) {
    const value = await cache.get(NS, key, { ...options, codec: bytes });
    return { id: value && idOf(value) };
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

let calls = 0;
async function call() {
  const call = `${process.pid}-${calls++}`;
  const kind = ["generate", "generate", "generate", "stream", "get"][below(5)];
  const key = `${Math.floor(Date.now() / AGE_MS)}-${below(KEYS)}`;
  const deadlineMs = below(4) === 0 ? 200 + below(3_000) : undefined;
  const size = below(4) === 0 ? 3_000_000 : 100;
  const computeMs = below(400);
  const beganMs = Date.now();
  const about = { call, kind, key, deadlineMs, beganMs };
  const compute = async () => {
    const id = randomUUID();
    write({ type: "computation", call, key, id, atMs: Date.now() });
    await sleep(computeMs);
    return { id, size };
  };
  let result;
  try {
    const options = deadlineMs === undefined ? {} : { deadlineMs };
    result = await kinds[kind](key, compute, options, about);
  } catch (error) {
    const { code, name, message } = error;
    result = { error: code ?? name, message };
  }
  const lateMs = lateSince(beganMs);
  write({ type: "call", ...about, endMs: Date.now(), lateMs, ...result });
}

let isOver = false;
process.stdin.on("end", () => isOver = true).resume();
async function work() {
  while (!isOver) {
    await call();
    await sleep(below(50));
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work));
await cache.close();
