/**
 * Applies the cures to one connection and to the streams on it.
 *
 * @module
 */
import {
  constants,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { Connection, linkStream } from "./connection.ts";
import { deferClose } from "./deferred_close.ts";
import { DrainLoop } from "./drain_loop.ts";
import { sessionHandle, sessionSocket, streamHandle } from "./internals.ts";
import type { DropReason, ResolvedOptions } from "./options.ts";
import type { OpenCalls } from "./open_calls.ts";
import { guardReceive } from "./receiving.ts";
import { watchBody } from "./request_bodies.ts";
import { sliceWrites } from "./sliced_writes.ts";
import type { Sweeper } from "./sweeper.ts";
import type { UnfinishedRequests } from "./unfinished_requests.ts";

/** A connection and what sends for it. */
export interface HardenedConnection {
  /** The connection. */
  readonly connection: Connection;
  /** Its drain loop, when this Deno lets us have one. */
  readonly loop: DrainLoop | undefined;
}

/**
 * Applies the cures to a new connection.
 *
 * @param session Its session.
 * @param options Limits and cures.
 * @param watch What looks after all connections of the server: `sweeper`
 * enforces the limits of time, `unfinished` that on requests.
 * @returns The connection.
 */
export function hardenSession(
  session: ServerHttp2Session,
  options: ResolvedOptions,
  watch: { sweeper: Sweeper; unfinished: UnfinishedRequests },
): HardenedConnection {
  const { sweeper } = watch;
  const { cures, warn } = options;
  const handle = sessionHandle(session);
  const socket = sessionSocket(session);
  const connection = new Connection(session, { handle, socket }, Date.now());
  connection.requestBudget = options.requestBudget;
  if (cures.unfinishedRequests) connection.unfinished = watch.unfinished;
  if (handle === undefined || socket === undefined) {
    warn(
      "HTTP/2 hardening is OFF but for broken calls: this Deno hides the " +
        "session's handle or socket",
    );
    return { connection, loop: undefined };
  }

  const destroy = handle.destroy;
  handle.destroy = (...args) => {
    // Native memory is freed: from here on nothing may touch the handle.
    connection.released = true;
    connection.endedMs = Date.now();
    destroy.apply(handle, args);
  };
  const drop = (reason: DropReason) => () => {
    options.onDrop(reason);
    connection.drop();
  };
  const counting = guardReceive(connection, {
    maxTrackedStreams: cures.streamFlood ? options.maxTrackedStreams : Infinity,
    onFlood: drop("streamFlood"),
    onShreds: cures.shreds ? drop("shreds") : undefined,
  });
  if (!counting) {
    warn("HTTP/2 stream floods are NOT stopped: this Deno hides its streams");
  }

  let loop: DrainLoop | undefined;
  if (cures.drainLoop) {
    loop = DrainLoop.install(connection, options.socketHighWaterBytes);
    if (loop === undefined) {
      warn("HTTP/2 backpressure is OFF: this Deno sends frames otherwise");
    }
  }
  deferClose(
    connection,
    loop === undefined || !cures.closingFlush
      ? (run) => run()
      : (run) => loop.flushAround(run),
    cures.deferredClose,
  );

  if (cures.sweep) sweeper.add(connection);
  session.once("remoteSettings", () => connection.handshaken = true);
  socket.once("close", () => {
    sweeper.remove(connection);
    if (!cures.socketClose) return;
    // A session whose socket closed with streams open is not always destroyed
    // by Deno, and would never be collected.
    setImmediate(() => session.destroy());
  });
  if (cures.receiveWindows) {
    session.setLocalWindowSize(options.connectionReceiveWindowBytes);
  }
  return { connection, loop };
}

/**
 * Applies the cures to a new stream.
 *
 * @param stream The stream, of which grpc-js has not heard yet.
 * @param on Its connection.
 * @param options Limits and cures.
 * @param openCalls Where calls are counted.
 */
export function hardenStream(
  stream: ServerHttp2Stream,
  on: HardenedConnection,
  options: ResolvedOptions,
  openCalls?: OpenCalls,
): void {
  const link = linkStream(stream, on.connection);
  if (stream.destroyed) return;
  if (openCalls?.add(stream, on.connection) === false) {
    link.refused = true;
    options.onDrop("manyCalls");
    // Native code may be on the stack. Nobody has seen the call: it may be sent again.
    setImmediate(() => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    return;
  }
  const handle = streamHandle(stream);
  if (handle === undefined) {
    options.warn("HTTP/2 slices are OFF: this Deno hides the stream's handle");
    return;
  }
  watchBody(stream, handle, link);
  if (!options.cures.slicedWrites || on.loop === undefined) return;
  const { sliceBytes } = options;
  if (!sliceWrites(stream, handle, link, { loop: on.loop, sliceBytes })) {
    options.warn("HTTP/2 slices are OFF: this Deno writes streams otherwise");
  }
}
