import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { Socket } from "node:net";
import { Connection } from "./connection.ts";
import { DrainLoop } from "./drain_loop.ts";
import { hardenSession, hardenStream } from "./hardened_connection.ts";
import type { SessionHandle } from "./internals.ts";
import { resolveOptions } from "./options.ts";
import { Sweeper } from "./sweeper.ts";
import { curesOff } from "./testing/cures_off.ts";
import { UnfinishedRequests } from "./unfinished_requests.ts";

/** A session as some other Deno might make it. */
class OtherSession extends EventEmitter {
  destroyed = false;
  close(): void {}
  destroy(): void {
    this.destroyed = true;
  }
  setLocalWindowSize(): void {}
}

function harden(session: OtherSession) {
  const warnings: string[] = [];
  const options = resolveOptions(
    { warn: (message) => warnings.push(message) },
    curesOff(),
  );
  const sweeper = new Sweeper(options);
  const hardened = hardenSession(
    session as unknown as ServerHttp2Session,
    options,
    { sweeper, unfinished: new UnfinishedRequests(options) },
  );
  sweeper.stop();
  return { hardened, options, warnings };
}

/** A handle with everything on its prototype, as native code makes it. */
function nativeHandle(without: string): SessionHandle {
  const methods = [
    "receive",
    "sendPending",
    "getOutgoingChunk",
    "hasPendingData",
    "destroy",
  ].filter((name) => name !== without);
  const prototype = Object.fromEntries(methods.map((name) => [name, () => {}]));
  return Object.create(prototype);
}

Deno.test("a session whose fields are named otherwise is served bare, with a warning", () => {
  const { hardened, warnings } = harden(new OtherSession());
  assert.equal(hardened.loop, undefined);
  assert.match(warnings.join(), /OFF.*handle or socket/);
});

Deno.test("a handle that lacks a method is served bare, with a warning", () => {
  const session = Object.assign(new OtherSession(), {
    [Symbol("kHandle")]: nativeHandle("getOutgoingChunk"),
    [Symbol("socket")]: new Socket(),
  });
  const { hardened, warnings } = harden(session);
  assert.equal(hardened.loop, undefined);
  assert.match(warnings.join(), /OFF/);
});

Deno.test("a handle that sends by itself keeps doing so; the other cures stay", () => {
  const session = Object.assign(new OtherSession(), {
    [Symbol("kHandle")]: nativeHandle("nothing"),
    [Symbol("socket")]: new Socket(),
  });
  const { hardened, warnings } = harden(session);
  assert.equal(hardened.loop, undefined);
  assert.deepEqual(warnings, [
    "HTTP/2 stream floods are NOT stopped: this Deno hides its streams",
    "HTTP/2 backpressure is OFF: this Deno sends frames otherwise",
  ]);
  assert.equal(Object.hasOwn(session, "close"), true);
});

Deno.test("a session is destroyed when its socket closes, if Deno does not do so", async () => {
  const socket = new Socket();
  const session = Object.assign(new OtherSession(), {
    [Symbol("kHandle")]: nativeHandle("nothing"),
    [Symbol("socket")]: socket,
  });
  harden(session);
  socket.emit("close");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(session.destroyed, true);
});

Deno.test("a stream whose handle is hidden is served, with a warning", () => {
  const { hardened, options, warnings } = harden(new OtherSession());
  const stream = new EventEmitter() as unknown as ServerHttp2Stream;
  hardenStream(stream, hardened, options);
  assert.match(warnings.join(), /slices are OFF/);
});

Deno.test("a drain loop needs a loop of Deno's to replace", () => {
  const handle = nativeHandle("nothing");
  const connection = new Connection(
    new OtherSession() as unknown as ServerHttp2Session,
    { handle, socket: new Socket() },
    0,
  );
  assert.equal(DrainLoop.install(connection, 1), undefined);
  handle.sendPending = () => {};
  assert.ok(DrainLoop.install(connection, 1) !== undefined);
});
