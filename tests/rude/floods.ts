/**
 * Floods: much of what costs the client little.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Flag, FrameType } from "../../src/http2/frames.ts";
import { encodeHeaders } from "../../src/http2/hpack/mod.ts";
import { stringOf } from "../../src/http2/hpack/testing/model_encoder.ts";
import {
  INITIAL_WINDOW_BYTES,
  MAX_WINDOW_BYTES,
} from "../../src/http2/limits.ts";
import { Setting } from "../../src/http2/settings.ts";
import {
  data,
  frame,
  headers,
  ping,
  reset,
  settings,
  windowUpdate,
} from "../../src/http2/testing/frame_bytes.ts";
import { hex, join, repeat, uint32 } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import { type Arena, NS, type RudeCase, type RudeKind } from "./arena.ts";
import { call, callFields, GET, get, message, SET } from "./messages.ts";
import { scaled } from "./scale.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** RFC 9113, 7: ENHANCE_YOUR_CALM. */
const CALM = 11;
/** The same: what is not decoded to its end leaves the table out of step. */
const COMPRESSION_ERROR = 9;
/** Attackers at once. */
const CROWD = scaled(4);
/** Packets that each of them sends, unless the server hangs up before. */
const PACKETS = 40;
/** A server that takes no more for so long is within its rights. */
const BLOCKED_MS = 2_000;
/** Streams or frames in a packet. */
const BURST = 500;
/** A value that is asked for and never taken. */
const VALUE_BYTES = 200 * KIB;

/** What else a flooding client does, and what comes of it. */
interface FloodOptions {
  /**
   * The code of the server's GOAWAY; where nothing is read, the reset that follows
   * may take it along, and then it is a reset. `served`: the flood is borne, for it
   * costs no more than what honest clients do. `either`: what the sockets hold
   * decides.
   */
  readonly ends?: number | "served" | "either";
  /** Whether it reads what the server answers, rather than letting it pile up. */
  readonly reads?: boolean;
  /** What it sends before the flood. */
  readonly opening?: Uint8Array;
}

/** A flood, which one connection can make, too. */
interface Flood extends RudeCase {
  readonly attack: (port: number) => Promise<void>;
}

/**
 * Sends packets until they have all gone, or the server takes no more; then it
 * must have been told why, or be served as ever.
 */
function flood(
  name: string,
  packet: (index: number) => Uint8Array,
  { reads = false, opening, ends = CALM }: FloodOptions = {},
): Flood {
  async function attack(port: number): Promise<void> {
    const windowBytes = reads ? INITIAL_WINDOW_BYTES : MAX_WINDOW_BYTES;
    using client = await RawClient.greeted(port, { windowBytes });
    if (opening) await client.send(opening);
    const reading = reads && typeof ends === "number"
      ? client.closed()
      : undefined;
    const blocked = Promise.withResolvers<false>();
    const timer = setTimeout(() => blocked.resolve(false), BLOCKED_MS);
    for (let i = 0; i < PACKETS; i++) {
      if (!await Promise.race([client.send(packet(i)), blocked.promise])) break;
    }
    clearTimeout(timer);
    if (ends === "either") return;
    if (ends === "served") assert.ok(await client.answersPing());
    else {
      const code = await (reading ?? client.closed());
      const tookItAlong = !reads && client.wasReset && code === undefined;
      if (!tookItAlong) assert.equal(code, ends);
    }
  }
  const run = ({ port }: Arena) => eachOf(CROWD, CROWD, () => attack(port));
  return { name, run, attack };
}

/** Something for each of the next streams. */
function streams(
  packet: number,
  each: (stream: number) => Uint8Array,
): Uint8Array {
  return join(...Array.from(
    { length: BURST },
    (_, i) => each(2 * (packet * BURST + i) + 1),
  ));
}

const fields = callFields(GET);
const wanted = (stream: number) => get(stream, NS, "flood 0");
const openSet = headers(1, callFields(SET));
/** A header of 4 KB into the dynamic table, and then 1 byte for each copy. */
const indexBomb = join(
  encodeHeaders(fields),
  hex("40"),
  stringOf("x-bomb"),
  stringOf("b".repeat(3_900)),
  new Uint8Array(12_000).fill(0xbe),
);

function continued(count: number, content: Uint8Array): Uint8Array {
  return join(
    frame(FrameType.HEADERS, 0, 1, encodeHeaders(fields)),
    repeat(frame(FrameType.CONTINUATION, 0, 1, content), count),
  );
}

