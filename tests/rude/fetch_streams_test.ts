/** Fetches of large values by readers that read little, and floods of the rest. */

import assert from "node:assert/strict";
import { FrameType } from "../../src/http2/frames.ts";
import { MAX_WINDOW_BYTES } from "../../src/http2/limits.ts";
import {
  goaway,
  ping,
  reset,
  windowUpdate,
} from "../../src/http2/testing/frame_bytes.ts";
import { bytes, uint32 } from "../../src/http2/testing/octets.ts";
import { type Frame, RawClient } from "../support/raw_client.ts";
import { rejectsWith, until } from "../support/status.ts";
import { eachOf, within } from "../support/waiting.ts";
import { CacheClient, type FetchOptions } from "../v1/client.ts";
import { type Arena, NS, type RudeCase, rudeTest } from "./arena.ts";
import {
  cachePath,
  entryRequest,
  fetch,
  listRequest,
} from "./cache_messages.ts";
import { calls, type Crowd, crowd, honest, untilQuiet } from "./crowds.ts";
import { call } from "./messages.ts";
import { endingOf } from "./odd_calls.ts";
import { scaled } from "./scale.ts";

const MIB = 1024 * 1024;
const VALUE_BYTES = 64 * MIB;
const LARGE = "large";
/** Entries with long keys: 12 MB of them, a dozen pages. */
const LONG_KEYS = 200;
const KEY_BYTES = 60_000;
/** More than the budget of all serves at once: what each may hold bounds fewer. */
const CROWD = 160;
/** Enough to go in the middle: what they leave behind would add up. */
const LEAVING = scaled(40);

/** Who is contended for may take nothing for so long, instead of 5 s. */
const FLAGS = ["--stall-timeout", "2s"];

/** How many sockets were open before anybody was rude. */
let before = 0;

async function publishLarge(arena: Arena): Promise<void> {
  const { remote } = arena;
  before = (await arena.sockets()).size;
  using client = new CacheClient(remote);
  const { id } = await client.assigned(NS, LARGE);
  const piece = Uint8Array.from({ length: MIB }, (_, at) => at);
  await client.publish(id, Array(VALUE_BYTES / MIB).fill(piece));
}

/** Crowds of one Fetch of a large value each, beside a reader who reads. */
function readers(
  name: string,
  { each = 1, ...more }: Partial<Crowd> & { readonly each?: number } = {},
): RudeCase {
  const sends = () => calls((stream) => fetch(stream, LARGE), each);
  return {
    name,
    async run(arena) {
      await crowd(arena, { connections: LEAVING, sends, ...more }, async () => {
        using client = new CacheClient(arena.local);
        const options = { offset: VALUE_BYTES - 5 * MIB };
        const { bytes } = await client.fetched(NS, LARGE, options);
        assert.equal(bytes.length, 5 * MIB);
      });
      await untilQuiet(arena);
    },
  };
}

/** Ranges, and how many bytes each must have. */
const RANGES: readonly (readonly [FetchOptions, number])[] = [
  [{ offset: VALUE_BYTES }, 0],
  [{ offset: VALUE_BYTES + 1, length: 1 }, 0],
  [{ offset: VALUE_BYTES - 3, length: 0 }, 3],
  [{ offset: VALUE_BYTES - 3, length: 4 }, 3],
  [{ offset: String(2n ** 63n) }, 0],
  [{ offset: String(2n ** 64n - 1n), length: String(2n ** 64n - 1n) }, 0],
  [{ offset: 7, length: 9 }, 9],
  [{ offset: VALUE_BYTES - 2, length: String(2n ** 63n) }, 2],
];

function flooded(
  name: string,
  one: (stream: number, i: number) => Uint8Array,
  { connections = 20, meanwhile = honest }: {
    connections?: number;
    meanwhile?: (arena: Arena) => Promise<unknown>;
  } = {},
): RudeCase {
  return {
    name: `${connections} x 256 ${name}, on both listeners, never read`,
    async run(arena) {
      for (const port of [arena.port, arena.localPort]) {
        const sends = () => calls(one);
        await crowd(
          arena,
          { port, connections: connections / 2, sends },
          () => meanwhile(arena),
        );
      }
      await untilQuiet(arena);
    },
  };
}

async function publishLongKeys({ remote }: Arena): Promise<void> {
  await eachOf(20, 20, async (of) => {
    using client = new CacheClient(remote);
    for (let i = of; i < LONG_KEYS; i += 20) {
      await client.put(NS, String(i).padStart(KEY_BYTES, "k"), "");
    }
  });
}

/** A polite client lists, one page after the other, while the others wait. */
async function listsInTurn({ remote, local }: Arena): Promise<void> {
  for (const address of [remote, local]) {
    using client = new CacheClient(address);
    for (let i = 0; i < 4; i++) {
      const { entries } = await within(
        client.call<{ readonly entries: unknown[] }>("List", { namespace: NS }),
        "a page",
      );
      assert.ok(entries.length > 10);
    }
  }
}

