/** A client's memory does not grow with the values that go through it. */

import assert from "node:assert/strict";
import { Cache } from "../../src/client/mod.ts";
import { withServer } from "./support.ts";

const MIB = 1024 * 1024;
/** 4096 of them were tried by hand: 90 MB out, 97 MB in, above the idle client. */
const PIECES = 512;
const MOST_BYTES = 300 * MIB;

Deno.test("a value much larger than the client's memory goes in and out", () =>
  withServer(async ({ remote }) => {
    await using cache = await Cache.connect({ remote });
    const idle = Deno.memoryUsage().rss;
    let most = 0;
    const look = () => most = Math.max(most, Deno.memoryUsage().rss - idle);
    async function* pieces() {
      for (let at = 0; at < PIECES; at++) {
        look();
        yield new Uint8Array(MIB).fill(at);
      }
    }
    assert(await cache.setStream("a", "large", pieces()));
    let size = 0;
    for await (const piece of (await cache.getStream("a", "large"))!) {
      look();
      assert.equal(piece[0], Math.floor(size / MIB) % 256);
      size += piece.length;
    }
    assert.equal(size, PIECES * MIB);
    assert(most < MOST_BYTES, `${most} bytes above the idle client`);
  }));
