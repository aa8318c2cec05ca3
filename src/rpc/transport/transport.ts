/**
 * grpc-js on Deno's HTTP/2, hardened against what its clients do.
 *
 * The cures sit below grpc-js, on the HTTP/2 servers that it creates, and leave
 * everything else in the process alone: clients, and servers made elsewhere.
 *
 * @module
 */
import * as grpc from "@grpc/grpc-js";
import {
  constants,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { guardStreams, type StreamListener } from "./guarded_streams.ts";
import {
  type Cures,
  type ResolvedOptions,
  resolveOptions,
  type TransportOptions,
} from "./options.ts";
import { OpenCalls } from "./open_calls.ts";
import { unpackingAvailable } from "./packed_messages.ts";
import { compressionRefused } from "./plain_messages.ts";
import { preframedAvailable } from "./preframed.ts";
import { announcementsAvailable } from "./announced_messages.ts";
import {
  type HardenedConnection,
  hardenSession,
  hardenStream,
} from "./hardened_connection.ts";
import { Sweeper } from "./sweeper.ts";
import { UnfinishedRequests } from "./unfinished_requests.ts";
import { onceEach } from "./warnings.ts";

export type { DropReason, TransportOptions } from "./options.ts";

/**
 * From this share of the connections on, each newcomer costs an idle one its
 * place: what is left is room for those who come while it says goodbye.
 */
const CROWDED_FRACTION = 0.9;

/** The private method of grpc-js through which each HTTP/2 server passes. */
interface ServerInternals {
  _setupHandlers?(server: Http2Server, interceptors: unknown): void;
}

/**
 * Makes a grpc-js server whose HTTP/2 connections are hardened.
 *
 * @param options Its limits, and where its warnings go.
 * @param cures Cures to switch off. For tests only.
 * @returns A grpc-js server, used as any other.
 */
export function createHardenedServer(
  options: TransportOptions,
  cures: Partial<Cures> = {},
): grpc.Server {
  const resolved = resolveOptions(options, cures);
  resolved.warn = onceEach(resolved.warn);
  const server = new grpc.Server({
    "grpc.max_concurrent_streams": resolved.maxConcurrentStreams,
    "grpc.keepalive_time_ms": resolved.keepaliveMs,
    "grpc.keepalive_timeout_ms": resolved.keepaliveTimeoutMs,
    ...options.serverOptions,
  });
  const internals = server as unknown as ServerInternals;
  const setup = internals._setupHandlers;
  if (resolved.cures.mediaType) {
    // Deno lacks this constant; without it grpc-js answers with HTTP 200.
    (constants as Record<string, unknown>)
      .HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE ??= 415;
  }
  if (typeof setup !== "function") {
    resolved.warn(
      "HTTP/2 hardening is OFF: this grpc-js has no _setupHandlers",
    );
    return server;
  }
  if (!preframedAvailable()) {
    resolved.warn(
      "Pre-framed replies are copied: this grpc-js has no serializeMessage",
    );
  }
  if (!compressionRefused()) {
    resolved.warn(
      "Compressed requests are inflated without a bound: this grpc-js has no " +
        "decompressMessage",
    );
  }
  if (!unpackingAvailable()) {
    resolved.warn(
      "Tiny messages are taken all at once: this grpc-js has no startRead",
    );
  }
  if (resolved.requestBudget !== undefined && !announcementsAvailable()) {
    resolved.warn(
      "Requests are not counted: this grpc-js has no handleDataFrame",
    );
  }
  internals._setupHandlers = (http2Server, interceptors) => {
    hardenServer(http2Server, resolved, () => {
      setup.call(server, http2Server, interceptors);
    });
  };
  return server;
}

/** Puts our listeners around those that `attach` adds. */
function hardenServer(
  server: Http2Server,
  options: ResolvedOptions,
  attach: () => void,
): void {
  const connections = new WeakMap<ServerHttp2Session, HardenedConnection>();
  const sweeper = new Sweeper(options);
  const unfinished = new UnfinishedRequests(options);
  const openCalls = options.cures.openCalls
    ? new OpenCalls(options.maxOpenCalls)
    : undefined;
  const { cures, maxConnections } = options;
  // When descriptors run out, the listener goes deaf without an error.
  if (cures.maxConnections) server.maxConnections = maxConnections;
  server.on("close", () => sweeper.stop());
  if (cures.receiveWindows) {
    server.updateSettings({
      initialWindowSize: options.streamReceiveWindowBytes,
    });
  }
  server.on("session", (session: ServerHttp2Session) => {
    const hardened = hardenSession(session, options, { sweeper, unfinished });
    connections.set(session, hardened);
    if (!cures.maxConnections) return;
    if (sweeper.size <= maxConnections * CROWDED_FRACTION) return;
    if (
      sweeper.dismissIdle(hardened.connection) || sweeper.size < maxConnections
    ) return;
    // Deno refuses the next one without an event.
    options.warn(
      `${sweeper.size} connections are busy, more are refused (maxConnections)`,
    );
  });
  server.on("stream", (stream) => {
    const session = stream.session as ServerHttp2Session | undefined;
    const hardened = session && connections.get(session);
    if (hardened === undefined) return;
    sweeper.touch(hardened.connection);
    hardenStream(stream as ServerHttp2Stream, hardened, options, openCalls);
  });
  const ours = server.listeners("stream").length;
  attach();
  if (!options.cures.guardedStreams) return;
  const listeners = server.listeners("stream") as StreamListener[];
  server.removeAllListeners("stream");
  for (const listener of listeners.slice(0, ours)) {
    server.on("stream", listener);
  }
  server.on("stream", guardStreams(listeners.slice(ours), options.warn));
}
