import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import { connectionOf, createHardenedServer } from "./mod.ts";
import type { Connection } from "./mod.ts";
import {
  askFor,
  connectTo,
  ECHO_PATH,
  FRAMED_PATH,
  listen,
} from "./testing/echo_service.ts";
import { ChildServer } from "./testing/child_server.ts";
import { curesOff } from "./testing/cures_off.ts";
import { soon } from "./testing/soon.ts";
import { startEchoServer } from "./testing/in_process.ts";
import {
  FRAME,
  frame,
  PREFACE,
  RawClient,
  request,
  settings,
} from "./testing/raw_client.ts";

Deno.test("nothing is missing in this Deno and this grpc-js", async () => {
  using echo = await startEchoServer();
  const client = connectTo(echo.port);
  await askFor(client, ECHO_PATH, 1);
  client.close();
  assert.deepEqual(echo.warnings, []);
});

Deno.test("the receive windows are those of the options", async () => {
  using echo = await startEchoServer({
    streamReceiveWindowBytes: 300_000,
    connectionReceiveWindowBytes: 500_000,
  });
  using client = await RawClient.connect(echo.port);
  const ping = frame(FRAME.PING, 0, 0, new Uint8Array(8));
  await client.send(PREFACE, settings(), ping);
  let stream = 65_535;
  let connection = 65_535;
  // Windows are announced before what comes later is answered.
  let pongs = 0;
  for await (const one of client.frames()) {
    if (one.type === FRAME.PING) {
      if (++pongs === 2) break;
      await client.send(ping);
    }
    const view = new DataView(one.payload.buffer, one.payload.byteOffset);
    if (one.type === FRAME.WINDOW_UPDATE) connection += view.getUint32(0);
    if (one.type !== FRAME.SETTINGS) continue;
    for (let at = 0; at + 6 <= one.payload.byteLength; at += 6) {
      if (view.getUint16(at) === 4) stream = view.getUint32(at + 2);
    }
  }
  assert.equal(stream, 300_000);
  assert.equal(connection, 500_000);
});

Deno.test("a wrong content type is answered with 415", async () => {
  using echo = await startEchoServer();
  const client = http2.connect(`http://127.0.0.1:${echo.port}`);
  const stream = client.request({
    ":method": "POST",
    ":path": ECHO_PATH,
    "content-type": "text/html",
  });
  const status = await new Promise((resolve) => {
    stream.on("response", (headers) => resolve(headers[":status"]));
  });
  assert.equal(status, 415);
  client.destroy();
});

Deno.test("connections with calls stay, and one too many is refused", async () => {
  using echo = await startEchoServer({ maxConnections: 2 });
  using stack = new DisposableStack();
  for (let i = 0; i < 2; i++) {
    const client = stack.use(await RawClient.open(echo.port));
    // A request without its end is a call that is under way.
    await client.send(request(1, ECHO_PATH));
    await client.ping();
  }
  using third = await RawClient.connect(echo.port);
  assert.equal(await third.next(), undefined);
  assert.match(echo.warnings.join(), /2 connections are busy/);
});

Deno.test("idle connections make room for newcomers, the idlest first", async () => {
  using echo = await startEchoServer({ maxConnections: 20 });
  using first = await RawClient.open(echo.port);
  await first.ping();
  using stack = new DisposableStack();
  for (let i = 0; i < 40; i++) {
    const newcomer = stack.use(await RawClient.open(echo.port));
    await newcomer.ping();
  }
  // It was told, with a GOAWAY, and not just cut off.
  const types: number[] = [];
  const read = async () => {
    for await (const { type } of first.frames()) types.push(type);
  };
  await soon(read(), "the end of the idlest connection");
  assert(types.includes(FRAME.GOAWAY), types.join());
  assert.deepEqual(echo.warnings, []);
});

Deno.test("a crowd larger than the descriptor limit does not make the server deaf", async () => {
  await using child = await ChildServer.start({
    descriptors: 200,
    options: { maxConnections: 100 },
  });
  {
    using stack = new DisposableStack();
    const crowd = async () => {
      for (let i = 0; i < 250; i++) {
        const client = stack.use(await RawClient.connect(child.port));
        await client.send(PREFACE, settings()).catch(() => {/* refused */});
        // One at a time: what the system accepts ahead needs descriptors, too.
        await client.next();
      }
    };
    await soon(crowd(), "an answer or a refusal to each of a crowd");
  }
  // All of them have gone; a deaf server takes nobody in all the same.
  const served = async () => {
    using client = await RawClient.connect(child.port);
    await client.send(PREFACE, settings());
    return await client.next() !== undefined;
  };
  const newcomer = async () => {
    while (!await served()) await new Promise((done) => setTimeout(done, 10));
  };
  await soon(newcomer(), "a server that listens");
});

Deno.test("two servers in one process keep their own limits", async () => {
  using small = await startEchoServer({ maxConnections: 1 });
  using large = await startEchoServer();
  using stack = new DisposableStack();
  for (let i = 0; i < 3; i++) {
    const client = stack.use(await RawClient.open(large.port));
    await client.ping();
  }
  using only = await RawClient.open(small.port);
  await only.ping();
  using refused = await RawClient.connect(small.port);
  assert.equal(await refused.next(), undefined);
});

Deno.test("calls on one connection have one Connection, and others another", async () => {
  const server = createHardenedServer({
    warn: assert.fail,
    serverOptions: {
      // Interceptors wrap the call that knows the stream.
      interceptors: [(_, call) => new grpc.ServerInterceptingCall(call)],
    },
  }, curesOff());
  const port = await listen(server);
  const seen: (Connection | undefined)[] = [];
  const ended: Promise<void>[] = [];
  const path = "/test.Who/Am";
  const identity = (value: Buffer) => value;
  server.addService(
    {
      who: {
        path,
        requestStream: false,
        responseStream: false,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    },
    {
      who: (
        call: grpc.ServerUnaryCall<Buffer, Buffer>,
        reply: grpc.sendUnaryData<Buffer>,
      ) => {
        seen.push(connectionOf(call));
        ended.push(new Promise((resolve) => call.on("cancelled", resolve)));
        reply(null, call.request);
      },
    },
  );
  const one = connectTo(port);
  const other = connectTo(port);
  for (const client of [one, one, other]) await askFor(client, path, 0);
  await Promise.all(ended);
  assert.ok(seen[0] !== undefined);
  assert.equal(seen[0], seen[1]);
  assert.notEqual(seen[0], seen[2]);
  assert.equal(connectionOf({}), undefined);
  one.close();
  other.close();
  server.forceShutdown();
});

Deno.test("a server of plain grpc-js in the same process is left alone", async () => {
  using echo = await startEchoServer();
  const plain = new grpc.Server();
  const port = await listen(plain);
  // Its serializer marks frames as well, and the wrapper serves it.
  for (const target of [echo.port, port]) {
    const client = connectTo(target);
    assert.equal((await askFor(client, FRAMED_PATH, 100_000)).length, 100_000);
    client.close();
  }
  plain.forceShutdown();
});

Deno.test("a grpc-js that hides its servers costs one loud line, not the service", async () => {
  const warnings: string[] = [];
  const prototype = grpc.Server.prototype as unknown as Record<string, unknown>;
  const setup = prototype["_setupHandlers"];
  prototype["_setupHandlers"] = undefined;
  try {
    createHardenedServer(
      { warn: (message) => warnings.push(message) },
      curesOff(),
    );
  } finally {
    prototype["_setupHandlers"] = setup;
  }
  await Promise.resolve();
  assert.match(warnings.join(), /OFF/);
});
