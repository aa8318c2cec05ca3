import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { character } from "../../tests/support/characters.ts";
import { StatusError } from "../grpc/status.ts";
import { readFetchRequest } from "./fetch_codec.ts";
import { readGetRequest, readIdRequest, readSetRequest } from "./requests.ts";
import { checkMessage, type MessageShape } from "./strict_wire.ts";
import { definitionOf, uint64 } from "./testing/definitions.ts";

interface Codec {
  readonly read: (message: Uint8Array) => object;
  readonly shape: MessageShape;
  readonly definition: ReturnType<typeof definitionOf>;
  /** Requests as a client may make them. */
  readonly requests: fc.Arbitrary<object>;
}

const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: character, maxLength: 40 }),
);
const ids: Pick<Codec, "read" | "shape" | "requests"> = {
  read: readIdRequest,
  shape: new Map([[1, "varint"]]),
  requests: fc.record({ id: uint64 }, { requiredKeys: [] }),
};
const get: Pick<Codec, "read" | "shape" | "requests"> = {
  read: readGetRequest,
  shape: new Map([[1, "string"], [2, "bytes"], [3, "varint"]]),
  requests: fc.record(
    { namespace: text, key: bytes, assign: fc.boolean() },
    { requiredKeys: [] },
  ),
};
const FETCH_FLAGS = ["assign", "wait", "path", "head", "fromDisk"];
const FETCH_NUMBERS = ["offset", "length", "ttlMs"];
const CODECS: Record<string, Codec> = {
  "local Get": { ...get, definition: definitionOf("local", "Get") },
  "remote Get": { ...get, definition: definitionOf("remote", "Get") },
  "local Heartbeat": { ...ids, definition: definitionOf("local", "Heartbeat") },
  "remote Heartbeat": {
    ...ids,
    definition: definitionOf("remote", "Heartbeat"),
  },
  "Done": { ...ids, definition: definitionOf("local", "Done") },
  "Drop": { ...ids, definition: definitionOf("local", "Drop") },
  "Set": {
    read: readSetRequest,
    shape: new Map([[1, "varint"], [2, "bytes"]]),
    definition: definitionOf("remote", "Set"),
    requests: fc.record({ id: uint64, value: bytes }, { requiredKeys: [] }),
  },
  "Fetch": {
    read: (message) => readFetchRequest(message, false),
    shape: new Map([
      [1, "string"],
      [2, "bytes"],
      ...[3, 4, 5, 6, 7, 8, 9, 10].map((field) => [field, "varint"] as const),
    ]),
    definition: definitionOf("v1", "Fetch"),
    requests: fc.record({
      namespace: text,
      key: bytes,
      ...Object.fromEntries(FETCH_FLAGS.map((name) => [name, fc.boolean()])),
      ...Object.fromEntries(FETCH_NUMBERS.map((name) => [name, uint64])),
    }, { requiredKeys: [] }),
  },
};

const DEFAULTS = {
  namespace: "",
  key: new Uint8Array(),
  value: new Uint8Array(),
  ...Object.fromEntries(FETCH_FLAGS.map((name) => [name, false])),
  ...Object.fromEntries(FETCH_NUMBERS.map((name) => [name, "0"])),
  id: "0",
};

/** proto-loader gives Buffers, and leaves defaults out. */
function plain(request: object, like: object): object {
  const all = { ...DEFAULTS, ...request } as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(like).map((name) => {
      const value = all[name];
      return [name, value instanceof Uint8Array ? [...value] : value];
    }),
  );
}

/** What our codec says: the request, or why there is none. */
function outcome(read: Codec["read"], message: Uint8Array): object | string {
  try {
    const request = read(message);
    return plain(request, request);
  } catch (error) {
    assert.ok(error instanceof StatusError);
    assert.equal(error.code, 3);
    return error.message;
  }
}

/** Flags of a Get or a Fetch; other varints that we know may be long. */
const BOOL_FIELDS: ReadonlySet<number> = new Set([3, 4, 5, 8, 9]);
/** protobufjs takes no tag, length or bool for longer, and skips too much then. */
const MAX_UINT32_BYTES = 5;

/** Whether protobufjs would go astray in a message that is well-formed. */
function leadsAstray(message: Uint8Array): boolean {
  let at = 0;
  let isLong = false;
  const varint = (isLimited: boolean) => {
    const start = at;
    let value = 0;
    let byte: number;
    do {
      byte = message[at]!;
      value += (byte & 0x7f) * 2 ** (7 * (at++ - start));
    } while (byte >= 0x80);
    if (isLimited && at - start > MAX_UINT32_BYTES) isLong = true;
    return value;
  };
  while (at < message.length) {
    const tag = varint(true);
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) varint(BOOL_FIELDS.has(field));
    else if (type === 1) at += 8;
    else if (type === 2) at += varint(true);
    else if (type === 5) at += 4;
  }
  return isLong;
}

/** What proto-loader makes of a message, where it can be asked. */
function theirOutcome(
  definition: Codec["definition"],
  message: Uint8Array,
): object | undefined {
  return leadsAstray(message)
    ? undefined
    : definition.requestDeserialize(Buffer.from(message));
}

for (
  const [name, { read, shape, definition, requests }] of Object.entries(CODECS)
) {
  Deno.test(`${name}: what proto-loader writes is read as it was meant`, () => {
    fc.assert(fc.property(requests, (request) => {
      const message = definition.requestSerialize(request);
      const came = read(message);
      assert.deepEqual(plain(came, came), plain(request, came));
    }));
  });

  Deno.test(`${name}: garbled messages are refused in the words of the check, others read as by proto-loader`, () => {
    fc.assert(
      fc.property(
        garbled(requests.map(definition.requestSerialize)),
        (message) => {
          const ours = outcome(read, message);
          const why = checkMessage(message, shape);
          if (why !== undefined) {
            return assert.equal(
              ours,
              `invalid request: it is no well-formed protobuf message (${why})`,
            );
          }
          assert.notEqual(typeof ours, "string");
          const theirs = theirOutcome(definition, message);
          if (theirs !== undefined) {
            assert.deepEqual(ours, plain(theirs, ours as object));
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
}

/** Messages with something done to them, put together, or of no origin. */
function garbled(
  messages: fc.Arbitrary<Uint8Array>,
): fc.Arbitrary<Uint8Array> {
  const tag = fc.tuple(fc.nat(11), fc.nat(7)).map(([field, wire]) =>
    Uint8Array.of((field << 3) | wire)
  );
  const piece = fc.oneof(messages, tag, fc.uint8Array({ maxLength: 12 }));
  return fc.tuple(
    fc.array(piece, { minLength: 1, maxLength: 4 }),
    fc.option(fc.tuple(fc.nat(), fc.nat(255))),
    fc.option(fc.nat(20)),
  ).map(([pieces, change, cut]) => {
    const message = new Uint8Array(Buffer.concat(pieces));
    if (change && message.length > 0) {
      message[change[0] % message.length] = change[1];
    }
    return cut === null ? message : message.subarray(0, -cut || undefined);
  });
}

Deno.test("any number but 0 is true", () => {
  const big = [0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1];
  assert.equal(readGetRequest(Uint8Array.from(big)).assign, true);
  assert.equal(readGetRequest(Uint8Array.of(0x18, 0x80, 0)).assign, false);
});
