/**
 * What the command line needs of a server, so that it is loaded only where it
 * runs: in the confined process.
 *
 * @module
 */

import type { Config } from "../config.ts";
import type { Log } from "../log/log.ts";

/** The addresses that are served, as `ip:port` with the real port, `unix:PATH`, or `fd:NAME`. */
export interface ServedAddresses {
  /** Where LocalCache answers. */
  readonly localAddress?: string;
  /** Where RemoteCache answers. */
  readonly remoteAddress?: string;
  /** Where metrics are. */
  readonly httpAddress?: string;
}

/** A server that answers. */
export interface RunningServer extends ServedAddresses {
  /**
   * Looks at its files again, at once; what is wrong with them goes to the log.
   * Absent: it has none beside its root.
   */
  readonly reload?: () => Promise<void>;
  /** Stops gracefully, within the drain timeout; idempotent. */
  drain(): Promise<void>;
  /** Settles when nothing is served any more; rejects when it broke. */
  readonly closed: Promise<void>;
}

/** What is served, and what only who starts the server knows. */
export interface ServedConfig extends Config {
  /** Of this boot of the machine; absent where nobody says. */
  readonly bootId?: string;
  /** The descriptors of inherited sockets, by their names. */
  readonly descriptors?: ReadonlyMap<string, number>;
}

/**
 * Starts a server; resolves when it really answers, rejects with a StartError
 * when it cannot. `log` takes what is for the operator.
 */
export type Serve = (
  config: ServedConfig,
  log: Log,
) => Promise<RunningServer>;
