/**
 * Tells when a connection has broken: what its server has said may mean nothing
 * to the one that answers next.
 *
 * @module
 */

import { type Client, connectivityState } from "@grpc/grpc-js";
import { CacheError } from "./cache_error.ts";
import { withoutLimit } from "./linked_signal.ts";

const connections = new WeakMap<Client, AbortController>();

/**
 * Aborted as soon as the connection has broken by which a reply has come just
 * now; before any call can go through the next one.
 */
export function untilBroken(client: Client): AbortSignal {
  const known = connections.get(client);
  if (known) return known.signal;
  const broken = new AbortController();
  const abort = () => {
    connections.delete(client);
    broken.abort(
      new CacheError(
        "lost",
        "the connection broke, and the server forgets ids",
      ),
    );
  };
  const channel = client.getChannel();
  const { READY } = connectivityState;
  if (channel.getConnectivityState(false) === READY) {
    connections.set(client, broken);
    // Each assignment of the connection listens.
    withoutLimit(broken.signal);
    channel.watchConnectivityState(READY, Infinity, abort);
  } else {
    abort();
  }
  return broken.signal;
}
