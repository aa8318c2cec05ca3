/**
 * Clients that never get as far as a call, or get stuck in one.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Flag, FrameType } from "../../src/http2/frames.ts";
import { encodeHeaders } from "../../src/http2/hpack/mod.ts";
import {
  data,
  frame,
  headers,
  ping,
  PREFACE,
  settings,
} from "../../src/http2/testing/frame_bytes.ts";
import { bytes, hex, join } from "../../src/http2/testing/octets.ts";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import type { RudeCase, RudeKind } from "./arena.ts";
import { call, callFields, GET, getRequest, message } from "./messages.ts";

/** RFC 9113, 7. */
const PROTOCOL_ERROR = 1;
/** How many do the same at once. */
const CROWD = 50;

/** The first bytes of OpenSSL, Go and browsers on a port that speaks plainly. */
const CLIENT_HELLO = join(
  hex("16 03 01 00 7b 01 00 00 77 03 03"),
  new Uint8Array(32).fill(0x5a),
  hex("00 00 06 13 01 13 02 13 03 01 00 00 48"),
  hex("00 10 00 05 00 03 02 68 32 00 2b 00 03 02 03 04"),
  new Uint8Array(52),
);

/** Says something that is not HTTP/2; the server must hang up. */
function refused(
  name: string,
  said: Uint8Array,
  expect: (client: RawClient) => Promise<void>,
): RudeCase {
  return {
    name,
    run: (arena) =>
      eachOf(CROWD, 10, async () => {
        using client = await RawClient.connect(arena.port);
        await client.send(said);
        await expect(client);
      }),
  };
}

/** A plain line, which people can read who point curl at the port. */
async function toldInHttp1(client: RawClient): Promise<void> {
  const answer = new TextDecoder().decode(await client.words());
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(answer, /\r\n\r\nThis is a gRPC server: .*\n$/);
}

/** A TLS client understands nothing of what we could say. */
async function toldNothing(client: RawClient): Promise<void> {
  assert.equal((await client.words()).length, 0);
}

/** The rest may be HTTP/2 gone wrong. */
async function toldInHttp2(client: RawClient): Promise<void> {
  assert.equal(await client.closed(), PROTOCOL_ERROR);
}

/**
 * Says something and falls silent, and all the others too. When the server ends
 * it is a matter of its timers; that it serves others meanwhile is ours.
 */
function silent(
  name: string,
  say: (client: RawClient) => Promise<unknown>,
): RudeCase {
  return {
    name,
    async run({ port }) {
      using stack = new DisposableStack();
      await eachOf(CROWD, 10, async () => {
        await say(stack.use(await RawClient.connect(port)));
      });
      using other = await RawClient.open(port);
      assert.ok(await other.answersPing());
    },
  };
}

/** Greets as HTTP/2 wants it. */
function greet(...more: Uint8Array[]): Uint8Array {
  return join(PREFACE, settings(), ...more);
}

const block = encodeHeaders(callFields(GET));
const half = (whole: Uint8Array) => whole.subarray(0, whole.length / 2);

const upgrade = "GET / HTTP/1.1\r\nHost: rude\r\nConnection: Upgrade, " +
  "HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";

const cases: RudeCase[] = [
  refused(
    "an HTTP/1 GET",
    bytes("GET / HTTP/1.1\r\nHost: rude\r\n\r\n"),
    toldInHttp1,
  ),
  refused(
    "an HTTP/1 POST with a body",
    bytes(`POST ${GET} HTTP/1.1\r\n\r\n{}`),
    toldInHttp1,
  ),
  refused("an upgrade from HTTP/1 to h2c", bytes(upgrade), toldInHttp1),
  refused("a TLS ClientHello on the plain port", CLIENT_HELLO, toldNothing),
  refused("an SSH client", bytes("SSH-2.0-OpenSSH_9.2p1\r\n"), toldInHttp2),
  refused("a megabyte of zeros", new Uint8Array(1_000_000), toldInHttp2),
  refused(
    "a preface whose last byte is wrong",
    join(PREFACE.slice(0, -1), bytes("x")),
    toldInHttp2,
  ),
  refused(
    "a preface and then HEADERS instead of SETTINGS",
    join(PREFACE, call(1, GET, getRequest("a", "b"))),
    toldInHttp2,
  ),
  silent("not a word", () => Promise.resolve()),
  silent("half a preface, and silence", (client) => client.send(half(PREFACE))),
  silent("a preface, and silence", (client) => client.send(PREFACE)),
  silent(
    "half a frame's header, and silence",
    (client) => client.send(greet(ping().subarray(0, 5))),
  ),
  silent(
    "HEADERS without their end, and silence",
    (client) => client.send(greet(frame(FrameType.HEADERS, 0, 1, half(block)))),
  ),
  silent(
    "HEADERS cut in the middle, and silence",
    (client) =>
      client.send(
        greet(
          half(
            frame(FrameType.HEADERS, Flag.END_HEADERS, 1, block),
          ),
        ),
      ),
  ),
  silent(
    "a half-open call: HEADERS without a body",
    (client) => client.send(greet(headers(1, callFields(GET)))),
  ),
  silent(
    "a half-open call whose client has closed its half",
    async (client) => {
      await client.send(greet(headers(1, callFields(GET))));
      await client.finish();
    },
  ),
  silent("half a body, and then answers to PINGs only", async (client) => {
    const body = half(message(new Uint8Array(100_000)));
    await client.send(greet(headers(1, callFields(GET)), data(1, body)));
    assert.ok(await client.answersPing());
  }),
  {
    name: "a polite call, one byte at a time",
    async run({ port }) {
      using client = await RawClient.connect(port);
      const talk = greet(call(1, GET, getRequest("tests.rude", "drip")));
      for (const byte of talk) await client.send(new Uint8Array([byte]));
      const { how, fields } = await client.outcome(1);
      assert.equal(how, "answered");
      assert.equal(fields.get("grpc-status"), "0");
    },
  },
];

/** The kind. */
export const NOT_HTTP2: RudeKind = {
  name: "clients that do not speak HTTP/2, or stop speaking, are survived",
  cases: cases,
};
