/**
 * A cache on one Larder, or on an original server.
 *
 * @module
 */

import { addressFault, fixedAddress } from "./address.ts";
import type { CallOptions, FetchRequest } from "./backend.ts";
import { CacheBase } from "./cache_base.ts";
import { FirstCatalog, type TierCatalog } from "./catalog.ts";
import {
  anything,
  callable,
  checkOptions,
  type KnownOptions,
  milliseconds,
  oneOf,
  text,
} from "./checked_options.ts";
import { Connection } from "./connection.ts";
import { isOutage } from "./outages.ts";
import type { SecurityOptions } from "./security.ts";
import type { Claim, OnOutage } from "./tier.ts";

/** A server that restarts is back by then. */
const DEFAULT_PATIENCE_MS = 10_000;

/** Where the servers are. At least one of `local` and `remote` is given. */
export interface ConnectOptions extends SecurityOptions {
  /**
   * `host:port`, or `unix:PATH`, of a server on this file system: values are
   * handed over as files.
   */
  readonly local?: string | undefined;
  /** The same of a server anywhere; with `local` too, for when that is away. */
  readonly remote?: string | undefined;
  /** How long to try before a server counts as away; 10 s by default. */
  readonly patienceMs?: number | undefined;
  /** Told of every call that went on without the cache; by default a warning. */
  readonly onOutage?: OnOutage | undefined;
}

/** The options of {@linkcode Cache.connect}. */
export const CONNECT_OPTIONS: Readonly<
  Record<keyof ConnectOptions, KnownOptions[string]>
> = {
  local: anything,
  remote: anything,
  patienceMs: milliseconds,
  onOutage: callable,
  ca: text,
  cert: text,
  key: text,
  token: text,
  tlsOn: oneOf("all", "local", "remote"),
};

/** Shows in messages how an address is written. */
const EXAMPLE_ADDRESS = "127.0.0.1:28056";

/**
 * A client of a cache server.
 *
 * @example Compute once, on whichever machine asks first
 * ```ts ignore
 * await using cache = await Cache.connect({ remote: "127.0.0.1:28056" });
 * const result = await cache.generate("sim.ring_osc", params, () => simulate(params));
 * ```
 */
export class Cache extends CacheBase {
  /** The servers: `local 127.0.0.1:28055`. */
  readonly name: string;
  /** Of the server that answers first. */
  readonly catalog: TierCatalog;
  readonly #connections: readonly Connection[];

  private constructor(
    connections: readonly Connection[],
    onOutage: OnOutage | undefined,
  ) {
    super(onOutage);
    this.#connections = connections;
    this.catalog = new FirstCatalog(connections);
    this.name = connections.map(({ name }) => name).join(", ");
  }

  /**
   * Makes a client. A server that is away is no error: it may come back.
   *
   * @param options Where the servers are.
   * @throws {TypeError} No address, one that is none, an option that
   * is none, or a file of TLS that cannot be used.
   * @throws {RangeError} `patienceMs` is negative, or no number.
   */
  // deno-lint-ignore require-await
  static async connect(options: ConnectOptions): Promise<Cache> {
    if (options === undefined || typeof options === "string") {
      throw unaddressed(options);
    }
    checkOptions(options, CONNECT_OPTIONS);
    const { patienceMs = DEFAULT_PATIENCE_MS, onOutage } = options;
    const connections: Connection[] = [];
    for (const kind of ["local", "remote"] as const) {
      const address = options[kind];
      if (address === undefined) continue;
      const fault = typeof address === "string"
        ? addressFault(address)
        : `not host:port, such as ${EXAMPLE_ADDRESS}`;
      if (fault !== undefined) {
        throw new TypeError(`${kind} ${JSON.stringify(address)}: ${fault}`);
      }
      connections.push(
        new Connection({
          kind,
          address: fixedAddress(address),
          patienceMs,
          security: options,
        }),
      );
    }
    if (connections.length === 0) {
      throw unaddressed();
    }
    return new Cache(connections, onOutage);
  }

  /** Asks the servers in turn, until one answers. */
  async ask(request: FetchRequest, options: CallOptions): Promise<Claim> {
    let failure: unknown;
    for (const connection of this.#connections) {
      try {
        return await connection.ask(request, options);
      } catch (error) {
        if (options.signal?.aborted || !isOutage(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** Ends the connections. */
  protected override async closeTiers(): Promise<void> {
    await Promise.all(this.#connections.map((each) => each.close()));
  }
}

/** Nobody has said where the server is. */
function unaddressed(address: string = EXAMPLE_ADDRESS): TypeError {
  return new TypeError(
    "Cache.connect needs to know where the server is: " +
      `Cache.connect({ remote: ${JSON.stringify(address)} }), or local: ` +
      "host:port of a server on this machine",
  );
}
