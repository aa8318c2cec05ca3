/** Requests that are begun by the thousand, and never end. */

import assert from "node:assert/strict";
import { data, headers } from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { RemoteClient } from "../support/clients.ts";
import { RawClient } from "../support/raw_client.ts";
import { rejectsWith } from "../support/status.ts";
import { eachOf } from "../support/waiting.ts";
import { type Arena, NS, type RudeCase, rudeTest } from "./arena.ts";
import { callFields, GET, message, SET } from "./messages.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** As many calls as a client may have open. */
const CALLS = 256;
/** Small enough to go out before the server's larger windows are known. */
const PIECE_BYTES = 15 * KIB;
const ANNOUNCED_BYTES = 60 * MIB;
/** What the common client gives a call. */
const DEADLINE_MS = 1_000;

/** Opens connections, sends what `begin` makes, and keeps them open. */
async function beside(
  { port }: Arena,
  connections: number,
  begin: (client: RawClient) => Promise<unknown>,
  then: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  using stack = new DisposableStack();
  await eachOf(connections, 4, async () => {
    const client = stack.use(await RawClient.greeted(port));
    await begin(client);
    // Until all of it was read, or the server hung up.
    await client.answersPing();
  });
  await then();
}

/** Connections of 256 calls each that have begun in some way. */
function begun(
  name: string,
  connections: number,
  begin: (stream: number) => Uint8Array,
): RudeCase {
  const calls = Array.from({ length: CALLS }, (_, i) => begin(2 * i + 1));
  const packet = join(...calls);
  return {
    name,
    run: (arena) => beside(arena, connections, (one) => one.send(packet)),
  };
}

function pieces(stream: number, content: Uint8Array): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    frames.push(data(stream, content.subarray(at, at + PIECE_BYTES)));
  }
  return join(headers(stream, callFields(SET)), ...frames);
}

/** 100 uploads of 60 MiB of which only so much comes; others are served. */
function announced(name: string, sentBytes: number): RudeCase {
  const upload = pieces(
    1,
    message(new Uint8Array(sentBytes), { announcedBytes: ANNOUNCED_BYTES }),
  );
  return {
    name,
    run: (arena) =>
      beside(
        arena,
        100,
        (client) => client.send(upload),
        () => transfers(arena),
      ),
  };
}

/** A polite client moves values of every size, each call within its second. */
async function transfers({ remote }: Arena): Promise<void> {
  using client = new RemoteClient(remote);
  const options = { deadlineMs: DEADLINE_MS };
  for (const sizeBytes of [KIB, 60 * KIB, 500 * KIB, 3 * MIB]) {
    const key = crypto.randomUUID();
    const { id } = await client.assigned(NS, key);
    const value = new Uint8Array(sizeBytes);
    await client.call("Set", { id, value }, options);
    const { ready } = await client.get(NS, key, { ...options, assign: false });
    assert.ok(ready instanceof Uint8Array, `${sizeBytes} bytes are ready`);
    assert.equal(ready.length, sizeBytes);
  }
  await rejectsWith("INVALID_ARGUMENT", client.set("1", "no such id"));
}

const cases: RudeCase[] = [
  begun(
    "300 connections, 256 calls each, HEADERS and no body",
    300,
    (stream) => headers(stream, callFields(GET)),
  ),
  begun(
    "40 connections, 256 bodies of 15 KiB each that lack a byte",
    40,
    (stream) =>
      pieces(
        stream,
        message(new Uint8Array(PIECE_BYTES - 6), {
          announcedBytes: PIECE_BYTES - 5,
        }),
      ),
  ),
  announced("100 uploads of 60 MiB are announced, and a byte of each comes", 1),
  announced("100 uploads of 60 MiB, of which 45 KiB come", 45 * KIB),
];

rudeTest("requests that never end leave room for others", cases);
