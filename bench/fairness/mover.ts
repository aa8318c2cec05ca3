/**
 * Moves values of 64 MiB as fast as one client can, in a process of its own:
 * `mover.ts ADDRESS set|get`. A line in asks how much has been moved, a line
 * out tells.
 *
 * @module
 */

import { MAX_WINDOW_BYTES } from "../../src/http2/limits.ts";
import { windowUpdate } from "../../src/http2/testing/frame_bytes.ts";
import { GET, get } from "../../tests/rude/messages.ts";
import { asking, NS } from "../../tests/soak/site.ts";
import { UploadFrames } from "../../tests/soak/upload_frames.ts";
import { idAndPath } from "../../tests/support/reply_heads.ts";
import { RawClient } from "../../tests/support/raw_client.ts";
import { answerLines } from "../../tests/support/reporting_child.ts";

/** The server takes messages of 64 MiB by default, the envelope included. */
const VALUE_BYTES = 64 * 1024 * 1024 - 16 * 1024;
const [address, direction] = Deno.args as [string, "set" | "get"];
const port = Number(address.slice(address.lastIndexOf(":") + 1));
const KEY = "fairness large";

let movedBytes = 0;
/** Answers that were Loading: there was no room for the value. */
let loading = 0;

/** A connection that lasts as long as it likes. */
function connect(): Promise<RawClient> {
  return RawClient.open(port, { windowBytes: MAX_WINDOW_BYTES });
}

/** What a reply without room, or time, for the value has. */
const LOADING_BYTES = 7;

/** `undefined`: the value is there already. */
async function assigned(key: string): Promise<bigint | undefined> {
  using connection = await connect();
  await connection.send(asking(GET)(key, true));
  const answer = await connection.outcome(1);
  if (answer.dataBytes === LOADING_BYTES) return await assigned(key);
  if (answer.dataBytes > VALUE_BYTES) return undefined;
  return idAndPath("Get", answer).id;
}

const frames = new UploadFrames(1, VALUE_BYTES);

/** Publishes a value; the connection lasts for one, as usual clients' do. */
async function set(key: string): Promise<void> {
  const id = await assigned(key);
  if (id === undefined) return;
  using connection = await connect();
  while (connection.received.settled === 0 && await connection.read());
  await frames.send(connection, id);
  const { how, dataBytes } = await connection.outcome(1);
  if (how !== "answered" || dataBytes === 0) {
    throw new Error(`Set: ${how} with ${dataBytes} bytes`);
  }
  movedBytes += VALUE_BYTES;
  await connection.goodbye();
}

async function sets(): Promise<void> {
  for (let i = 0;; i++) await set(`${crypto.randomUUID()} ${i}`);
}

async function gets(): Promise<void> {
  using connection = await connect();
  for (let stream = 1;; stream += 2) {
    await connection.send(get(stream, NS, KEY));
    const { how, dataBytes } = await connection.outcome(stream);
    if (how !== "answered") throw new Error(`Get: ${how}`);
    if (dataBytes < VALUE_BYTES) loading++;
    else movedBytes += dataBytes;
    await connection.send(windowUpdate(0, dataBytes));
  }
}

if (direction === "get") {
  await set(KEY);
  movedBytes = 0;
}
await Promise.all([
  answerLines(() => ({ movedBytes, loading })),
  direction === "set" ? sets() : gets(),
]);