/** Lists that ask for what there is not. */
const ODD_LISTS: Record<string, Uint8Array> = {
  "2^31 entries": listRequest(2n ** 31n),
  "2^32 - 1 entries": listRequest(2n ** 32n - 1n),
  "501 entries": listRequest(501n),
  "a token that is none": listRequest(1n, "no token"),
  "half a token": listRequest(1n, "abc"),
  "a token in capitals": listRequest(1n, "AB"),
  "a namespace that leads out": entryRequest("", "../x"),
};

const cases: RudeCase[] = [
  { name: "a value of 64 MiB is published", run: publishLarge },
  readers(`${CROWD} x 3 Fetches of 64 MiB, never read`, {
    connections: CROWD,
    each: 3,
  }),
  readers(`${CROWD} Fetches of 64 MiB, windows of 0`, {
    connections: CROWD,
    windowBytes: 0,
  }),
  readers(`${LEAVING} Fetches of 64 MiB, never read`),
  readers(`${LEAVING} Fetches of 64 MiB, reset in the middle`, {
    then: async (client) => {
      await within(client.until(isData), "the begin of a value");
      await client.send(reset(1), goaway());
    },
  }),
  readers(`${LEAVING} Fetches of 64 MiB, connections reset in the middle`, {
    then: async (client) => {
      await within(client.until(isData), "the begin of a value");
      await client.abort();
    },
  }),
  {
    name: "Fetches of 64 MiB, a byte at a time",
    run: ({ port }) =>
      eachOf(8, 8, async () => {
        using client = await RawClient.greeted(port, { windowBytes: 0 });
        await client.send(fetch(1, LARGE));
        for (let dataBytes = 0; dataBytes < 300;) {
          await client.send(windowUpdate(1, 1), ping());
          const pong = await within(
            client.until((frame) => {
              if (isData(frame)) dataBytes += frame.bytes;
              return frame.type === FrameType.PING;
            }),
            "a byte",
          );
          assert.ok(pong, "the server hung up");
        }
      }),
  },
  {
    name: "odd ranges are cut off where the value ends",
    async run({ remote, local }) {
      for (const address of [remote, local]) {
        using client = new CacheClient(address);
        for (const [range, expected] of RANGES) {
          const { last, bytes } = await client.fetched(NS, LARGE, range);
          assert.equal(Number(last.ready!.size), VALUE_BYTES);
          assert.equal(bytes.length, expected, JSON.stringify(range));
        }
      }
    },
  },
  {
    name: "what is read is deleted all the while: FAILED_PRECONDITION",
    async run({ port, remote }) {
      using reader = await RawClient.open(port, { windowBytes: MIB });
      await reader.send(fetch(1, LARGE));
      await within(reader.until(isData), "the begin of a value");
      using client = new CacheClient(remote);
      const request = { namespace: NS, key: bytes(LARGE) };
      for (let i = 0; i < 300; i++) {
        await rejectsWith(
          "FAILED_PRECONDITION",
          client.call("Delete", request),
        );
      }
      await reader.send(
        windowUpdate(0, MAX_WINDOW_BYTES - MIB - 65_535),
        windowUpdate(1, 2 * VALUE_BYTES),
      );
      const { how, dataBytes } = await reader.outcome(1);
      assert.equal(how, "answered");
      assert.ok(dataBytes > VALUE_BYTES - 2 * MIB);
    },
  },
  {
    name: "Lists that ask for what there is not",
    async run({ port, localPort }) {
      for (const one of [port, localPort]) {
        for (const [name, request] of Object.entries(ODD_LISTS)) {
          using client = await RawClient.greeted(one);
          await client.send(call(1, cachePath("List"), request));
          assert.equal(endingOf(await client.outcome(1)), "grpc 3", name);
        }
      }
    },
  },
  { name: "200 keys of 60,000 bytes are published", run: publishLongKeys },
  flooded(
    "Lists of a MiB",
    (stream) => call(stream, cachePath("List"), listRequest()),
    { meanwhile: listsInTurn },
  ),
  flooded("Stats of keys of 60,000 bytes", (stream, i) =>
    i < 100
      ? call(
        stream,
        cachePath("Stat"),
        entryRequest(String(i).padStart(KEY_BYTES, "k")),
      )
      : new Uint8Array()),
  flooded(
    "Usages",
    (stream) => call(stream, cachePath("Usage"), new Uint8Array()),
  ),
  flooded(
    "Sweeps",
    (stream) => call(stream, cachePath("Sweep"), new Uint8Array()),
  ),
  flooded(
    "Deletes",
    (stream, i) => call(stream, cachePath("Delete"), entryRequest(uint32(i))),
  ),
  {
    // Last: handles stay for an hour.
    name: "5,120 paths, never read or released",
    async run(arena) {
      const { localPort: port } = arena;
      const sends = () =>
        calls((stream) => fetch(stream, LARGE, { path: true }));
      await crowd(arena, { port, connections: 20, sends }, () => honest(arena));
    },
  },
  {
    name: "an honest client after all of them; nothing is left open",
    async run(arena) {
      await honest(arena);
      await until(
        () => arena.sockets().then(({ size }) => size),
        (size) => size <= before,
      );
    },
  },
];

function isData({ type }: Frame): boolean {
  return type === FrameType.DATA;
}

rudeTest("streams that are not read, and floods of calls", cases, FLAGS);
