/**
 * Headers that are larger than anybody needs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Flag, FrameType } from "../../src/http2/frames.ts";
import { encodeHeaders } from "../../src/http2/hpack/mod.ts";
import { data, frame } from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import { NS, type RudeCase, type RudeKind } from "./arena.ts";
import {
  callFields,
  type Fields,
  GET,
  getRequest,
  message,
} from "./messages.ts";
import { type Ending, endingOf } from "./odd_calls.ts";

const KIB = 1024;

/** A header list of that size, in as many frames as it takes. */
function oversized(stream: number, more: Fields): Uint8Array {
  const block = encodeHeaders(callFields(GET, more));
  const frames: Uint8Array[] = [];
  for (let at = 0; at < block.length; at += 16_000) {
    const isLast = at + 16_000 >= block.length;
    const type = at === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
    const flags = isLast ? Flag.END_HEADERS : 0;
    frames.push(
      frame(type, flags, stream, block.subarray(at, at + 16_000)),
    );
  }
  const body = data(stream, message(getRequest(NS, "k")), Flag.END_STREAM);
  return join(...frames, body);
}

function refusedHeaders(name: string, ending: Ending, more: Fields): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(20, 5, async () => {
        using client = await RawClient.greeted(port);
        await client.send(oversized(1, more));
        assert.equal(endingOf(await client.outcome(1)), ending);
        if (ending === TOLD) assert.ok(await client.answersPing());
      }),
  };
}

/** Decoded to its end, so that the connection can go on. */
const TOLD = "http 431";
/** Nobody decodes so much: ENHANCE_YOUR_CALM. */
const CALM = "closed 11";

const OVERSIZED: readonly RudeCase[] = [
  refusedHeaders("one header of 17 KiB", TOLD, [["x", "y".repeat(17 * KIB)]]),
  refusedHeaders("one header of 60 KiB", TOLD, [["x", "y".repeat(60 * KIB)]]),
  refusedHeaders("one header of 100 KiB", CALM, [["x", "y".repeat(100 * KIB)]]),
  refusedHeaders("one header of 4 MiB", CALM, [["x", "y".repeat(4_096 * KIB)]]),
  refusedHeaders(
    "10,000 small headers",
    CALM,
    Array.from({ length: 10_000 }, (_, i) => [`x-${i}`, "y"]),
  ),
  refusedHeaders("a path of a megabyte", CALM, [[
    ":path",
    "/".repeat(1_024 * KIB),
  ]]),
];

/** The kind. */
export const OVERSIZED_HEADERS: RudeKind = {
  name: "oversized headers are refused",
  cases: OVERSIZED,
};
