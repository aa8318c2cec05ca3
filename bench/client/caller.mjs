// Calls a server through the client library, and in turn through nothing but
// grpc-js, in one process. Prints what each run was, a line of JSON each.
//
// MODULE ADDRESS RUNS SECONDS WORK…

import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import process from "node:process";

const [module, remote, runs, seconds, ...works] = process.argv.slice(2);
const { bytes, Cache } = await import(module);

/** As bench/seed.ts has published it. */
const [NAMESPACE, KEY, SIZE] = ["hit_1_kib", Buffer.from("hit"), 1_024];
const MISSED = "miss_1_kib";
const VALUE = new Uint8Array(SIZE).fill(7);
const MANY = 64;

const cache = await Cache.connect({ remote });
const client = new Client(remote, credentials.createInsecure());

/** A field of bytes that are shorter than 16 KiB. */
function field(number, value) {
  const { length } = value;
  const size = length < 128 ? [length] : [length & 127 | 128, length >> 7];
  return Buffer.concat([Buffer.from([number << 3 | 2, ...size]), value]);
}

/** `GetRequest` with the wish to compute what is absent. */
function getRequest(namespace, key) {
  const name = field(1, Buffer.from(namespace));
  return Buffer.concat([name, field(2, key), Buffer.from([3 << 3, 1])]);
}

/** One call of grpc-js, whose messages are bytes on both sides. */
function call(method, request) {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/remote.RemoteCache/${method}`,
      (message) => message,
      (message) => message,
      request,
      new Metadata(),
      (error, reply) => error ? reject(error) : resolve(reply),
    );
  });
}

const GET = getRequest(NAMESPACE, KEY);

async function bareHit() {
  const reply = await call("Get", GET);
  if (reply.length < SIZE) throw new Error("no hit");
}

async function hit() {
  const value = await cache.get(NAMESPACE, KEY, { codec: bytes });
  if (value?.length !== SIZE) throw new Error("no hit");
}

/** What the two calls cost that a miss takes at least, without a library. */
async function bareMiss() {
  const reply = await call("Get", getRequest(MISSED, randomBytes(16)));
  // GetReply.assign, whose first field is the id: a varint of several bytes.
  const end = reply.findIndex((byte, at) => at > 2 && byte < 128) + 1;
  const id = reply.subarray(2, end);
  await call("Set", Buffer.concat([id, field(2, VALUE)]));
}

async function miss() {
  const key = randomBytes(16);
  const { source } = await cache.generateDetailed(MISSED, key, () => VALUE, {
    codec: bytes,
  });
  if (source !== "computed") throw new Error(`no miss: ${source}`);
}

/** What is measured, beside what, and how many at once. */
const WORKS = {
  client_hit: { library: hit, bare: bareHit, atOnce: 1 },
  client_hits: { library: hit, bare: bareHit, atOnce: MANY },
  client_miss: { library: miss, bare: bareHit, atOnce: 1 },
  client_bare_miss: { library: miss, bare: bareMiss, atOnce: 1 },
};

/** Runs it again and again for some time. */
async function measure(once, atOnce, ms) {
  const times = [];
  const cpu = process.cpuUsage();
  const began = performance.now();
  const end = began + ms;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let at = performance.now(); at < end;) {
      await once();
      const now = performance.now();
      times.push(now - at);
      at = now;
    }
  }));
  const took = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  const share = (part) => times[Math.floor(times.length * part)];
  return {
    perSecond: times.length * 1_000 / took,
    p50Ms: share(0.5),
    p99Ms: share(0.99),
    cpuUs: (user + system) / times.length,
  };
}

for (const work of works) {
  const { library, bare, atOnce } = WORKS[work];
  const ms = Number(seconds) * 1_000;
  // What runs for the first time is still being compiled.
  await measure(library, atOnce, Math.min(ms, 1_000));
  await measure(bare, atOnce, Math.min(ms, 1_000));
  for (let run = 0; run < Number(runs); run++) {
    for (const [side, once] of Object.entries({ library, bare })) {
      const sample = await measure(once, atOnce, ms);
      console.log(JSON.stringify({ work, side, ...sample }));
    }
  }
}

client.close();
await cache.close();
