/**
 * Deno's HTTP/2 aborts the process when a peer's GOAWAY ends a session from
 * inside native code, or when frames are sent from there. The server has its
 * cures; the clients of the tests live in a Deno too, and meet servers that stop.
 *
 * @module
 */

import http2, { type ClientHttp2Session } from "node:http2";
import { Connection } from "../connection.ts";
import { deferClose } from "../deferred_close.ts";
import { sessionHandle, sessionSocket } from "../internals.ts";

type ServerSession = ConstructorParameters<typeof Connection>[0];

const { connect } = http2;

function guard(session: ClientHttp2Session): void {
  // What the cure touches is the same on both sides.
  const both = session as unknown as ServerSession;
  const handle = sessionHandle(both);
  const socket = sessionSocket(both);
  if (!handle) throw new Error("this Deno hides the session's handle");
  const connection = new Connection(both, { handle, socket }, 0);
  const { receive, sendPending, destroy } = handle;
  handle.receive = (data) => {
    connection.native(() => receive.call(handle, data));
  };
  handle.destroy = (...args) => {
    connection.released = true;
    destroy.apply(handle, args);
  };
  handle.sendPending = () => {
    if (connection.released) return;
    if (connection.insideNative) setImmediate(() => handle.sendPending());
    else sendPending.call(handle);
  };
  deferClose(connection, (run) => run(), true);
}

// grpc-js looks `connect` up when it connects.
http2.connect = ((...args: Parameters<typeof connect>) => {
  const session = connect(...args);
  session.prependOnceListener("connect", () => guard(session));
  return session;
}) as typeof connect;
