/** Keys as long as they may be, by the thousand: the table must not keep them. */

import assert from "node:assert/strict";
import { uint32 } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import { NS, rudeTest } from "./arena.ts";
import { call, GET, getRequest } from "./messages.ts";
import { scaled } from "./scale.ts";

/** 162 MB of keys: with the rest of the server, more than it may take. */
const KEYS = scaled(2_500);
const KEY_BYTES = 65_000;
/** Calls on one connection, one after the other. */
const CALLS = 100;

rudeTest("long keys are bounded", [{
  name: `${KEYS} assignments with keys of 65,000 bytes`,
  run: ({ port }) =>
    eachOf(KEYS / CALLS, 10, async (connection) => {
      using client = await RawClient.greeted(port);
      const key = new Uint8Array(KEY_BYTES);
      for (let i = 0; i < CALLS; i++) {
        key.set(uint32(connection * CALLS + i));
        const stream = 2 * i + 1;
        await client.send(call(stream, GET, getRequest(NS, key, true)));
        const { fields } = await client.outcome(stream);
        assert.equal(fields.get("grpc-status"), "0");
      }
    }),
}]);
