/**
 * Keeps a client on Deno alive when its server goes away.
 *
 * Deno's `node:http2` is JavaScript over native nghttp2. Native code calls back
 * into JavaScript, and what is done there to the same session (closing or
 * destroying it, feeding it the next packet, sending) runs nghttp2 inside
 * itself: the process aborts, or spins for ever (denoland/deno issue 36788). A
 * server that stops makes that likely: its GOAWAY ends many calls at once. Here
 * whatever is asked of a session while its native code runs waits until it has
 * returned.
 *
 * Does nothing on Node, or on a Deno that hides these parts elsewhere.
 *
 * @module
 */

import http2, { type ClientHttp2Session } from "node:http2";

/** nghttp2's side of a session. */
interface Handle {
  receive(data: Uint8Array): void;
  sendPending(): void;
  getOutgoingChunk(): Uint8Array | undefined;
  destroy(...args: unknown[]): void;
}

const METHODS = ["receive", "sendPending", "getOutgoingChunk", "destroy"];

function handleOf(session: ClientHttp2Session): Handle | undefined {
  const symbol = Object.getOwnPropertySymbols(session).find(
    ({ description }) => description === "kHandle",
  );
  if (symbol === undefined) return undefined;
  const handle = (session as unknown as Record<symbol, unknown>)[symbol];
  if (handle === null || typeof handle !== "object") return undefined;
  const methods = handle as Record<string, unknown>;
  return METHODS.every((name) => typeof methods[name] === "function")
    ? handle as Handle
    : undefined;
}

/** Makes calls into one session's native code follow one another. */
function guard(session: ClientHttp2Session): void {
  const handle = handleOf(session);
  if (handle === undefined) return;
  const { receive, sendPending, getOutgoingChunk, destroy } = handle;
  let depth = 0;
  let released = false;
  const waiting: (() => void)[] = [];

  const native = <Result>(call: () => Result): Result => {
    depth++;
    try {
      return call();
    } finally {
      if (--depth === 0 && waiting.length > 0) setImmediate(runWaiting);
    }
  };
  const runWaiting = () => {
    // One that throws must not take the ones after it along.
    while (depth === 0 && waiting.length > 0) {
      try {
        waiting.shift()!();
      } catch (error) {
        setImmediate(runWaiting);
        throw error;
      }
    }
  };
  /** Runs at once, or in its turn when native code is running or others wait. */
  const inTurn = (run: () => void) => {
    if (depth === 0 && waiting.length === 0) run();
    else waiting.push(run);
  };

  handle.receive = (data) => {
    // A copy: the socket may read its next packet into the same memory.
    const packet = depth === 0 && waiting.length === 0 ? data : data.slice();
    inTurn(() => {
      if (!released) native(() => receive.call(handle, packet));
    });
  };
  let sendWaits = false;
  const send = () => {
    sendWaits = false;
    if (!released) native(() => sendPending.call(handle));
  };
  handle.sendPending = () => {
    if (depth === 0 && waiting.length === 0) return send();
    if (sendWaits) return;
    sendWaits = true;
    waiting.push(send);
  };
  handle.getOutgoingChunk = () =>
    released ? undefined : native(() => getOutgoingChunk.call(handle));
  handle.destroy = (...args) => {
    released = true;
    destroy.apply(handle, args);
  };

  const { close, destroy: destroySession } = session;
  session.close = function (callback?: () => void): void {
    inTurn(() => close.call(session, callback));
  };
  session.destroy = function (
    ...args: Parameters<typeof destroySession>
  ): void {
    inTurn(() => {
      if (!session.destroyed) destroySession.apply(session, args);
    });
  };
}

let installed = false;

/** Guards every HTTP/2 session that this process opens from here on. */
export function guardDeno(): void {
  if (installed || !("Deno" in globalThis)) return;
  installed = true;
  const { connect } = http2;
  // grpc-js looks `connect` up when it connects.
  http2.connect = ((...args: Parameters<typeof connect>) => {
    const session = connect(...args);
    if (handleOf(session) !== undefined) guard(session);
    else session.prependOnceListener("connect", () => guard(session));
    return session;
  }) as typeof connect;
}
