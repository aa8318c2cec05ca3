/** An upload that breaks off, however it does, publishes nothing. */

import assert from "node:assert/strict";
import { Flag } from "../../src/http2/frames.ts";
import {
  data,
  goaway,
  headers,
  reset,
} from "../../src/http2/testing/frame_bytes.ts";
import { join } from "../../src/http2/testing/octets.ts";
import { callFields, message } from "../rude/messages.ts";
import { RawClient } from "../support/raw_client.ts";
import { until } from "../support/status.ts";
import { SERVICE } from "./client.ts";
import { withSiteHere } from "./support.ts";

const PUBLISH = SERVICE["Publish"]!;
/** Small enough to go out before the server's larger windows are known. */
const PIECE_BYTES = 15 * 1024;
/** The end of the connection races with what was sent before it. */
const TRIES = 20;

/** Frames of whole messages, of which none ends the stream. */
function frames(id: string, pieces: number): Uint8Array {
  const requests: object[] = [{ begin: { id } }];
  for (let at = 0; at < pieces; at++) {
    requests.push({ chunk: new Uint8Array(PIECE_BYTES) });
  }
  return join(
    headers(1, callFields(PUBLISH.path)),
    ...requests.map((request) =>
      data(1, message(PUBLISH.requestSerialize(request)))
    ),
  );
}

const ENDS: Record<string, Uint8Array> = {
  "the connection is closed": new Uint8Array(),
  "the client says GOAWAY, and closes": goaway(0),
  "the stream is reset, as if all were well": reset(1, 0),
  "the stream is reset": reset(1),
  "the stream is ended, and then reset": join(
    data(1, new Uint8Array(), Flag.END_STREAM),
    reset(1),
  ),
};

for (const [how, end] of Object.entries(ENDS)) {
  Deno.test(`an upload of which only a part came publishes nothing: ${how}`, () =>
    withSiteHere(async ({ remote, server }) => {
      const port = Number(server.remote.split(":").at(-1));
      for (let at = 0; at < TRIES; at++) {
        const { id } = await remote.assigned("ns", `${at}`);
        using client = await RawClient.greeted(port);
        const sent = frames(id, at % 4);
        // When the server is at it, before that, and in one packet with it.
        if (at % 3 === 0) await client.send(sent, end);
        else {
          await client.send(sent);
          if (at % 3 === 1) await client.answersPing();
          await client.send(end);
        }
      }
      // Whatever comes of it has come when all private files are gone.
      await until(
        () => Promise.resolve([...Deno.readDirSync(`${server.root}/.private`)]),
        (files) => files.length === 0,
      );
      const usage = await remote.call<{ namespaces: { entries: string }[] }>(
        "Usage",
      );
      const kept = usage.namespaces.filter(({ entries }) => entries !== "0");
      assert.deepEqual(kept, [], "only the work is there still");
    }));
}
