import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import { readOneByOne } from "./read_ahead.ts";
import {
  FRAME,
  frame,
  join,
  RawClient,
  request,
} from "./testing/raw_client.ts";
import { soon } from "./testing/soon.ts";
import { createHardenedServer } from "./transport.ts";

const PATH = "/test.Sink/Take";
const END_STREAM = 1;

type Requests = grpc.ServerReadableStream<Buffer, Buffer>;

/** A server that notes what it deserializes, with a handler of the test's. */
async function sink(take: (call: Requests) => Promise<void>) {
  const deserialized: string[] = [];
  const server = createHardenedServer({ warn: () => {} });
  server.addService({
    take: {
      path: PATH,
      requestStream: true,
      responseStream: false,
      requestSerialize: (body: Buffer) => body,
      requestDeserialize: (body: Buffer) => {
        deserialized.push(body.toString());
        return body;
      },
      responseSerialize: (body: Buffer) => body,
      responseDeserialize: (body: Buffer) => body,
    },
  }, {
    take: (call: Requests, answer: grpc.sendUnaryData<Buffer>) => {
      take(call).then(() => answer(null, Buffer.from("taken")), answer);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync(
      "127.0.0.1:0",
      credentials,
      (error, port) => error ? reject(error) : resolve(port),
    );
  });
  return {
    deserialized,
    port,
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}

function message(text: string): Uint8Array {
  const body = new TextEncoder().encode(text);
  const prefix = new Uint8Array(5);
  new DataView(prefix.buffer).setUint32(1, body.length);
  return join(prefix, body);
}

Deno.test("messages arrive whole and in order, wherever packets cut them", async () => {
  const texts = Array.from({ length: 40 }, (_, i) => "x".repeat(i % 7) + i % 3);
  texts[5] = texts[6] = texts[39] = "";
  const sent = join(...texts.map(message));
  for (const size of [1, 2, 3, 5, 6, 7, 11, 64, 1_000]) {
    const taken: string[] = [];
    using server = await sink(async (call) => {
      for await (const each of readOneByOne(call)) taken.push(each.toString());
    });
    using client = await RawClient.open(server.port);
    await client.send(request(1, PATH));
    for (let at = 0; at < sent.length; at += size) {
      const piece = sent.subarray(at, at + size);
      const flags = at + size >= sent.length ? END_STREAM : 0;
      await client.send(frame(FRAME.DATA, flags, 1, piece));
    }
    await soon(client.stream(1), "the answer");
    assert.deepEqual(taken, texts, `in pieces of ${size}`);
  }
});

Deno.test("what lies behind a message stays bytes until that was taken", async () => {
  const first = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let taken = 0;
  using server = await sink(async (call) => {
    for await (const _ of readOneByOne(call)) {
      if (taken++ > 0) continue;
      first.resolve();
      await goOn.promise;
    }
  });
  using client = await RawClient.open(server.port);
  await client.send(
    request(1, PATH),
    frame(FRAME.DATA, END_STREAM, 1, join(...Array(1_000).fill(message("")))),
  );
  await soon(first.promise, "the first message");
  await client.ping();
  assert.ok(server.deserialized.length <= 2, `${server.deserialized.length}`);
  goOn.resolve();
  await soon(client.stream(1), "the answer");
  assert.equal(taken, 1_000);
});
