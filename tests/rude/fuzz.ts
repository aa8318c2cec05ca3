/**
 * Random frames, from a seed that is printed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Flag, FRAME_HEADER_BYTES } from "../../src/http2/frames.ts";
import {
  frame,
  goaway,
  headers,
  PREFACE,
  settings,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import { NS, type RudeCase, type RudeKind } from "./arena.ts";
import { callFields, GET, get, getRequest, message } from "./messages.ts";
import { randomFrom, scaled, SEED } from "./scale.ts";

const CONNECTIONS = scaled(500);
const MAX_FRAMES = 24;
/** Frames with these payloads are well-formed: they get further. */
const SIZES = [0, 1, 4, 5, 6, 8, 8, 8, 12, 40, 200, 3_000];

type Random = () => number;

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random() * 256);
}

/** A frame with a well-formed header, whatever is in it. */
function anyFrame(random: Random): Uint8Array {
  const stream = pick(random, [0, 0, 1, 1, 3, 5, 7, 2, 2 ** 31 - 1]);
  const flags = random() < 0.7
    ? pick(random, [0, Flag.END_HEADERS, Flag.ACK, Flag.END_STREAM, 5, 8])
    : Math.floor(random() * 256);
  const type = random() < 0.9
    ? Math.floor(random() * 10)
    : Math.floor(random() * 256);
  return frame(type, flags, stream, randomBytes(random, pick(random, SIZES)));
}

/** A frame that makes sense, so that nonsense meets a living stream. */
function goodFrame(random: Random): Uint8Array {
  const stream = pick(random, [1, 3, 5, 7]);
  return pick(random, [
    get(stream, NS, "fuzz 0"),
    headers(stream, callFields(GET)),
    frame(0, 1, stream, message(getRequest(NS, "fuzz 0"))),
    settings([4, Math.floor(random() * 2 ** 31)]),
    goaway(Math.floor(random() * 14)),
  ]);
}

function talk(random: Random): Uint8Array[] {
  const count = 1 + Math.floor(random() * MAX_FRAMES);
  const frames = Array.from(
    { length: count },
    () => random() < 0.3 ? goodFrame(random) : anyFrame(random),
  );
  return [PREFACE, settings([4, 2 ** 31 - 1]), ...frames];
}

/** A talk with a few of its bits turned, frame headers included. */
function garbled(random: Random): Uint8Array[] {
  const whole = join(...talk(random));
  for (let i = 0; i < 4; i++) {
    const at = PREFACE.length + FRAME_HEADER_BYTES +
      Math.floor(
        random() * (whole.length - PREFACE.length - FRAME_HEADER_BYTES),
      );
    whole[at]! ^= 1 << Math.floor(random() * 8);
  }
  return [whole];
}

function fuzz(
  name: string,
  salt: number,
  say: (random: Random) => Uint8Array[],
): RudeCase {
  return {
    name,
    async run({ port }) {
      console.log(`rude: ${name} from --seed ${SEED}`);
      await eachOf(CONNECTIONS, 16, async (i) => {
        const random = randomFrom(SEED + salt + i);
        using client = await RawClient.connect(port);
        const parts = say(random);
        // All in one packet, or frame by frame.
        if (random() < 0.5) await client.send(...parts);
        else for (const part of parts) if (!await client.send(part)) break;
        const end = random();
        if (end < 0.3) await client.abort();
        else if (end < 0.6) {
          await client.finish();
          await client.next();
        }
      });
    },
  };
}

const cases: RudeCase[] = [
  {
    name: "a value for lucky calls is published",
    run: (arena) => arena.publish("fuzz", { sizeBytes: 200_000 }),
  },
  fuzz("random frames", 0, talk),
  fuzz("random frames with bits turned", 1_000_000_000, garbled),
  {
    name: "500 frames of unknown types on one connection are passed over",
    async run({ port }) {
      const random = randomFrom(SEED);
      using client = await RawClient.greeted(port);
      // After 2,000 without progress it is told ENHANCE_YOUR_CALM.
      for (let i = 0; i < 500; i++) {
        const type = 32 + Math.floor(random() * 224);
        const payload = randomBytes(random, pick(random, SIZES));
        await client.send(frame(type, i & 255, i, payload));
      }
      assert.ok(await client.answersPing());
    },
  },
];

/** The kind. */
export const FUZZ: RudeKind = {
  name: "random frames take nothing down",
  cases: cases,
};
