/** All connections together: who makes place when there are too many. */

import assert from "node:assert/strict";
import { encodeHeaders } from "./hpack/mod.ts";
import { FrameType } from "./frames.ts";
import { frame, ping, request } from "./testing/frame_bytes.ts";
import { turns } from "./testing/pipe.ts";
import { ServedPipes } from "./testing/served_pipe.ts";

const HEAD = encodeHeaders([[":status", "200"]]);
const FIRST = [`GOAWAY ${2 ** 31 - 1} NO_ERROR`, "PING"];
const GOODBYE = frame(
  FrameType.PING,
  1,
  0,
  new TextEncoder().encode("goodbye!"),
);

/** Clients that came one after the other, the oldest first. */
async function threeClients(served: ServedPipes) {
  const clients = [];
  for (let at = 0; at < 3; at++) {
    served.nowMs++;
    assert.equal(served.connections.makeRoom(), true);
    clients.push(await served.ready());
  }
  return clients;
}

Deno.test("the idlest connection says goodbye, and its last call is answered", async () => {
  const served = new ServedPipes({ maxConnections: 3 });
  const { connections } = served;
  const clients = await threeClients(served);
  const [first, second, third] = clients;
  served.nowMs += 10;
  // The first was used since, the second is in use.
  first!.pipe.send(ping());
  second!.pipe.send(request(1));
  await turns();
  await first!.received();
  served.nowMs += 10;
  assert.equal(connections.makeRoom(), true);
  assert.deepEqual(served.drops, ["crowded"]);
  assert.deepEqual(await third!.received(), FIRST);
  // A call that crossed the goodbye.
  third!.pipe.send(request(1), GOODBYE);
  assert.deepEqual(await third!.received(), ["GOAWAY 1 NO_ERROR"]);
  served.streams.get(1)!.headers(HEAD, true);
  assert.deepEqual(await third!.received(), [
    "HEADERS 1 :status=200 END_STREAM",
  ]);
  assert.equal(third!.pipe.isWriteClosed, true);
  third!.pipe.end();
  await third!.ended;
  assert.equal(connections.size, 2);
  await served.end();
});

Deno.test("who calls all the time is not the idlest, however old the connection is", async () => {
  const served = new ServedPipes({ maxConnections: 3 });
  const { connections } = served;
  const clients = await threeClients(served);
  // All were used since they came: the oldest one last.
  for (const client of clients.toReversed()) {
    served.nowMs += 10;
    client.pipe.send(ping());
    await turns();
    await client.received();
  }
  served.nowMs += 10;
  assert.equal(connections.makeRoom(), true);
  assert.deepEqual(served.drops, []);
  for (const client of clients.toReversed()) {
    served.nowMs += 10;
    connections.makeRoom();
    assert.deepEqual(await client.received(), FIRST);
  }
  await served.end();
});

Deno.test("a client that was asked to go has a second", async () => {
  const served = new ServedPipes({ maxConnections: 1 });
  const client = await served.ready();
  served.nowMs += 10;
  assert.equal(served.connections.makeRoom(), true);
  assert.deepEqual(await client.received(), FIRST);
  served.pass(1_000);
  assert.deepEqual(await client.received(), ["GOAWAY 0 NO_ERROR"]);
  // It neither reads nor closes.
  served.pass(3_000);
  await client.ended;
  assert.equal(served.connections.size, 0);
  await served.end();
});

Deno.test("there is a hard bound, and busy connections stay", async () => {
  const served = new ServedPipes({ maxConnections: 10 });
  const { connections } = served;
  let accepted = 0;
  for (let at = 0; at < 20; at++) {
    served.nowMs++;
    if (!connections.makeRoom()) continue;
    accepted++;
    const { pipe } = await served.ready();
    pipe.send(request(1));
    await turns();
  }
  assert.equal(accepted, 11);
  assert.equal(connections.size, 11);
  assert.deepEqual(served.drops, []);
  assert.equal(served.warnings.length, 1);
  assert.match(served.warnings[0]!, /--max-connections/);
  await served.end();
});

Deno.test("nobody is asked to go twice", async () => {
  const served = new ServedPipes({ maxConnections: 2 });
  const clients = [await served.ready(), await served.ready()];
  for (let at = 0; at < 5; at++) {
    served.nowMs++;
    served.connections.makeRoom();
  }
  assert.deepEqual(served.drops, ["crowded", "crowded"]);
  for (const client of clients) {
    assert.deepEqual(await client.received(), FIRST);
  }
  await served.end();
});

Deno.test("a connection that has said nothing yet goes without a word", async () => {
  const served = new ServedPipes();
  const { pipe, connection, ended } = served.open();
  connection.goAway();
  served.pass(1_000);
  assert.equal((await pipe.written()).length, 0);
  assert.equal(pipe.isWriteClosed, true);
  pipe.end();
  await ended;
  await served.end();
});

Deno.test("what is lent comes back after any number of conversations", async () => {
  const served = new ServedPipes({ maxConnections: 50 });
  for (let round = 0; round < 50; round++) {
    const { pipe } = await served.ready((stream) => ({
      data() {},
      end: () => stream.respond(HEAD, [new Uint8Array(70_000)], HEAD),
      closed() {},
    }));
    pipe.send(new Uint8Array(0), request(1), ping());
  }
  await turns();
  await served.end();
});
