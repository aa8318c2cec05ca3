/** Whatever makes a value is not called where there is nobody to send it to. */

import assert from "node:assert/strict";
import { Cache } from "../../src/mod.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { withServerHere } from "./support.ts";

/** Long enough for several attempts to connect. */
const AWAY_MS = 1_500;
const PIECE = new Uint8Array(200_000);

Deno.test("while the server is away, a value that is to be made anew is not made", () =>
  withServerHere(async ({ remote }) => {
    await using proxy = await FaultProxy.start(remote);
    await using cache = await Cache.connect({ remote: proxy.address });
    let made = 0;
    const make = async function* () {
      made += 1;
      yield PIECE;
      if (made === 1) {
        proxy.down();
        setTimeout(() => proxy.up(), AWAY_MS);
      }
      yield PIECE;
    };
    assert.equal(await cache.setStream("a", "k", () => make()), true);
    assert.equal(made, 2);
    const kept = await cache.getStream("a", "k");
    const size = (await new Response(kept).bytes()).length;
    assert.equal(size, 2 * PIECE.length);
  }));
