/** Clients that stop in the middle lose their call or connection in time. */

import assert from "node:assert/strict";
import { FrameType } from "../../src/http2/frames.ts";
import { MAX_WINDOW_BYTES } from "../../src/http2/limits.ts";
import {
  data,
  frame,
  goaway,
  headers,
  ping,
  PREFACE,
  settings,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf, within } from "../support/waiting.ts";
import { type Arena, NS, type RudeCase, rudeTest } from "./arena.ts";
import { callFields, GET, get, message } from "./messages.ts";
import { endingOf } from "./odd_calls.ts";

/** Short limits, so that the tests need not wait for long; and large replies. */
const FLAGS = [
  ...["--handshake-timeout", "1s"],
  ...["--idle-body-timeout", "1s"],
  ...["--stall-timeout", "1s"],
  ...["--max-reply-bytes", "64MiB"],
];
const CROWD = 30;
/** The stream is reset with ENHANCE_YOUR_CALM. */
const CALM = "reset 11";
/** More than sockets hold, so that the reply cannot leave unread. */
const VALUE_BYTES = 20 * 1024 * 1024;
/** There is memory for so many replies; others would be told Loading. */
const STALLING = 3;

/** Says something, and has to be hung up on without a GOAWAY. */
function dropped(name: string, said: Uint8Array): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(CROWD, CROWD, async () => {
        using client = await RawClient.connect(port);
        // That would be a word.
        client.acknowledges = false;
        await client.send(said);
        assert.equal(await client.closed(), undefined, "it was told why");
      }),
  };
}

/** Begins a call whose body never ends; the call must end, and it alone. */
function ended(name: string, begin: Uint8Array): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(CROWD, CROWD, async () => {
        using client = await RawClient.open(port);
        await client.send(begin);
        // PINGs show that the client lives; its call ends all the same.
        const pings = setInterval(() => client.send(ping()), 100);
        const outcome = await client.outcome(1).finally(() =>
          clearInterval(pings)
        );
        assert.equal(endingOf(outcome), CALM);
        assert.ok(await client.answersPing(), "the connection lives on");
      }),
  };
}

const half = message(new Uint8Array(9_000), { announcedBytes: 100_000 });
const open = headers(1, callFields(GET));
const greeting = join(PREFACE, settings());

/** Asks for much, reads nothing, and must find the connection broken. */
async function stalls({ port }: Arena): Promise<void> {
  await eachOf(STALLING, STALLING, async () => {
    // Greeted, or the missing acknowledgement of SETTINGS ends it as well.
    using client = await RawClient.greeted(port, {
      windowBytes: MAX_WINDOW_BYTES,
    });
    await client.send(get(1, NS, "stall 0"));
    // Nothing is read: only writing shows that the server has hung up.
    const hungUp = (async () => {
      while (await client.send(ping())) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    await within(hungUp, "the end of a stalled connection");
  });
}

const cases: RudeCase[] = [
  {
    name: "a value to stall on is published",
    run: (arena) => arena.publish("stall", { sizeBytes: VALUE_BYTES }),
  },
  dropped("not a word", new Uint8Array()),
  dropped("half a preface", PREFACE.subarray(0, 12)),
  dropped("a preface without SETTINGS", PREFACE),
  ended("half a body, and answers to PINGs", join(open, data(1, half))),
  ended("HEADERS and no body", open),
  { name: "a reply of 20 MiB that is never read", run: stalls },
  dropped(
    "GOAWAY, and the socket kept open",
    join(greeting, get(1, NS, "none"), goaway()),
  ),
  {
    name: "half a header block",
    // No stream exists yet, so no limit of streams holds: others are served.
    async run({ port }) {
      using client = await RawClient.greeted(port);
      const block = new Uint8Array([0, 1]);
      await client.send(frame(FrameType.HEADERS, 0, 1, block));
      using other = await RawClient.greeted(port);
      assert.ok(await other.answersPing());
    },
  },
];

rudeTest("clients that stop in the middle are ended in time", cases, FLAGS);