const ALL_FLOODS: readonly Flood[] = [
  flood(
    "rapid reset: HEADERS and RST_STREAM",
    (i) => streams(i, (s) => join(headers(s, fields), reset(s))),
  ),
  flood(
    "rapid reset of whole calls with replies",
    (i) => streams(i, (s) => join(wanted(s), reset(s))),
  ),
  flood(
    "rapid reset by a frame that is wrong",
    (i) => streams(i, (s) => join(headers(s, fields), windowUpdate(s, 0))),
  ),
  flood("calls for 200 KiB that are never read", (i) => streams(i, wanted)),
  flood(
    "calls of an unknown method, never read",
    (i) => streams(i, (s) => call(s, "/no.Such/Method", new Uint8Array())),
    { ends: "either" },
  ),
  flood(
    "HEADERS without end, stream after stream",
    (i) => streams(i, (s) => headers(s, fields)),
  ),
  flood("PINGs whose answers are never read", () => repeat(ping(), 5_000)),
  flood("PINGs whose answers are read", () => repeat(ping(), 5_000), {
    reads: true,
  }),
  flood(
    "SETTINGS whose acknowledgements are never read",
    (i) => repeat(settings([Setting.INITIAL_WINDOW_SIZE, i]), 5_000),
  ),
  flood("empty SETTINGS", () => repeat(settings(), 5_000)),
  flood(
    "SETTINGS of 2,700 pairs",
    () => repeat(settings(...Array(2_700).fill([0xbeef, 1])), 10),
    { ends: "served" },
  ),
  flood("windows that grow and shrink with 100 replies open", () =>
    repeat(
      join(
        settings([Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW_BYTES]),
        settings([Setting.INITIAL_WINDOW_SIZE, 0]),
      ),
      200,
    ), {
    opening: join(...Array.from({ length: 100 }, (_, i) => wanted(2 * i + 1))),
  }),
  flood("WINDOW_UPDATEs of a byte", () => repeat(windowUpdate(0, 1), 5_000), {
    reads: true,
  }),
  flood(
    "WINDOW_UPDATEs on streams that have ended",
    () => repeat(windowUpdate(1, 1), 5_000),
    { opening: wanted(1), reads: true },
  ),
  flood(
    "PRIORITY frames on a thousand idle streams",
    (i) =>
      streams(
        i,
        (s) => frame(FrameType.PRIORITY, 0, s, join(uint32(0), hex("10"))),
      ),
  ),
  flood("empty DATA", () => repeat(frame(FrameType.DATA, 0, 1), 5_000), {
    opening: openSet,
  }),
  flood(
    "a message of 60 MiB, a byte in each DATA frame",
    () => repeat(data(1, new Uint8Array(1)), 5_000),
    {
      opening: join(
        openSet,
        data(1, message(new Uint8Array(1), { announcedBytes: 60 * MIB })),
      ),
      reads: true,
    },
  ),
  flood("DATA that is nothing but padding", () =>
    repeat(
      frame(
        FrameType.DATA,
        Flag.PADDED,
        1,
        join(new Uint8Array([255]), new Uint8Array(255)),
      ),
      500,
    ), { opening: openSet, reads: true }),
  flood(
    "empty gRPC messages in one call",
    () => data(1, repeat(message(new Uint8Array()), 2_000)),
    { opening: openSet, reads: true, ends: "served" },
  ),
  flood(
    "frames of unknown types",
    () => repeat(frame(0xbe, 0, 1, new Uint8Array(1_000)), 500),
  ),
  flood(
    "CONTINUATION without end",
    (i) =>
      i === 0
        ? continued(10, encodeHeaders([["x", "y".repeat(1_000)]]))
        : repeat(
          frame(FrameType.CONTINUATION, 0, 1, new Uint8Array(0)),
          2_000,
        ),
  ),
  flood("empty CONTINUATIONs", () => continued(5_000, new Uint8Array())),
  flood(
    "trailers of 16 KiB after trailers",
    () => headers(1, [["x-trailer", "t".repeat(16_000)]]),
    { opening: openSet, ends: "served" },
  ),
  flood(
    "an HPACK bomb: one byte for each header of 4 KB",
    (i) =>
      frame(
        FrameType.HEADERS,
        Flag.END_HEADERS | Flag.END_STREAM,
        2 * i + 1,
        indexBomb,
      ),
    { ends: COMPRESSION_ERROR },
  ),
  flood(
    "the largest reply table there is, resized all the time",
    (i) =>
      repeat(
        settings([Setting.HEADER_TABLE_SIZE, i % 2 ? 2 ** 32 - 1 : 0]),
        500,
      ),
  ),
];

/** The first so many kinds, a connection each. */
const AT_ONCE = 16;

/** The kind. */
export const FLOODS: RudeKind = {
  name: "floods are stemmed",
  cases: [
    {
      name: "a value to ask for is published",
      run: (arena) => arena.publish("flood", { sizeBytes: VALUE_BYTES }),
    },
    ...ALL_FLOODS,
    {
      name: `${AT_ONCE} floods at once`,
      run: ({ port }) =>
        eachOf(AT_ONCE, AT_ONCE, (i) => ALL_FLOODS[i]!.attack(port)),
    },
  ],
};
