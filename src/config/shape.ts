/**
 * What a configuration consists of.
 *
 * @module
 */

import type { LogFormat } from "../log/log.ts";
import type { Address, InheritedAddress, TcpAddress } from "./address.ts";
import type { MinFree, Quota } from "./quotas.ts";
import type { SharedGroup } from "./shared.ts";

/** When an acknowledgement means what. */
export type Durability = "relaxed" | "strict";

/** Which calls have a line each in the log. */
export type LoggedCalls = "off" | "failed" | "all";

/** Listeners: both, or one of them. */
export type TlsOn = "all" | "local" | "remote";

/** A complete, checked configuration. */
export interface Config {
  /** The folder that is served, absolute. */
  readonly root: string;
  /** Where LocalCache listens; `undefined`: not served. */
  readonly local: Address | undefined;
  /** Where RemoteCache listens; `undefined`: not served. */
  readonly remote: Address | undefined;
  /** The permission bits of Unix domain sockets. */
  readonly socketMode: number;
  /**
   * The group of Unix domain sockets, its name or number; the confined server is
   * told the number. `undefined`: the user's own.
   */
  readonly socketGroup: string | undefined;
  /** Where metrics are served by HTTP; `undefined`: nowhere. */
  readonly http: TcpAddress | InheritedAddress | undefined;
  /** Names by which it may be called there, beside IP addresses and localhost. */
  readonly httpHosts: readonly string[];
  /** Whether the status page is there, beside metrics and probes. */
  readonly httpPage: boolean;
  /** The file of the server's certificate, absolute; `undefined`: plain text. */
  readonly tlsCert: string | undefined;
  /** The file of its key. */
  readonly tlsKey: string | undefined;
  /** Of those that vouch for clients; `undefined`: clients need no certificate. */
  readonly clientCa: string | undefined;
  /** Which listeners speak TLS, where there is a certificate. */
  readonly tlsOn: TlsOn;
  /** The file that says who may do what; `undefined`: whoever connects may all. */
  readonly access: string | undefined;
  /** Whether plain text may leave this machine. */
  readonly insecure: boolean;
  /** Whether other users of this machine are given files. */
  readonly shared: boolean;
  /**
   * Whose group may read the values of some namespaces; of the others everybody
   * may who knows a key.
   */
  readonly sharedGroups: readonly SharedGroup[];
  /** How often clients are told to send heartbeats. */
  readonly heartbeatIntervalMs: number;
  /** How long a lease lasts without one; more than the interval. */
  readonly heartbeatTimeoutMs: number;
  /** How long after a restart a loading entry stays with its client. */
  readonly restartGraceMs: number;
  /** How long a stop waits for running work to be published. */
  readonly drainTimeoutMs: number;
  /** How long a handle pins what it names without being renewed. */
  readonly handleLeaseMs: number;
  /** How long an assignment may be computed, heartbeats or not; `undefined`: for ever. */
  readonly maxComputeMs: number | undefined;
  /** What all values may take together; `undefined`: what the disk has. */
  readonly maxBytes: number | undefined;
  /** How many values may be kept; `undefined`: any number. */
  readonly maxEntries: number | undefined;
  /** Entries that nobody used for so long go; `undefined`: none do. */
  readonly maxAgeMs: number | undefined;
  /** What stays free on the disk. */
  readonly minFree: MinFree;
  /** What the values of some namespaces may take. */
  readonly quotas: readonly Quota[];
  /** Blob workers. */
  readonly workers: number;
  /** The largest message taken. */
  readonly maxMessageBytes: number;
  /** The largest reply of `RemoteCache.Get`; none is above the largest message. */
  readonly maxReplyBytes: number;
  /** Bytes of hot values kept in memory. */
  readonly memoryCacheBytes: number;
  /** Memory for requests and replies in flight, the hot values included. */
  readonly memoryBudgetBytes: number;
  /** Connections open at once. */
  readonly maxConnections: number;
  /** Calls open at once on one connection. */
  readonly maxStreams: number;
  /** From an accepted connection to its client's SETTINGS. */
  readonly handshakeTimeoutMs: number;
  /** Between two pieces of a request's body. */
  readonly idleBodyTimeoutMs: number;
  /** How long a client may take nothing of its reply. */
  readonly stallTimeoutMs: number;
  /** After how long a client is asked whether it is still there. */
  readonly keepaliveMs: number;
  /** How long it may take to answer. */
  readonly keepaliveTimeoutMs: number;
  /** What is on disk when a publish is acknowledged. */
  readonly durability: Durability;
  /** Which share of the calls is traced; `undefined`: nothing is. */
  readonly traceRatio: number | undefined;
  /** Which calls have a line in the log each. */
  readonly logCalls: LoggedCalls;
  /** How the lines of the log are written. */
  readonly logFormat: LogFormat;
}

/** What was given for some settings, by their names in {@linkcode Config}. */
export type GivenConfig = { -readonly [K in keyof Config]?: Config[K] };
