/**
 * Puts a large value in and takes it out; prints the most memory that took,
 * above what the idle client takes.
 *
 * ADDRESS PIECES: of 1 MiB each
 *
 * @module
 */

import assert from "node:assert/strict";
import { Cache } from "../../../src/client/mod.ts";

const MIB = 1024 * 1024;

const [remote, count] = Deno.args;
await using cache = await Cache.connect({ remote: remote! });
const idle = Deno.memoryUsage().rss;
let most = 0;

function look(): void {
  most = Math.max(most, Deno.memoryUsage().rss - idle);
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < Number(count); at++) {
    look();
    yield new Uint8Array(MIB).fill(at);
  }
}

assert(await cache.setStream("test.large", "value", pieces()));
let size = 0;
for await (const piece of (await cache.getStream("test.large", "value"))!) {
  look();
  assert.equal(piece[0], Math.floor(size / MIB) % 256);
  size += piece.length;
}
assert.equal(size, Number(count) * MIB);
console.log(most);
