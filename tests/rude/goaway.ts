/**
 * GOAWAY of every kind, at every moment: it once ended the whole process.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FrameType } from "../../src/http2/frames.ts";
import { INITIAL_WINDOW_BYTES } from "../../src/http2/limits.ts";
import {
  data,
  goaway,
  headers,
  ping,
  PREFACE,
  reset,
  settings,
  settingsAck,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf, within } from "../support/waiting.ts";
import { NS, type RudeCase, type RudeKind } from "./arena.ts";
import {
  call,
  callFields,
  GET,
  get,
  getRequest,
  message,
  SET,
} from "./messages.ts";

/** How many connections do each thing. */
const TIMES = 40;
/** A reply that does not fit into the default windows. */
const LARGE_BYTES = 1_000_000;

/** NO_ERROR to HTTP_1_1_REQUIRED, and codes that nobody knows. */
const CODES = [...Array(14).keys(), 14, 255, 2 ** 31, 2 ** 32 - 1];
/** Streams that were, will be, and never can be. */
const LAST_STREAMS = [0, 1, 2, 99, 2 ** 31 - 1];

const small = get(1, NS, "small 0");
const large = (stream: number) => get(stream, NS, "large 0");
const unknown = (stream: number) =>
  call(stream, "/no.Service/AtAll", new Uint8Array(3));
const begun = join(
  headers(1, callFields(SET)),
  data(1, message(new Uint8Array(9_000), { announcedBytes: LARGE_BYTES })),
);

/** One way to say it: everything in one packet, then the client waits. */
function said(name: string, ...parts: Uint8Array[]): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(TIMES, 10, async (i) => {
        using client = await RawClient.open(port);
        await client.send(...parts);
        // Some stay to read, some leave at once, some reset the connection.
        if (i % 3 === 0) {
          await client.finish();
          await client.closed();
        } else if (i % 3 === 1) await client.abort();
      }),
  };
}

const cases: RudeCase[] = [
  {
    name: "values to ask for are published",
    async run(arena) {
      await arena.publish("small", { sizeBytes: 1_000 });
      await arena.publish("large", { sizeBytes: LARGE_BYTES });
    },
  },
  {
    name: "GOAWAY with every error code and every last stream",
    run: ({ port }) =>
      eachOf(CODES.length * LAST_STREAMS.length, 10, async (i) => {
        using client = await RawClient.open(port);
        const code = CODES[i % CODES.length]!;
        const last = LAST_STREAMS[Math.floor(i / CODES.length)]!;
        await client.send(small, goaway(code, last, "for a reason"));
        await client.finish();
        await client.closed();
      }),
  },
  {
    name: "GOAWAY in place of SETTINGS",
    run: ({ port }) =>
      eachOf(TIMES, 10, async () => {
        using client = await RawClient.connect(port);
        await client.send(PREFACE, goaway(1), settings(), small);
        await client.closed();
      }),
  },
  said("GOAWAY as the first word", goaway()),
  said("GOAWAY before the acknowledgement", goaway(), settingsAck()),
  said("GOAWAY twice", small, goaway(), goaway()),
  said("GOAWAY a hundred times", small, ...Array(100).fill(goaway(2))),
  said("GOAWAY with 16 KiB of reasons", goaway(0, 0, "x".repeat(16_000))),
  said("GOAWAY before the call", goaway(), small),
  said("GOAWAY right after the call", small, goaway()),
  said("GOAWAY between HEADERS and DATA", begun, goaway(11), small),
  said("GOAWAY in mid-upload", begun, goaway()),
  said("GOAWAY with an error in mid-upload", begun, goaway(2)),
  said("GOAWAY and RST_STREAM", small, reset(1), goaway(8)),
  said("RST_STREAM after GOAWAY", small, goaway(8), reset(1)),
  said("an unknown method and GOAWAY", unknown(1), goaway()),
  said("an unknown method and GOAWAY with an error", unknown(1), goaway(1)),
  said(
    "50 unknown methods and GOAWAY with an error",
    join(
      ...Array.from({ length: 50 }, (_, i) => unknown(2 * i + 1)),
      goaway(2),
    ),
  ),
  said(
    "GOAWAY with 100 calls open",
    join(
      ...Array.from({ length: 100 }, (_, i) => large(2 * i + 1)),
      goaway(0),
    ),
  ),
  said(
    "GOAWAY with an error and 100 calls open",
    join(
      ...Array.from({ length: 100 }, (_, i) => large(2 * i + 1)),
      goaway(11, 2 ** 31 - 1),
      ping(),
    ),
  ),
  {
    name: "GOAWAY in mid-reply, and the rest is waited for",
    run: ({ port }) =>
      eachOf(TIMES, 10, async (i) => {
        using client = await RawClient.open(port);
        await client.send(large(1));
        await within(
          client.until(({ type }) => type === FrameType.DATA),
          "the begin of the reply",
        );
        await client.send(goaway(i % 2 === 0 ? 0 : 2));
        await client.finish();
        await client.closed();
      }),
  },
  {
    name: "a call on its way is answered in spite of GOAWAY",
    run: ({ port }) =>
      eachOf(TIMES, 10, async () => {
        using client = await RawClient.open(port, {
          windowBytes: INITIAL_WINDOW_BYTES + LARGE_BYTES,
        });
        const { how, dataBytes } = await client.send(
          call(1, GET, getRequest(NS, "large 0")),
          goaway(),
        ).then(() => client.outcome(1));
        assert.equal(how, "answered");
        assert.ok(dataBytes > LARGE_BYTES);
      }),
  },
];

/** The kind. */
export const GOAWAYS: RudeKind = {
  name: "GOAWAY never takes the server down",
  cases: cases,
};
