/**
 * A client to be killed or frozen: moves values of 64 MiB up or down on a few
 * connections until then, or idles on one, and says when it has begun.
 *
 * @module
 */

import { RemoteClient } from "../support/clients.ts";
import { Upload } from "./upload.ts";

const [direction, address, namespace, key] = Deno.args as [
  string,
  string,
  string,
  string,
];
const CONNECTIONS = 3;
const VALUE_BYTES = 63 * 1024 * 1024;
const port = Number(address.slice(address.lastIndexOf(":") + 1));

async function up(): Promise<void> {
  using client = new RemoteClient(address);
  const { id } = await client.assigned(namespace, crypto.randomUUID());
  const valueBytes = VALUE_BYTES;
  // Two thirds, and no more: the kill comes in mid-upload for certain.
  const sentBytes = VALUE_BYTES * 2 / 3;
  using upload = await Upload.begin(port, {
    id: BigInt(id),
    valueBytes,
    sentBytes,
  });
  await upload.run();
  console.log("begun");
  await new Promise(() => {});
}

async function down(): Promise<void> {
  using client = new RemoteClient(address);
  console.log("begun");
  for (;;) await client.get(namespace, key, { assign: false });
}

async function idle(): Promise<void> {
  using client = new RemoteClient(address);
  await client.get(namespace, key, { assign: false });
  console.log("begun");
  await new Promise(() => {});
}

if (direction === "idle") await idle();
await Promise.all(
  Array.from({ length: CONNECTIONS }, direction === "up" ? up : down),
);
