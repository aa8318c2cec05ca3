/**
 * Garbage is refused by every method, and does nothing.
 */

import { Buffer } from "node:buffer";
import { inBytes, methodOf } from "../support/grpc_client.ts";
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
  const method = inBytes(methodOf(SERVICE, name));
  const [message = Buffer.alloc(0)] = messages;
  if (method.requestStream) return client.requests(method, messages);
  if (!method.responseStream) return client.unary(method, message);
  return client.watched(method, message).next();
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
