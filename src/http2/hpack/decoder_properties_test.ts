import assert from "node:assert/strict";
import fc from "fast-check";
import { HeaderTable } from "./header_table.ts";
import { encodeHeaders, HpackDecoder, HpackError } from "./mod.ts";
import {
  CollectedFields,
  decodeFields,
  type Field,
} from "./testing/collected.ts";
import { ModelEncoder, type ModelField } from "./testing/model_encoder.ts";

const LIMITS = { maxListBytes: 2000, maxDecodedBytes: 8000 };
/** For lists that are meant to be decoded whole. */
const AMPLE = { maxListBytes: 1e6, maxDecodedBytes: 1e6 };

const octetString = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((chars) => String.fromCharCode(...chars));
/** Some that tables have, some that repeat, and some of any octets. */
const name = fc.oneof(
  fc.constantFrom(":status", ":path", "content-type", "te", "grpc-timeout"),
  fc.constantFrom("a", "b", "c"),
  octetString(40),
);
const value = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom("200", "/", "", "trailers", "1S"),
  },
  { weight: 9, arbitrary: octetString(40) },
  // One that takes most of the table, or more than it has.
  {
    weight: 1,
    arbitrary: fc.integer({ min: 3900, max: 4200 })
      .map((length) => "v".repeat(length)),
  },
);
const field: fc.Arbitrary<Field> = fc.tuple(name, value);
const modelField: fc.Arbitrary<ModelField> = fc.record({
  field,
  form: fc.constantFrom("index", "index", "add", "plain", "never"),
  nameByIndex: fc.boolean(),
  huffman: fc.boolean(),
});
const modelBlock = fc.record({
  fields: fc.array(modelField, { maxLength: 12 }),
  sizeUpdates: fc.oneof(
    { weight: 3, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.array(fc.nat(4096), { maxLength: 2 }) },
  ),
});
const conversation = fc.array(modelBlock, { minLength: 1, maxLength: 8 });

/**
 * Decodes blocks until one is refused, and checks that no more comes out than
 * the limits allow.
 */
function decodeWithinLimits(blocks: readonly Uint8Array[]): void {
  const decoder = new HpackDecoder(LIMITS);
  for (const block of blocks) {
    const sink = new CollectedFields();
    let isRefused = false;
    try {
      decoder.decode(block, sink);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      isRefused = true;
    }
    const bytes = sink.fields.reduce(
      (sum, [name, value]) => sum + name.length + value.length + 32,
      0,
    );
    assert.ok(bytes <= LIMITS.maxListBytes, `${bytes} bytes`);
    if (isRefused) return;
  }
}

Deno.test("HpackDecoder throws nothing but HpackError at random octets", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
      decodeWithinLimits,
    ),
    { numRuns: 2000 },
  );
});

Deno.test("HpackDecoder throws nothing but HpackError at valid blocks gone wrong", () => {
  const mutation = fc.record({
    block: fc.nat(7),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    octets: fc.uint8Array({ maxLength: 3 }),
    removed: fc.nat(3),
  });
  fc.assert(
    fc.property(
      conversation,
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (blocks, mutations) => {
        const encoder = new ModelEncoder();
        const wire = blocks.map(({ fields, sizeUpdates }) => [
          ...encoder.encode(fields, sizeUpdates),
        ]);
        for (const { block, at, octets, removed } of mutations) {
          const mutated = wire[block % wire.length]!;
          mutated.splice(Math.floor(at * mutated.length), removed, ...octets);
        }
        decodeWithinLimits(wire.map((octets) => new Uint8Array(octets)));
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("HpackDecoder reads what a plain encoder with a table writes", () => {
  fc.assert(
    fc.property(conversation, (blocks) => {
      const encoder = new ModelEncoder();
      const decoder = new HpackDecoder(AMPLE);
      for (const { fields, sizeUpdates } of blocks) {
        assert.deepEqual(
          decodeFields(decoder, encoder.encode(fields, sizeUpdates)),
          fields.map(({ field }) => field),
        );
        // All that the encoder's table has, by index.
        const indices = encoder.entries.map((field): ModelField => ({
          field,
          form: "index",
          nameByIndex: true,
          huffman: false,
        }));
        assert.deepEqual(
          decodeFields(decoder, encoder.encode(indices)),
          encoder.entries,
        );
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("HpackDecoder is in step after lists that were too large to deliver", () => {
  fc.assert(
    fc.property(conversation, fc.nat(600), (blocks, maxListBytes) => {
      const encoder = new ModelEncoder();
      const decoder = new HpackDecoder({ ...AMPLE, maxListBytes });
      for (const { fields, sizeUpdates } of blocks) {
        const sink = new CollectedFields();
        const isTooLarge = decoder.decode(
          encoder.encode(fields, sizeUpdates),
          sink,
        );
        const all = fields.map(({ field }) => field);
        assert.deepEqual(sink.fields, all.slice(0, sink.fields.length));
        assert.equal(isTooLarge, sink.fields.length < all.length);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("any list comes back from encodeHeaders and HpackDecoder", () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      const decoder = new HpackDecoder(AMPLE);
      assert.deepEqual(decodeFields(decoder, encodeHeaders(fields)), fields);
    }),
    { numRuns: 200 },
  );
});

Deno.test("HeaderTable never takes more than its size", () => {
  const step = fc.oneof(field, fc.nat(4096));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new HeaderTable(4096);
      let maxBytes = 4096;
      for (const step of steps) {
        if (typeof step === "number") table.resize(maxBytes = step);
        else table.add(...step);
        let bytes = 0;
        for (let index = 0; index < table.length; index++) {
          bytes += table.nameAt(index).length + table.valueAt(index).length +
            32;
        }
        assert.equal(table.sizeBytes, bytes);
        assert.ok(bytes <= maxBytes);
      }
    }),
  );
});
