/** Where no Larder answers it is said what there is, on Deno and on Node. */

import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer as createHttp2Server,
  type ServerHttp2Stream,
} from "node:http2";
import {
  type AddressInfo,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { asCacheError } from "../../src/client/cache_error.ts";
import { testAllOnEach } from "./runtimes.ts";
import { PROGRAM, run } from "./scenarios.ts";

/** Answers the first bytes of each connection with a text, and ends it. */
function answering(text: string): Server {
  return createServer((socket: Socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(text));
  });
}

/** Answers each call as servers of pages do. */
function pages(status: number): Server {
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": status, "content-type": "text/html" });
    stream.end("<html>no</html>");
  });
  return server;
}

/** What there is, and how that is said. */
const STRANGERS: Readonly<Record<string, readonly [() => Server, RegExp]>> = {
  "HTTP/1": [
    () => answering("HTTP/1.1 400 Bad Request\r\n\r\n"),
    /: an HTTP server answers there, and no Larder, so it may be the wrong port$/,
  ],
  "a hang-up": [
    () =>
      createServer((socket: Socket) => {
        socket.on("error", () => {});
        socket.end();
      }),
    /: what is there closes each connection without a word: a tunnel or a proxy/,
  ],
  "SSH": [
    () => answering("SSH-2.0-OpenSSH_9.2p1\r\n"),
    /: what answers there is no Larder, and no gRPC server, so it may be the/,
  ],
  "no more than a frame of HTTP/2": [
    () => answering("\0\0\0\x04\0\0\0\0\0rubbish, and nothing else"),
    /: what answers there ends the call as no gRPC server does, so it may be/,
  ],
  "HTTP/2 without the page": [
    () => pages(404),
    /: an HTTP server answers there with status 404, and no Larder, so it may/,
  ],
  "HTTP/2 with a page": [
    () => pages(200),
    /: what answers there ends the call as no gRPC server does, so it may be/,
  ],
};

testAllOnEach(
  "when the server stays away: it is said what there is instead",
  PROGRAM,
  Object.keys(STRANGERS),
  async (name, { command, allReady }) => {
    const [start, message] = STRANGERS[name]!;
    const server = start();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      await allReady();
      const { source, outages, stat } = await run(
        command("strangers", `127.0.0.1:${port}`, "300"),
      );
      assert.equal(source, "uncached");
      assert.match(outages[0]!, message);
      assert.doesNotMatch(`${stat}`, /original/);
    } finally {
      server.close();
    }
  },
);

Deno.test("a proxy that reaches nobody is away, and a page that is not there is no original server", () => {
  const error = (code: number, http: number) =>
    asCacheError({ code, details: `Received HTTP status code ${http}` }, "x");
  const [unavailable, unimplemented] = [14, 12];
  const away = error(unavailable, 503);
  assert.equal(away.code, "unavailable");
  assert.match(
    away.message,
    /status 503, .*: a proxy whose server is away, or/,
  );
  assert.equal(error(unimplemented, 404).code, "failed");
});
