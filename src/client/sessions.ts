/**
 * The HTTP/2 sessions of our channels, which grpc-js keeps to itself: its own
 * keepalive takes a connection for dead when the program has computed for longer
 * than its time-out, for it does not look at what has come meanwhile.
 *
 * @module
 */

import type { ClientOptions } from "@grpc/grpc-js";
import http2, { type ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/** Told of a session as soon as it is there. */
export type OnSession = (session: ClientHttp2Session, socket: Socket) => void;

/**
 * A number of its own for each channel: grpc-js gives this option, in which it
 * has the largest number itself, to `http2.connect`, with which it makes them.
 */
const TAG = "grpc-node.max_session_memory";

const listeners = new Map<number, OnSession>();
let lastTag = Number.MAX_SAFE_INTEGER;
let isInstalled = false;

/** The options of a channel of whose sessions somebody is told. */
export function toldOfSessions(
  onSession: OnSession,
): { readonly options: ClientOptions; readonly stop: () => void } {
  install();
  const tag = --lastTag;
  listeners.set(tag, onSession);
  return { options: { [TAG]: tag }, stop: () => listeners.delete(tag) };
}

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { connect } = http2;
  // grpc-js looks it up when it connects.
  http2.connect = ((...args: Parameters<typeof connect>) => {
    const session = connect(...args);
    const [, options] = args;
    if (typeof options !== "object") return session;
    const { maxSessionMemory: tag = 0, createConnection } = options;
    const onSession = listeners.get(tag);
    // It gives the socket that it has, and makes none.
    if (onSession && createConnection) {
      onSession(session, createConnection(new URL("http://x"), {}) as Socket);
    }
    return session;
  }) as typeof connect;
}
