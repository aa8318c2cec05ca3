import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "../http2/testing/octets.ts";
import { Status, StatusError } from "./status.ts";
import type { FakeStream } from "./testing/fake_stream.ts";
import { frame, TestServer } from "./testing/test_server.ts";

const METHODS = ["Unary", "ServerStream", "ClientStream", "Duplex"];
const MAX_MESSAGE_BYTES = 200_000;

/** A server that says in its replies what it was asked. */
function describing(): TestServer {
  const short = (message: Uint8Array) =>
    message.slice(0, 8).map((byte, at) => byte ^ message.length ^ at);
  return new TestServer({
    maxMessageBytes: MAX_MESSAGE_BYTES,
    unary: (request) => short(request),
    serverStream: async (request, _call, sender) => {
      await sender.send(short(request));
      await sender.send(request.slice(0, 3));
    },
    clientStream: async (requests) => {
      const parts: Uint8Array[] = [];
      for await (const request of requests) parts.push(short(request));
      return join(...parts);
    },
    duplex: async (requests, _call, sender) => {
      for await (const request of requests) await sender.send(short(request));
    },
    codec: {
      decode: (message) => {
        if (message[0] !== 13) return message.slice();
        throw new StatusError(Status.INVALID_ARGUMENT, "13 is no number");
      },
    },
  });
}

/** Everything that came of a request whose body comes in these pieces. */
async function outcome(
  method: string,
  body: Uint8Array,
  { cuts, ends }: { readonly cuts: readonly number[]; readonly ends: boolean },
): Promise<unknown> {
  const server = describing();
  const stream = server.open(method, { fields: ["grpc-timeout", "1M"] });
  let left = body;
  for (let cut = 0; left.length > 0 && !stream.isOver; cut++) {
    const size = Math.min(cuts[cut % cuts.length]!, stream.windowBytes);
    if (size > 0) stream.receive(left.subarray(0, size));
    left = left.subarray(size);
    await go(server, stream);
    if (size === 0 && stream.windowBytes === 0) throw new Error("stuck");
  }
  if (ends) stream.receiveEnd();
  for (let quiet = 0; quiet < 2; quiet++) {
    const before = stream.queued.length;
    await go(server, stream);
    if (server.hasWork || stream.queued.length > before) quiet = -1;
  }
  const { queued, resets, status } = stream;
  const data = join(
    ...queued.flatMap((one) => one.kind === "data" ? [one.bytes] : []),
  );
  if (!stream.isOver) stream.lose();
  await server.assertQuiet();
  return { data, resets, status, blocks: stream.blocks };
}

async function go(server: TestServer, stream: FakeStream): Promise<void> {
  await server.turn();
  stream.flush();
}

const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      flag: fc.constant(0),
      length: fc.oneof(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 3_000 }),
        fc.constantFrom(65_529, 65_530, 65_531, 130_000, MAX_MESSAGE_BYTES),
      ),
      seed: fc.nat({ max: 255 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { flag: 1, length: 3, seed: 1 },
      { flag: 7, length: 3, seed: 1 },
      { flag: 0, length: MAX_MESSAGE_BYTES + 1, seed: 1 },
      { flag: 0, length: 2, seed: 13 },
    ),
  },
);

const request = fc.record({
  method: fc.constantFrom(...METHODS),
  pieces: fc.array(piece, { maxLength: 6 }),
  cutOff: fc.oneof(fc.constant(0), fc.nat({ max: 7 })),
  ends: fc.oneof(fc.constant(true), fc.boolean()),
  cuts: fc.array(
    fc.oneof(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 20_000 }),
    ),
    { minLength: 1, maxLength: 8 },
  ),
});

Deno.test("any split of a request gives the same calls and the same output", async () => {
  await fc.assert(
    fc.asyncProperty(
      request,
      async ({ method, pieces, cutOff, ends, cuts }) => {
        const whole = join(
          ...pieces.map(({ flag, length, seed }) =>
            frame(new Uint8Array(length).fill(seed), flag)
          ),
        );
        const body = whole.subarray(0, Math.max(0, whole.length - cutOff));
        // Byte by byte takes its time; so it goes only through what is short.
        const splits = body.length < 2_000 ? [[1], cuts] : [
          cuts.map((cut) => cut + 500),
        ];
        const expected = await outcome(method, body, { cuts: [16_384], ends });
        for (const split of splits) {
          const seen = await outcome(method, body, { cuts: split, ends });
          assert.deepEqual(seen, expected);
        }
      },
    ),
    { numRuns: 60 },
  );
});
