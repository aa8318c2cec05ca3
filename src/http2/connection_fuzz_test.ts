/**
 * Random frames, and right ones with a few octets changed. FUZZ_SECONDS plays
 * for longer, FUZZ_SEED plays one conversation again.
 */

import assert from "node:assert/strict";
import { encodeHeaders } from "./hpack/mod.ts";
import type { RequestHandler } from "./stream_api.ts";
import {
  data,
  frame,
  headers,
  lastData,
  paddedData,
  ping,
  PREFACE,
  request,
  reset,
  settings,
  settingsAck,
  windowUpdate,
} from "./testing/frame_bytes.ts";
import { join } from "./testing/octets.ts";
import { turns } from "./testing/pipe.ts";
import { type Random, randomFrom } from "./testing/random_bytes.ts";
import { ServedPipes } from "./testing/served_pipe.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const TRAILERS = encodeHeaders([["grpc-status", "0"]]);
const DEFAULT_SECONDS = 2;

function randomFrame(random: Random, nextId: () => number): Uint8Array {
  const old = 2 * random(12) + 1;
  switch (random(14)) {
    case 0:
    case 1:
    case 2:
      return headers(nextId());
    case 3:
    case 4:
      return request(nextId());
    case 5:
      return data(old, random(20_000) % 16_384);
    case 6:
      return lastData(old, random(300));
    case 7:
      return paddedData(old, random(50), random(200));
    case 8:
      return reset(old, random(14));
    case 9:
      return windowUpdate(2 * random(3) + (random(2) && 1), random(70_000));
    case 10:
      return settings([random(7), random(3) ? random(100_000) : 2 ** 31]);
    case 11:
      return ping(random(256));
    case 12:
      return settingsAck();
    default: {
      const payload = Array.from({ length: random(30) }, () => random(256));
      return frame(random(12), random(256), random(20), payload);
    }
  }
}

/** Changes an octet now and then; most conversations are right for long. */
function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  if (random(12) === 0) bytes[random(bytes.length)] = random(256);
  return random(40) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

/** A layer above that does anything it may, and holds us to our word. */
function anyHandler(random: Random, open: Map<number, number>): RequestHandler {
  let key = 0;
  return (stream) => {
    const mine = key++;
    open.set(mine, stream.id);
    let hasEnded = false;
    const act = () => {
      switch (random(9)) {
        case 0:
          return stream.respond(
            HEAD,
            [new Uint8Array(random(90_000))],
            TRAILERS,
          );
        case 1:
          return stream.headers(HEAD, random(4) === 0);
        case 2:
          return stream.data([new Uint8Array(random(9_000))], act);
        case 3:
          return stream.reset(random(14));
        case 4:
          return random(3) ? undefined : stream.endData();
        case 5:
          return stream.trailers(TRAILERS);
        case 6:
          return stream.allow(random(9_000));
      }
    };
    if (random(3) === 0) act();
    return {
      data() {
        assert.ok(open.has(mine) && !hasEnded);
        act();
      },
      end() {
        assert.ok(open.has(mine) && !hasEnded);
        hasEnded = true;
        act();
      },
      closed() {
        assert.ok(open.delete(mine), "closed twice");
        act();
      },
    };
  };
}

async function converse(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const served = new ServedPipes({ maxStreams: 8 });
  const open = new Map<number, number>();
  const { pipe } = served.open(anyHandler(random, open));
  pipe.readBytes = random(3) === 0 ? 1 + random(40) : Infinity;
  let id = -1;
  const nextId = () => id += random(15) === 0 ? 4 : 2;
  pipe.send(join(PREFACE, settings(), settingsAck()));
  for (let at = 0; at < 60 && !pipe.isClosed; at++) {
    pipe.send(mutate(random, randomFrame(random, nextId)));
    if (random(5) === 0) await turns();
    if (random(20) === 0) pipe.hold();
    if (random(20) === 0) pipe.release();
    if (random(15) === 0) served.pass(random(9_000));
  }
  pipe.release();
  await turns();
  served.pass(1_000);
  await served.end();
  assert.deepEqual(served.warnings, [], `FUZZ_SEED=${seed}`);
  assert.equal(open.size, 0, `FUZZ_SEED=${seed}: streams were not closed`);
}

Deno.test("no bytes of a client bring more than errors of HTTP/2", async () => {
  const only = Deno.env.get("FUZZ_SEED");
  if (only !== undefined) return await converse(Number(only));
  const seconds = Number(Deno.env.get("FUZZ_SECONDS") ?? DEFAULT_SECONDS);
  const endMs = performance.now() + seconds * 1_000;
  for (let seed = Date.now(); performance.now() < endMs; seed++) {
    await converse(seed).catch((cause) => {
      throw new Error(`play it again with FUZZ_SEED=${seed}`, { cause });
    });
  }
});
