/** The way through a proxy, whatever it answers. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { throughProxy } from "./http_connect.ts";

const OPTIONS = {
  "grpc.http_connect_target": "dns:larder.example:28056",
  "grpc.http_connect_creds": "user:secret",
};

/** Runs with a connection to a proxy that answers with these pieces. */
async function withProxy(
  pieces: readonly string[],
  run: (socket: Socket) => Promise<void>,
): Promise<string> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answered = (async () => {
    using client = await listener.accept();
    const buffer = new Uint8Array(1_024);
    const length = await client.read(buffer) ?? 0;
    for (const piece of pieces) {
      await client.write(new TextEncoder().encode(piece));
    }
    return new TextDecoder().decode(buffer.subarray(0, length));
  })();
  const { hostname: host, port } = listener.addr;
  const socket = connect({ host, port });
  try {
    await once(socket, "connect");
    await run(socket);
  } finally {
    socket.destroy();
  }
  return await answered;
}

Deno.test("a proxy is asked for the way, and what comes after its answer is the server's", async () => {
  for (
    const pieces of [
      ["HTTP/1.1 200 OK\r\nvia: x\r\n\r\nhello"],
      ["HTTP/1.0 200\r", "\n\r", "\nhel", "lo"],
    ]
  ) {
    const asked = await withProxy(pieces, async (socket) => {
      await throughProxy(socket, OPTIONS);
      let come = "";
      for await (const bytes of socket) come += bytes;
      assert.equal(come, "hello");
    });
    assert.equal(
      asked,
      "CONNECT larder.example:28056 HTTP/1.1\r\n" +
        "Host: larder.example:28056\r\n" +
        "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n",
    );
  }
});

for (
  const [answer, why] of [
    ["HTTP/1.1 407 Who?\r\n\r\n", "the proxy answers with 407"],
    ["SSH-2.0-x\r\n\r\n", "what answers there is no proxy"],
    ["x".repeat(20_000), "what answers there is no proxy"],
    ["HTTP/1.1 200 OK\r\n", "the proxy has closed the connection"],
  ] as const
) {
  Deno.test(`a proxy that says ${answer.slice(0, 15).trim()} is refused`, async () => {
    await withProxy([answer], async (socket) => {
      await assert.rejects(throughProxy(socket, OPTIONS), { message: why });
    });
  });
}

Deno.test("without a proxy nothing is asked", async () => {
  await withProxy(["hello"], async (socket) => {
    await throughProxy(socket, {});
    socket.end("direct");
    let come = "";
    for await (const bytes of socket) come += bytes;
    assert.equal(come, "hello");
  });
});
