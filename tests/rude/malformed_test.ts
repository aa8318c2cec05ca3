/** Frames that RFC 9113 forbids: the server says so, or drops the connection. */

import assert from "node:assert/strict";
import { eachOf, within } from "../support/waiting.ts";
import { type RudeCase, rudeTest } from "./arena.ts";
import { FLAG, ping, TYPE } from "./frames.ts";
import {
  type Malformation,
  MALFORMATIONS,
  type Verdict,
  VERDICTS,
} from "./malformed_frames.ts";
import { RawClient } from "./raw_client.ts";

/** How many do the same one after the other and side by side. */
const TIMES = 20;

/** What the server makes of the frames. */
async function verdictOn(port: number, sent: Uint8Array): Promise<Verdict> {
  using client = await RawClient.greeted(port);
  await client.send(sent, ping());
  let isReset = false;
  const pong = await within(
    client.until(({ type, flags }) => {
      if (type === TYPE.RST_STREAM) isReset = true;
      return type === TYPE.PING && (flags & FLAG.ACK) !== 0;
    }),
    "a verdict",
  );
  if (pong === undefined) return "connection";
  return isReset ? "stream" : "ignored";
}

function judged({ name, verdict, sent }: Malformation): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(TIMES, 5, async () => {
        const actual = await verdictOn(port, sent);
        if (verdict === "ignored") return assert.equal(actual, verdict);
        const severity = VERDICTS.indexOf(actual);
        assert.ok(severity >= VERDICTS.indexOf(verdict), `it is ${actual}`);
      }),
  };
}

rudeTest("malformed frames are refused", MALFORMATIONS.map(judged));
