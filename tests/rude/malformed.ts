/**
 * Frames that RFC 9113 forbids: the server says so as it wants it said.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Flag, FrameType } from "../../src/http2/frames.ts";
import { ping } from "../../src/http2/testing/frame_bytes.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf, within } from "../support/waiting.ts";
import type { RudeCase, RudeKind } from "./arena.ts";
import {
  type ErrorName,
  ERRORS,
  type Malformation,
  MALFORMATIONS,
  type Verdict,
} from "./malformed_frames.ts";

/** How many do the same one after the other and side by side. */
const TIMES = 20;

/** What the server makes of the frames. */
async function verdictOn(port: number, sent: Uint8Array): Promise<Verdict> {
  using client = await RawClient.greeted(port);
  await client.send(sent, ping());
  let code: number | undefined;
  const pong = await within(
    client.until(({ type, flags, payload }) => {
      if (type === FrameType.RST_STREAM) code ??= uint32Of(payload);
      return type === FrameType.PING && (flags & Flag.ACK) !== 0;
    }),
    "a verdict",
  );
  if (pong === undefined) return `connection ${nameOf(client.goawayCode)}`;
  return code === undefined ? "ignored" : `stream ${nameOf(code)}`;
}

function uint32Of(payload: Uint8Array): number {
  return new DataView(payload.buffer).getUint32(0);
}

function nameOf(code: number | undefined): ErrorName {
  for (const [name, each] of Object.entries(ERRORS)) {
    if (each === code) return name as ErrorName;
  }
  throw new Error(`the error code ${code} is none of ours`);
}

function judged({ name, verdict, sent }: Malformation): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(TIMES, 5, async () => {
        assert.equal(await verdictOn(port, sent), verdict);
      }),
  };
}

/** The kind. */
export const MALFORMED: RudeKind = {
  name: "malformed frames are refused",
  cases: MALFORMATIONS.map(judged),
};
