/**
 * Keeps a session alive while native code is using it.
 *
 * A GOAWAY from the client makes Deno close and destroy the session from inside
 * the native call that is parsing the packet, which frees what that call still
 * reads: the process aborts (denoland/deno issue 36788). Every polite client
 * sends GOAWAY. The rest of the packet can do the same through other events, so
 * the whole of every native call is covered, not just the `goaway` event.
 *
 * @module
 */
import type { Connection } from "./connection.ts";

/**
 * Makes `close` and `destroy` of a connection's session wait until no native
 * code of that connection is running, and lets the last frames out before.
 *
 * @param connection The connection.
 * @param flush Sends at once whatever waits; a session that is being torn down
 * has no later. Without it the GOAWAY and the last trailers would be lost.
 * @param defer Whether to wait at all.
 */
export function deferClose(
  connection: Connection,
  flush: (run: () => void) => void,
  defer: boolean,
): void {
  const { session } = connection;
  const close = session.close;
  const destroy = session.destroy;

  session.close = function (callback?: () => void): void {
    const run = () => flush(() => close.call(session, callback));
    if (defer && connection.insideNative) setImmediate(run);
    else run();
  };
  session.destroy = function (...args: Parameters<typeof destroy>): void {
    const run = () => {
      if (session.destroyed) return;
      flush(() => {});
      destroy.apply(session, args);
    };
    if (defer && connection.insideNative) setImmediate(run);
    else run();
  };
}
