/**
 * Garbage is refused by every method, and does nothing.
 */

import { Buffer } from "node:buffer";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { rejectsWith } from "../support/status.ts";
import { type CacheClient, SERVICE } from "./client.ts";
import { withSiteHere } from "./support.ts";

/** A first field that is longer than the message, and a tag that is none. */
const GARBAGE = [Buffer.from([0x0a, 9, 1]), Buffer.from([0x07])];

function send(
  client: CacheClient,
  name: string,
  messages: readonly Buffer[],
): Promise<unknown> {
  const { path, requestStream, responseStream } = SERVICE[name]!;
  const same = (bytes: Buffer) => bytes;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const answer = (error: ServiceError | null, reply?: unknown) =>
    error ? reject(error) : resolve(reply);
  const { raw } = client;
  const metadata = new Metadata();
  const [message = Buffer.alloc(0)] = messages;
  if (requestStream) {
    const call = raw.makeClientStreamRequest(
      path,
      same,
      same,
      metadata,
      answer,
    );
    for (const each of messages) call.write(each);
    call.end();
  } else if (responseStream) {
    const call = raw.makeServerStreamRequest(
      path,
      same,
      same,
      message,
      metadata,
    );
    call.on("data", resolve);
    call.on("error", reject);
  } else {
    raw.makeUnaryRequest(path, same, same, message, metadata, answer);
  }
  return promise;
}

Deno.test("every method refuses what is no message of its own", async () => {
  await withSiteHere(async ({ remote, local }) => {
    for (const client of [remote, local]) {
      for (const name of Object.keys(SERVICE)) {
        // Two methods take no fields: to them an unknown field is none of theirs.
        for (const garbage of GARBAGE) {
          const sent = send(client, name, [garbage]);
          await rejectsWith("INVALID_ARGUMENT", sent, /well-formed/);
        }
      }
    }
  });
});

Deno.test("garbage inside Begin, and after it, ends a Publish and leaves the work", async () => {
  await withSiteHere(async ({ remote }) => {
    const { id } = await remote.assigned("ns", "k");
    const { requestSerialize } = SERVICE["Publish"]!;
    const begin = requestSerialize({ begin: { id } });
    const cut = Buffer.from([0x0a, 2, 0x12, 9]);
    for (const messages of [[cut], [begin, cut], [begin, GARBAGE[0]!]]) {
      const sent = send(remote, "Publish", messages);
      await rejectsWith("INVALID_ARGUMENT", sent, /well-formed/);
    }
    await remote.publish(id, [new Uint8Array(2)]);
  });
});
