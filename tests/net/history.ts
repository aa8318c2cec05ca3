/**
 * What clients did while the network was bad.
 *
 * @module
 */

/** A computation has begun. */
export interface Computation {
  readonly type: "computation";
  readonly call: string;
  readonly key: string;
  /** Its value says so in each of its blocks. */
  readonly id: string;
  /** Of its value, in bytes. */
  readonly size: number;
  readonly atMs: number;
}

/** A call has ended. */
export interface Call {
  readonly type: "call";
  readonly call: string;
  readonly kind: "generate" | "stream" | "get";
  readonly key: string;
  readonly deadlineMs?: number;
  readonly beganMs: number;
  /** When there was a stream to read. */
  readonly startedMs?: number;
  readonly endMs: number;
  /** By how much timers were late meanwhile: a busy machine. */
  readonly lateMs: number;
  /** What a computation of its key takes at the most. */
  readonly computeMs: number;
  /** Of which computation the value is; `mixed`: of none, or of several. */
  readonly id?: string;
  /** Of the value, in bytes. */
  readonly size?: number;
  readonly source?: string;
  readonly error?: string;
  readonly message?: string;
}

/** A call went on without the cache. */
export interface OutageSaid {
  readonly type: "outage";
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
}

/** What a worker writes down; `worker`: which one. */
export type Event = (Computation | Call | OutageSaid) & ByWorker;

/** Which worker wrote it down. */
export interface ByWorker {
  readonly worker: number;
}

/** What can be done to a worker or to its network, or to the server of all. */
export type FaultKind =
  | "cut"
  | "reset"
  | "half-closed"
  | "throttled"
  | "connection deaf"
  | "connection silent"
  | "refused"
  | "silent"
  | "worker stopped"
  | "worker killed"
  | "server stopped"
  | "server killed";

/** Something that was done. */
export interface Fault {
  readonly what: FaultKind;
  /** `undefined`: to all. */
  readonly worker: number | undefined;
  readonly beganMs: number;
  readonly endMs: number;
}

/** How long things may take. */
export interface Bounds {
  readonly patienceMs: number;
  /** A lease, and how long before its end it is renewed at the latest. */
  readonly leaseMs: number;
  readonly intervalMs: number;
  /** How long a server that was killed leaves work to whoever may have it. */
  readonly graceMs: number;
  /** Beside what timers are late. */
  readonly slackMs: number;
}
