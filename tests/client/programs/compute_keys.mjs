// Generates every key of a list through one cache, on Deno or on Node. Each
// computation leaves a line in a log that all processes append to; what each
// key came to is printed as one line of JSON.
//
// MODULE ADDRESS LOG KEYS HANG_AFTER
// HANG_AFTER: computations that end; the following ones never do.

import { appendFileSync } from "node:fs";
import process from "node:process";

const [module, remote, log, keys, hangAfter] = process.argv.slice(2);
const { Cache } = await import(module);
const AT_ONCE = 8;
const COMPUTE_MS = 20;

let computations = 0;

async function compute(key) {
  // One write with O_APPEND: lines of several processes do not mix.
  appendFileSync(log, `${key} ${process.pid}\n`);
  if (++computations > Number(hangAfter)) {
    if (computations === Number(hangAfter) + AT_ONCE) console.log("hanging");
    await new Promise(() => {});
  }
  await new Promise((resolve) => setTimeout(resolve, COMPUTE_MS));
  return `${key} by ${process.pid}, ${Math.random()}`;
}

const cache = await Cache.connect({ remote, patienceMs: 60_000 });
const results = {};
const open = Array.from({ length: Number(keys) }, (_, key) => key);
// All in their own order, so that everybody meets everybody.
open.sort(() => Math.random() - 0.5);
async function work() {
  for (let key; (key = open.pop()) !== undefined;) {
    results[key] = await cache.generate("test.keys", key, () => compute(key));
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(JSON.stringify(results));
// Not closed: heartbeats and connections must let the process end.
