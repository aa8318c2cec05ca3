/**
 * A hundred callers at once, for ever; says so whenever they have got a hundred
 * values more from the server.
 *
 * ADDRESS
 *
 * @module
 */

import { Cache } from "../../../src/client/mod.ts";

const CONNECTIONS = 4;
const CALLERS = 25;
const KEYS = 3_000;
const LARGE = "x".repeat(300_000);

let got = 0;

async function call(cache: Cache): Promise<void> {
  for (;;) {
    const key = Math.floor(Math.random() * KEYS);
    const { source } = await cache.generateDetailed("test.load", key, compute);
    if (source === "uncached") continue;
    if (++got % (CONNECTIONS * CALLERS) === 0) console.log("got a hundred");
  }
}

async function compute(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
  return Math.random() < 0.1 ? LARGE : "small";
}

for (let at = 0; at < CONNECTIONS; at++) {
  const cache = await Cache.connect({
    remote: Deno.args[0]!,
    patienceMs: 120_000,
  });
  for (let caller = 0; caller < CALLERS; caller++) void call(cache);
}
