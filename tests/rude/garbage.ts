/**
 * Requests that are no protobuf: INVALID_ARGUMENT, and never half understood.
 *
 * @module
 */

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Flag } from "../../src/http2/frames.ts";
import { data, headers } from "../../src/http2/testing/frame_bytes.ts";
import { bytes, hex, join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import { type Arena, NS, type RudeCase, type RudeKind } from "./arena.ts";
import {
  call,
  callFields,
  getRequest,
  message,
  SET,
  setRequest,
} from "./messages.ts";
import { randomFrom, scaled, SEED } from "./scale.ts";

const INVALID_ARGUMENT = "3";
/** Compressed requests are not taken at all. */
const UNIMPLEMENTED = "12";
const MIB = 1024 * 1024;
/** Bombs at once. */
const BOMBS = 64;
/** Calls with random bytes, for each method. */
const RANDOM_CALLS = scaled(100);

const METHODS = [
  ...["Get", "Heartbeat", "Set"].map((name) => ["remote", name] as const),
  ...["Get", "Heartbeat", "Done", "Drop"].map((name) =>
    ["local", name] as const
  ),
];

/** No request of any method. */
const NO_REQUESTS: Record<string, Uint8Array> = {
  "a tag cut short": hex("80"),
  "a tag of eleven bytes": hex("ff ff ff ff ff ff ff ff ff ff 01"),
  "field number 0": hex("00 01"),
  "field 1 as a group": hex("0b 0c"),
  "the end of a group": hex("0c"),
  "wire type 6": hex("0e 01"),
  "wire type 7": hex("0f 01"),
  "field 1 as fixed32": hex("0d 01 02 03 04"),
  "field 1 as fixed64": hex("09 01 02 03 04 05 06 07 08"),
  "field 1 without its value": hex("08"),
  "a varint without end": hex("08 ff ff ff ff ff ff ff ff ff ff 01"),
  "a string longer than the message": hex("0a 7f 61"),
  "a string of 2^63 bytes": hex("0a ff ff ff ff ff ff ff ff ff 01"),
  "an unknown field cut short": hex("fa 01 09 61"),
  "an unknown fixed64 cut short": hex("f9 01 61"),
  "a hundred nested groups": new Uint8Array(100).fill(0x0b),
  "JSON": bytes('{"namespace":"a","key":"b"}'),
};

/** Requests whose strings are no UTF-8, or that break off. */
const GARBAGE_GETS: Record<string, Uint8Array> = {
  "a namespace that is no UTF-8": hex("0a 02 61 ff 12 01 61"),
  "a namespace with half a surrogate": hex("0a 03 ed a0 80 12 01 61"),
  "a namespace with an overlong dot": hex("0a 04 61 c0 ae 62 12 01 61"),
  "a key as a number": hex("0a 01 61 10 01"),
  "assign as a string": hex("0a 01 61 12 01 61 1a 01 01"),
};

async function refuses(
  { port, localPort }: Arena,
  [api, name]: readonly ["remote" | "local", string],
  request: Uint8Array,
): Promise<void> {
  const path = `/${api}.${api === "remote" ? "Remote" : "Local"}Cache/${name}`;
  using client = await RawClient.open(api === "remote" ? port : localPort);
  await client.send(call(1, path, request));
  const { how, fields } = await client.outcome(1);
  assert.equal(how, "answered");
  assert.equal(
    fields.get("grpc-status"),
    INVALID_ARGUMENT,
    `${path} took ${request.toHex()}: ${fields.get("grpc-message")}`,
  );
}

const garbage: RudeCase[] = [
  ...Object.entries(NO_REQUESTS).map(([name, request]) => ({
    name: `${name}, to every method`,
    run: (arena: Arena) =>
      eachOf(METHODS.length, 4, (i) => refuses(arena, METHODS[i]!, request)),
  })),
  ...Object.entries(GARBAGE_GETS).map(([name, request]) => ({
    name,
    run: async (arena: Arena) => {
      await refuses(arena, ["remote", "Get"], request);
      await refuses(arena, ["local", "Get"], request);
    },
  })),
  {
    name: "random bytes, to every method",
    async run(arena) {
      console.log(`rude: random bytes from --seed ${SEED}`);
      const random = randomFrom(SEED);
      await eachOf(METHODS.length * RANDOM_CALLS, 8, async (i) => {
        const length = 3 + Math.floor(random() * 60);
        const request = Uint8Array.from({ length }, () => random() * 256);
        await refuses(arena, METHODS[i % METHODS.length]!, request);
      });
    },
  },
  {
    name: "a Get cut at every byte assigns nothing",
    async run(arena) {
      // Fields in reverse: the cut one is the namespace or the key.
      const whole = getRequest(NS, "a key that is cut", true);
      const reversed = join(whole.subarray(-2), whole.subarray(0, -2));
      const keyAt = 2 + 2 + NS.length;
      for (let end = 3; end < reversed.length; end++) {
        if (end === keyAt) continue;
        await refuses(arena, ["remote", "Get"], reversed.subarray(0, end));
      }
    },
  },
];

/**
 * A few kilobytes that grow to a request of `sizeBytes`, whole MiB. What is gzipped
 * may be in parts, and the same part again and again is made once.
 */
function bomb(sizeBytes: number): Uint8Array {
  const request = setRequest(1n, new Uint8Array(sizeBytes));
  const [first, more] = [
    request.subarray(0, request.length - sizeBytes + MIB),
    new Uint8Array(MIB),
  ].map((part) => gzipSync(part, { level: 9 }));
  return join(first!, ...Array(sizeBytes / MIB - 1).fill(more));
}

function bombing(name: string, sizeBytes: number): RudeCase {
  return {
    name,
    async run({ port }) {
      const content = message(bomb(sizeBytes), { flag: 1 });
      assert.ok(content.length < MIB / 2);
      const fields = callFields(SET, [["grpc-encoding", "gzip"]]);
      await eachOf(BOMBS, BOMBS, async () => {
        using client = await RawClient.greeted(port);
        await client.send(
          headers(1, fields),
          data(1, content, Flag.END_STREAM),
        );
        const outcome = await client.outcome(1);
        assert.equal(outcome.how, "answered");
        assert.equal(outcome.fields.get("grpc-status"), UNIMPLEMENTED);
        assert.ok(await client.answersPing(), "the connection lives on");
      });
    },
  };
}

const bombs: RudeCase[] = [
  bombing("64 times gzip that grows to 60 MiB, within the limit", 60 * MIB),
  bombing("64 gzip bombs of 200 MiB", 200 * MIB),
];

/** The kind. */
export const GARBAGE: RudeKind = {
  name: "garbage is answered INVALID_ARGUMENT, and gzip bombs UNIMPLEMENTED",
  cases: [
    ...garbage,
    ...bombs,
  ],
};
