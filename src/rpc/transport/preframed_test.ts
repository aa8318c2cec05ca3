import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  frameMessage,
  preframedAvailable,
  serializeParts,
  serializePreframed,
} from "./preframed.ts";
import {
  askFor,
  connectTo,
  ECHO_PATH,
  FRAMED_PATH,
  pattern,
  PLAIN_PATH,
  sharedFrame,
} from "./testing/echo_service.ts";
import { startEchoServer } from "./testing/in_process.ts";
import { ask, FRAME, join, RawClient } from "./testing/raw_client.ts";

Deno.test("this grpc-js lets frames through without a copy", () => {
  assert.equal(preframedAvailable(), true);
});

Deno.test("frameMessage puts flag and length before the parts", () => {
  const frame = frameMessage(Buffer.from("ab"), Buffer.from("c"));
  assert.deepEqual([...frame], [0, 0, 0, 0, 3, 97, 98, 99]);
});

Deno.test("a pre-framed reply is on the wire byte for byte", async () => {
  using echo = await startEchoServer();
  using client = await RawClient.open(echo.port, 1_000_000);
  await client.send(ask(1, FRAMED_PATH, 200_000));
  const data = (await client.stream(1)).filter(({ type }) =>
    type === FRAME.DATA
  );
  assert.ok(sharedFrame(200_000).equals(join(...data.map((d) => d.payload))));
});

Deno.test("one frame is shared by many replies at once and never written to", async () => {
  using echo = await startEchoServer();
  const before = Buffer.from(sharedFrame(300_000));
  const clients = Array.from({ length: 4 }, () => connectTo(echo.port));
  const expected = pattern(300_000);
  await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: 8 }, async (_, i) => {
        // Small and empty replies in between must not be mistaken for frames.
        assert.equal((await askFor(client, PLAIN_PATH, 0)).byteLength, 0);
        assert.equal((await askFor(client, ECHO_PATH, i)).byteLength, 4);
        assert.ok(expected.equals(await askFor(client, FRAMED_PATH, 300_000)));
      })
    ),
  );
  for (const client of clients) client.close();
  assert.ok(before.equals(sharedFrame(300_000)));
});

Deno.test("a frame that was serialized and not sent spoils no other reply", async () => {
  using echo = await startEchoServer();
  const client = connectTo(echo.port);
  serializePreframed(frameMessage(Buffer.from("left over")));
  assert.equal((await askFor(client, PLAIN_PATH, 0)).byteLength, 0);
  serializeParts(Buffer.from("left"), Buffer.from(" over"));
  assert.equal((await askFor(client, PLAIN_PATH, 0)).byteLength, 0);
  client.close();
});
