import assert from "node:assert/strict";
import { ChildServer } from "./testing/child_server.ts";
import { askFor, connectTo, ECHO_PATH } from "./testing/echo_service.ts";
import {
  ask,
  FRAME,
  frame,
  goaway,
  join,
  RawClient,
} from "./testing/raw_client.ts";

Deno.test("hundreds of clients that connect for one call and close leave the server alive", async () => {
  await using child = await ChildServer.start();
  const worker = async () => {
    for (let i = 0; i < 40; i++) {
      const client = connectTo(child.port);
      await askFor(client, ECHO_PATH, i);
      client.close();
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  assert.equal((await child.status()).callsServed, 400);
});

Deno.test("a GOAWAY in one packet with a call, polite or not, leaves the server alive", async () => {
  await using child = await ChildServer.start();
  // What follows the GOAWAY is parsed with a session that is already freed.
  const ping = frame(FRAME.PING, 0, 0, new Uint8Array(8));
  const after = join(...Array.from({ length: 50 }, () => ping));
  for (let i = 0; i < 60; i++) {
    using client = await RawClient.open(child.port);
    const call = i % 2 === 0 ? ask(1, ECHO_PATH, i) : ping;
    await client.send(call, goaway(i % 3), after);
    for await (const _ of client.frames()) { /* until the server closes */ }
  }
  assert.equal(child.dead, false);
  await child.status();
});

Deno.test("frames that break the protocol in the middle of calls leave the server alive", async () => {
  await using child = await ChildServer.start();
  const violations = [
    frame(FRAME.DATA, 0, 0, new Uint8Array(1)),
    frame(FRAME.SETTINGS, 0, 0, new Uint8Array(5)),
    frame(FRAME.WINDOW_UPDATE, 0, 0, new Uint8Array(4)),
    frame(FRAME.PING, 0, 1, new Uint8Array(8)),
    frame(FRAME.HEADERS, 4, 2, new Uint8Array(1)),
    frame(FRAME.RST_STREAM, 0, 99, new Uint8Array(4)),
  ];
  for (let i = 0; i < 10; i++) {
    for (const violation of violations) {
      using client = await RawClient.open(child.port);
      await client.send(ask(1, ECHO_PATH, i), violation, goaway(0), goaway(2));
      for await (const _ of client.frames()) { /* until the server closes */ }
    }
  }
  assert.equal(child.dead, false);
  await child.status();
});
