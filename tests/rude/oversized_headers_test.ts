/** Headers that are larger than anybody needs. */

import assert from "node:assert/strict";
import { eachOf } from "../support/waiting.ts";
import { NS, type RudeCase, rudeTest } from "./arena.ts";
import { data, FLAG, frame, TYPE } from "./frames.ts";
import { headerBlock } from "./hpack.ts";
import {
  callFields,
  type Fields,
  GET,
  getRequest,
  message,
} from "./messages.ts";
import { join } from "./octets.ts";
import { RawClient } from "./raw_client.ts";

const KIB = 1024;

/** A header list of that size, in as many frames as it takes. */
function oversized(stream: number, more: Fields): Uint8Array {
  const block = headerBlock(callFields(GET, more));
  const frames: Uint8Array[] = [];
  for (let at = 0; at < block.length; at += 16_000) {
    const isLast = at + 16_000 >= block.length;
    const type = at === 0 ? TYPE.HEADERS : TYPE.CONTINUATION;
    const flags = isLast ? FLAG.END_HEADERS : 0;
    frames.push(
      frame(type, { stream, flags }, block.subarray(at, at + 16_000)),
    );
  }
  const body = data(stream, message(getRequest(NS, "k")), { end: true });
  return join(...frames, body);
}

function refusedHeaders(name: string, more: Fields): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(20, 5, async () => {
        using client = await RawClient.greeted(port);
        await client.send(oversized(1, more));
        const { how, fields } = await client.outcome(1);
        const isServed = how === "answered" &&
          fields.get(":status") === "200" &&
          fields.get("grpc-status") === "0";
        assert.ok(!isServed, "such headers must not get to a handler");
      }),
  };
}

const OVERSIZED: readonly RudeCase[] = [
  refusedHeaders("one header of 100 KiB", [["x", "y".repeat(100 * KIB)]]),
  refusedHeaders("one header of 4 MiB", [["x", "y".repeat(4_096 * KIB)]]),
  refusedHeaders(
    "10,000 small headers",
    Array.from({ length: 10_000 }, (_, i) => [`x-${i}`, "y"]),
  ),
  refusedHeaders("a path of a megabyte", [[":path", "/".repeat(1_024 * KIB)]]),
];

rudeTest("oversized headers are refused", OVERSIZED);
