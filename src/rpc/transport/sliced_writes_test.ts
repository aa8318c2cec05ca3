import assert from "node:assert/strict";
import { ChildServer } from "./testing/child_server.ts";
import {
  askFor,
  connectTo,
  ECHO_PATH,
  FRAMED_PATH,
  PARTS_PATH,
  pattern,
  PLAIN_PATH,
} from "./testing/echo_service.ts";
import { startEchoServer } from "./testing/in_process.ts";
import {
  ask,
  FRAME,
  RawClient,
  reset,
  windowUpdate,
} from "./testing/raw_client.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

Deno.test("replies around the size of a slice arrive intact with 64 KiB windows", async () => {
  using echo = await startEchoServer();
  const client = connectTo(echo.port);
  const sizes = [0, 4, 65_531, 65_532, 65_536, 65_540, 131_072, 1_000_004];
  for (const path of [PLAIN_PATH, FRAMED_PATH, PARTS_PATH]) {
    for (const size of sizes) {
      const replies = await Promise.all(
        [1, 2, 3].map(() => askFor(client, path, size)),
      );
      for (const reply of replies) {
        assert.ok(pattern(size).equals(reply), `${path} of ${size} bytes`);
      }
    }
  }
  client.close();
  assert.deepEqual(echo.warnings, []);
});

Deno.test("a client that opens its windows a little at a time gets its reply", async () => {
  using echo = await startEchoServer();
  using client = await RawClient.open(echo.port);
  await client.send(ask(1, FRAMED_PATH, 300_000));
  let received = 0;
  for await (const one of client.frames()) {
    if (one.streamId !== 1) continue;
    if (one.type === FRAME.HEADERS && (one.flags & 1) !== 0) break;
    received += one.type === FRAME.DATA ? one.payload.byteLength : 0;
    if (one.type === FRAME.DATA && one.payload.byteLength > 0) {
      const bytes = one.payload.byteLength;
      await client.send(windowUpdate(0, bytes), windowUpdate(1, bytes));
    }
  }
  assert.equal(received, 300_005);
});

Deno.test("large replies that are reset in the middle leave no copies behind", async () => {
  await using child = await ChildServer.start();
  const honest = connectTo(child.port);
  await askFor(honest, FRAMED_PATH, 8 * MIB);
  const { rssBytes } = await child.status();

  using client = await RawClient.open(child.port);
  for (let i = 0; i < 100; i++) {
    const id = 2 * i + 1;
    await client.send(ask(id, FRAMED_PATH, 8 * MIB));
    let bytes = 0;
    while (bytes < 32 * KIB) {
      const one = await client.next();
      assert.ok(one !== undefined);
      if (one.streamId === id && one.type === FRAME.DATA) {
        bytes += one.payload.byteLength;
      }
    }
    await client.send(reset(id), windowUpdate(0, 64 * KIB));
  }
  await client.ping();
  const grown = (await child.status()).rssBytes - rssBytes;
  assert.ok(grown < 200 * MIB, `grew by ${grown / MIB} MiB`);
  assert.equal((await askFor(honest, ECHO_PATH, 1)).byteLength, 4);
  honest.close();
});

Deno.test("clients that vanish in the middle of large replies leave the server alive", async () => {
  await using child = await ChildServer.start();
  for (let i = 0; i < 30; i++) {
    using client = await RawClient.open(child.port, 2 ** 31 - 1);
    await client.send(
      ask(1, FRAMED_PATH, 8 * MIB),
      ask(3, PLAIN_PATH, 8 * MIB),
    );
    while ((await client.next())?.type !== FRAME.DATA) { /* until it flows */ }
  }
  const honest = connectTo(child.port);
  assert.equal((await askFor(honest, ECHO_PATH, 1)).byteLength, 4);
  honest.close();
});
