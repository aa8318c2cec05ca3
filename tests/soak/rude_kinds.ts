/**
 * Clients that do not behave, at a small cost to themselves. What becomes of
 * their connections is theirs to bear; it must not become the server's.
 *
 * @module
 */

import {
  headers,
  PREFACE,
  reset,
  settings,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { FrameType } from "../../src/http2/frames.ts";
import { MALFORMATIONS } from "../rude/malformed_frames.ts";
import { call, callFields, GET, get, SET } from "../rude/messages.ts";
import { randomFrom } from "../rude/scale.ts";
import type { RawClient } from "../support/raw_client.ts";
import { COLD_VALUES, type Kind, NS, OPENING, type Site } from "./site.ts";
import { UploadFrames } from "./upload_frames.ts";

/** Longer than anybody waits, shorter than the server's own limits. */
const HOLD_MS = 3_000;
/** Replies that a reader asks for and never takes. */
const UNREAD = 8;
const UPLOAD_BYTES = 2 * 1024 * 1024;
/** As many streams as a burst opens and resets. */
const BURST = 500;
/** The same rubbish each time, so that a failure can be had again. */
const random = randomFrom(4);

const large = join(OPENING, get(1, NS, "large"));
const upload = new UploadFrames(1, UPLOAD_BYTES);
const resetFirst = reset(1);
const burst = join(
  OPENING,
  ...Array.from({ length: BURST }, (_, i) => {
    const stream = 2 * i + 1;
    return join(headers(stream, callFields(GET)), reset(stream));
  }),
);
const malformed = MALFORMATIONS.map(({ sent }) =>
  join(PREFACE, settings(), sent)
);

function rude(
  name: string,
  weight: number,
  visit: (connection: RawClient, site: Site) => Promise<unknown>,
): Kind {
  return {
    name,
    weight,
    isRude: true,
    async run(site) {
      const connection = await site.connect(site.remotePort, true);
      const stays = await visit(connection, site);
      if (stays !== true) connection[Symbol.dispose]();
    },
  };
}

/** Reads until bytes of the reply have come, or it has ended without any. */
async function readSome(connection: RawClient): Promise<void> {
  await connection.until(({ stream, type }) =>
    stream === 1 &&
    (type === FrameType.DATA || connection.received.hasEnded(1))
  );
}

/** Asks for values of its own, and looks away. */
function neverReads(site: Site): Uint8Array {
  const first = site.next() * UNREAD;
  return join(
    OPENING,
    ...Array.from(
      { length: UNREAD },
      (_, i) => get(2 * i + 1, NS, `cold ${(first + i) % COLD_VALUES}`),
    ),
  );
}

function garbage(): Uint8Array {
  const rubbish = Uint8Array.from({ length: 200 }, () => random() * 256);
  return join(OPENING, call(1, random() < 0.5 ? GET : SET, rubbish));
}

/** What these clients do, weighted. */
export const RUDE_KINDS: readonly Kind[] = [
  rude("RST_STREAM in mid-reply", 4, async (connection) => {
    await connection.send(large);
    await readSome(connection);
    await connection.send(resetFirst);
  }),
  rude("closed in mid-reply", 4, async (connection) => {
    await connection.send(large);
    await readSome(connection);
  }),
  rude("never reads", 2, async (connection, site) => {
    await connection.send(neverReads(site));
    site.hold(connection, HOLD_MS);
    return true;
  }),
  rude("killed in mid-upload", 3, async (connection, site) => {
    await connection.send(OPENING);
    await upload.send(connection, site.heldId, UPLOAD_BYTES / 2);
  }),
  rude("garbage protobuf", 5, async (connection) => {
    await connection.send(garbage());
    await connection.outcome(1);
  }),
  rude("malformed frames", 5, async (connection, site) => {
    await connection.send(malformed[site.next() % malformed.length]!);
    await connection.read();
  }),
  rude("a call broken off anywhere", 3, async (connection) => {
    const length = Math.floor(random() * large.length);
    await connection.send(large.subarray(0, length));
  }),
  rude("half a preface", 2, async (connection, site) => {
    await connection.send(PREFACE.subarray(0, 12));
    site.hold(connection, HOLD_MS);
    return true;
  }),
  rude("500 streams opened and reset", 1, async (connection) => {
    await connection.send(burst);
    await connection.read();
  }),
];
