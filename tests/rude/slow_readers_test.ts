/** Readers that take little or nothing of what they asked for. */

import assert from "node:assert/strict";
import { FrameType } from "../../src/http2/frames.ts";
import {
  INITIAL_WINDOW_BYTES,
  MAX_WINDOW_BYTES,
} from "../../src/http2/limits.ts";
import { Setting } from "../../src/http2/settings.ts";
import {
  ping,
  reset,
  settings,
  windowUpdate,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf, within } from "../support/waiting.ts";
import { type Arena, NS, type RudeCase, rudeTest } from "./arena.ts";
import { get } from "./messages.ts";

const MIB = 1024 * 1024;
/** The case of the issue: 40 connections, 50 replies of 3 MiB each. */
const READERS = 40;
const REPLIES = 50;
const VALUE_BYTES = 3 * MIB;
/** Values that differ: more than the cache of hot values holds. */
const VALUES = 50;
/** Who is contended for may take nothing for so long, instead of 5 s. */
const FLAGS = ["--stall-timeout", "2s"];
/** How long rude readers sit there: past the 500 ms that a Get may wait. */
const SITTING_MS = 800;

/** Asks for many replies at once. */
function asks(value: (i: number) => number, count = REPLIES): Uint8Array {
  return join(...Array.from(
    { length: count },
    (_, i) => get(2 * i + 1, NS, `slow ${value(i)}`),
  ));
}

function sit(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SITTING_MS));
}

/** Opens readers that ask, and keeps them while the server has to live on. */
function readers(
  name: string,
  { count = READERS, windowBytes, value, then }: {
    count?: number;
    windowBytes: number;
    value: (reader: number, i: number) => number;
    then?: (client: RawClient) => Promise<unknown>;
  },
): RudeCase {
  return {
    name,
    async run({ port }) {
      using stack = new DisposableStack();
      await eachOf(count, 8, async (reader) => {
        const client = stack.use(await RawClient.open(port, { windowBytes }));
        await client.send(asks((i) => value(reader, i)));
        await then?.(client);
      });
      await sit();
    },
  };
}

/** A reader who reads must get his value while others sit there. */
async function reads(arena: Arena, key: string): Promise<void> {
  const windowBytes = 8 * MIB;
  using client = await RawClient.open(arena.port, { windowBytes });
  for (let stream = 1; stream < 200; stream += 2) {
    await client.send(get(stream, NS, key));
    const { how, dataBytes } = await client.outcome(stream);
    assert.equal(how, "answered");
    // Loading is the answer while there is no room: ask again.
    if (dataBytes > VALUE_BYTES) return;
  }
  assert.fail("an honest reader never got its value");
}

const cases: RudeCase[] = [
  {
    name: "50 values of 3 MiB are published",
    run: (arena) =>
      arena.publish("slow", { count: VALUES, sizeBytes: VALUE_BYTES }),
  },
  readers("40 x 50 replies of 3 MiB of one hot value, never read", {
    windowBytes: MAX_WINDOW_BYTES,
    value: () => 0,
  }),
  readers("40 x 50 replies of 3 MiB of 50 values, never read", {
    windowBytes: MAX_WINDOW_BYTES,
    value: (reader, i) => (reader + i) % VALUES,
  }),
  // What one connection may hold bounds 40 of them; of 160 only the budget of
  // all does: `-- --server "--memory-budget-bytes 64GiB"` shows it.
  readers("160 x 50 replies of 3 MiB of 50 values, never read", {
    count: 160,
    windowBytes: MAX_WINDOW_BYTES,
    value: (reader, i) => (reader + i) % VALUES,
  }),
  readers("the same with the usual windows of 64 KiB", {
    windowBytes: INITIAL_WINDOW_BYTES,
    value: (reader, i) => (reader + i) % VALUES,
  }),
  readers("the same with windows of 0 bytes", {
    windowBytes: 0,
    value: (reader, i) => (reader + i) % VALUES,
  }),
  readers("the same with frames of 16 MiB allowed", {
    windowBytes: MAX_WINDOW_BYTES,
    value: (reader, i) => (reader + i) % VALUES,
    then: (client) =>
      client.send(settings([Setting.MAX_FRAME_SIZE, 2 ** 24 - 1])),
  }),
  {
    name: "an honest reader beside 40 who never read",
    async run(arena) {
      using stack = new DisposableStack();
      await eachOf(READERS, 8, async (reader) => {
        const client = stack.use(
          await RawClient.open(arena.port, { windowBytes: MAX_WINDOW_BYTES }),
        );
        await client.send(asks((i) => (reader + i) % VALUES));
      });
      await reads(arena, "slow 7");
    },
  },
  {
    name: "windows that open a byte at a time",
    async run({ port }) {
      await eachOf(8, 8, async () => {
        using client = await RawClient.open(port, { windowBytes: 0 });
        await client.send(get(1, NS, "slow 1"));
        let dataBytes = 0;
        while (dataBytes < 500) {
          await client.send(windowUpdate(1, 1), ping());
          const pong = await within(
            client.until(({ type, bytes }) => {
              if (type === FrameType.DATA) dataBytes += bytes;
              return type === FrameType.PING;
            }),
            "a byte",
          );
          assert.ok(pong, "the server hung up");
        }
      });
    },
  },
  {
    name: "replies reset in the middle, 250 of 3 MiB",
    async run({ port }) {
      await eachOf(5, 5, async (reader) => {
        using client = await RawClient.open(port, {
          windowBytes: MAX_WINDOW_BYTES,
        });
        for (let i = 0; i < REPLIES; i++) {
          const stream = 2 * i + 1;
          await client.send(get(stream, NS, `slow ${(reader + i) % VALUES}`));
          const first = await within(
            client.until((frame) => frame.stream === stream),
            "the begin of a reply",
          );
          if (!first) return;
          await client.send(reset(stream));
        }
      });
    },
  },
  {
    name: "connections reset in the middle of 50 replies",
    async run({ port }) {
      await eachOf(READERS, 8, async (reader) => {
        using client = await RawClient.open(port, {
          windowBytes: MAX_WINDOW_BYTES,
        });
        await client.send(asks((i) => (reader + i) % VALUES));
        await within(
          client.until(({ type }) => type === FrameType.DATA),
          "the begin of a reply",
        );
        // Bytes that are unread make it a reset; replies may all be Loading.
        await client.send(ping());
        await client.abort();
      });
    },
  },
  {
    name: "an honest reader after all of them",
    run: (arena) => reads(arena, "slow 3"),
  },
];

rudeTest("readers that do not read are bounded", cases, FLAGS);
