/**
 * A conversation that breaks off after each of its bytes.
 *
 * @module
 */

import { Flag } from "../../src/http2/frames.ts";
import {
  data,
  goaway,
  headers,
  ping,
  PREFACE,
  reset,
  settings,
  windowUpdate,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import { NS, type RudeCase, type RudeKind } from "./arena.ts";
import {
  call,
  callFields,
  GET,
  get,
  getRequest,
  message,
  SET,
  setRequest,
} from "./messages.ts";

const body = message(setRequest(1n, new Uint8Array(40)));

/** All that a client says in a short life, with a second call on top. */
const CONVERSATION = join(
  PREFACE,
  settings([4, 100_000]),
  windowUpdate(0, 100_000),
  call(1, GET, getRequest(NS, "drop", true)),
  ping(),
  headers(3, callFields(SET, [["grpc-timeout", "1S"]])),
  data(3, body.subarray(0, 20)),
  data(3, body.subarray(20), Flag.END_STREAM),
  get(5, NS, "drop"),
  reset(5),
  goaway(),
);

/** Says so much, from a length on, and then does that. */
function broken(
  name: string,
  end: (client: RawClient) => Promise<unknown>,
  from = 0,
): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(CONVERSATION.length + 1 - from, 16, async (more) => {
        using client = await RawClient.connect(port);
        await client.send(CONVERSATION.subarray(0, from + more));
        await end(client);
      }),
  };
}

const cases: RudeCase[] = [
  broken("closed at every byte", () => Promise.resolve()),
  broken(
    "reset at every byte, with bytes unread",
    (client) => client.abort(),
    // Before that the server has not said a word.
    PREFACE.length,
  ),
  broken("half-closed at every byte, and read to the end", async (client) => {
    await client.finish();
    await client.closed();
  }),
  {
    name: "every byte in a packet of its own, then closed",
    run: ({ port }) =>
      eachOf(20, 4, async () => {
        using client = await RawClient.connect(port);
        for (const byte of CONVERSATION) {
          if (!await client.send(new Uint8Array([byte]))) {
            return;
          }
        }
      }),
  },
  {
    name: "every byte flipped, one at a time",
    run: ({ port }) =>
      eachOf(CONVERSATION.length, 16, async (at) => {
        using client = await RawClient.connect(port);
        const flipped = CONVERSATION.slice();
        flipped[at]! ^= 1 << (at % 8);
        await client.send(flipped);
        await client.finish();
        // A flipped length makes the server wait for more: so it may stay.
        if (at % 2 === 0 && at >= PREFACE.length) await client.abort();
      }),
  },
];

/** The kind. */
export const DROPS: RudeKind = {
  name: "connections that drop at any byte leave nothing behind",
  cases: cases,
};
