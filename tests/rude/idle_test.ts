/** Connections by the thousand that do nothing. */

import assert from "node:assert/strict";
import { Flag, FrameType } from "../../src/http2/frames.ts";
import { frame } from "../../src/http2/testing/frame_bytes.ts";
import { type Frame, RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import { NS, type RudeCase, rudeTest } from "./arena.ts";
import { get } from "./messages.ts";
import { endingOf } from "./odd_calls.ts";
import { scaled } from "./scale.ts";

const MIB = 1024 * 1024;
/** More than a server keeps by default. */
const IDLE = 4_000;
/** Those that it is told to keep. */
const KEPT = scaled(2_500);
/** Descriptors that a process needs for other things: see the launcher. */
const RESERVE = 700;
/** What so many may take beside what the server takes alone. */
const GROWTH_LIMIT_BYTES = KEPT * 20 * 1024;
/** The last stream of a GOAWAY that refuses nothing yet. */
const MAX_STREAM = 2 ** 31 - 1;
/** GOAWAY without an error. */
const NO_ERROR = 0;

/** How many descriptors a process may have. */
async function descriptors(): Promise<number> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", "ulimit -Hn"],
  }).output();
  const limit = Number(new TextDecoder().decode(stdout));
  return Number.isNaN(limit) ? Infinity : limit;
}

const most = await descriptors() - RESERVE;
const affordable = Math.min(IDLE, most);
const kept = Math.min(KEPT, most);

/** What a client sees of its connection's end. */
interface Ending {
  /** Dismissed by GOAWAY. */
  dismissed: number;
  /** Closed without one. */
  lost: number;
}

/**
 * A client with a call now and then: it has one at the start, and another in the
 * moment in which it is asked to go. Both must be answered, or the second be
 * refused in a way that tells the client to send it again.
 */
async function idles(client: RawClient, seen: Ending): Promise<void> {
  await client.send(get(1, NS, "idle"));
  assert.equal(endingOf(await client.outcome(1)), "grpc 0");
  void (async () => {
    const asked = await client.until(({ type }) => type === FrameType.GOAWAY);
    if (asked === undefined) return void seen.lost++;
    await client.send(get(3, NS, "idle"));
    let isAnswered = false;
    // Who is late is told that the server never saw the call.
    let isTaken = takenBy(asked);
    const isSettled = (one: Frame) => {
      if (one.type === FrameType.PING) {
        void client.send(frame(FrameType.PING, Flag.ACK, 0, one.payload));
      }
      if (one.type === FrameType.GOAWAY) isTaken = takenBy(one);
      isAnswered ||= one.stream === 3 && one.type === FrameType.HEADERS;
      return isTaken === isAnswered;
    };
    if (isTaken !== false) await client.until(isSettled);
    const isDismissed = isTaken === isAnswered &&
      client.goawayCode === NO_ERROR;
    if (isDismissed) seen.dismissed++;
    else seen.lost++;
    client[Symbol.dispose]();
  })();
}

/** Whether a GOAWAY says that call 3 was taken; the first one says nothing yet. */
function takenBy({ payload }: Frame): boolean | undefined {
  const lastStream = new DataView(payload.buffer).getUint32(0);
  return lastStream === MAX_STREAM ? undefined : lastStream >= 3;
}

const dismissed: RudeCase = {
  name: "of 4,000 idle connections the idlest leave, and no call is lost",
  async run({ port }) {
    using stack = new DisposableStack();
    const seen: Ending = { dismissed: 0, lost: 0 };
    await eachOf(affordable, 50, async () => {
      const client = stack.use(await RawClient.greeted(port));
      await idles(client, seen);
    });
    console.log(`rude: ${seen.dismissed} were dismissed, ${seen.lost} lost`);
    assert.equal(seen.lost, 0);
    assert.ok(seen.dismissed >= affordable - 3_300);
  },
};

const silent: RudeCase = {
  name: "4,000 connections that never say a word",
  async run({ port }) {
    using stack = new DisposableStack();
    await eachOf(affordable, 50, async () => {
      stack.use(await RawClient.connect(port));
    });
  },
};

const borne: RudeCase = {
  name: `${kept} idle connections stay, and cost less than 20 KiB each`,
  async run(arena) {
    const before = arena.treeBytes();
    using stack = new DisposableStack();
    const clients: RawClient[] = [];
    await eachOf(kept, 50, async () => {
      const client = stack.use(await RawClient.greeted(arena.port));
      clients.push(client);
      await client.send(get(1, NS, "idle"));
      assert.equal(endingOf(await client.outcome(1)), "grpc 0");
    });
    const grown = arena.treeBytes() - before;
    console.log(
      `rude: ${kept} idle connections take ${grown / MIB | 0} MiB`,
    );
    assert.ok(grown < GROWTH_LIMIT_BYTES, `they take ${grown / MIB} MiB`);
    for (const client of clients) assert.ok(await client.answersPing());
  },
};

rudeTest("thousands of idle connections make room", [dismissed, silent]);
rudeTest("thousands of idle connections are borne", [borne], [
  ...["--max-connections", String(kept + 500)],
]);
