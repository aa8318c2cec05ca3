/**
 * The server that connectconformance starts: reads from its standard input what
 * kind of server is wanted, serves, and writes to its output where.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { addConformanceService } from "./conformance_service.ts";
import { messages, type StartRequest } from "./definitions.ts";
import { serve } from "./serve.ts";
import { systemClock } from "../../src/clock.ts";

/** Before each message: its length. */
const PREFIX_BYTES = 4;

async function read(bytes: number): Promise<Uint8Array> {
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes;) {
    const count = await Deno.stdin.read(all.subarray(at));
    if (count === null) throw new Error("the runner said nothing");
    at += count;
  }
  return all;
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

if (import.meta.main) {
  const { requestDeserialize, responseSerialize } = messages.Start!;
  const prefix = await read(PREFIX_BYTES);
  const length = new DataView(prefix.buffer).getUint32(0);
  const request = requestDeserialize(
    Buffer.from(await read(length)),
  ) as StartRequest;
  const { use_tls, server_creds, message_receive_limit } = request;
  const text = new TextDecoder();
  const { hostname, port } = await serve({
    services: (server) =>
      addConformanceService(server, () => systemClock.nowMs()),
    ...use_tls && server_creds && {
      tls: {
        cert: text.decode(server_creds.cert),
        key: text.decode(server_creds.key),
      },
    },
    ...message_receive_limit && { maxMessageBytes: message_receive_limit },
  });
  const answer = responseSerialize({
    host: hostname,
    port,
    ...use_tls && server_creds && { pem_cert: server_creds.cert },
  });
  const framed = new Uint8Array(PREFIX_BYTES + answer.length);
  new DataView(framed.buffer).setUint32(0, answer.length);
  framed.set(answer, PREFIX_BYTES);
  write(framed);
}
