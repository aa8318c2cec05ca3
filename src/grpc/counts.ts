/**
 * What the calls of a process may be together: one object for all listeners.
 *
 * @module
 */

import * as limits from "./limits.ts";
import { OpenCalls } from "./open_calls.ts";
import { UnfinishedRequests } from "./unfinished_requests.ts";

/** Why a call was refused. */
export type RefusalReason =
  /** Its request was the stillest, while others needed the place. */
  | "unfinished"
  /** Its connection had more than its share of too many open calls. */
  | "manyCalls"
  /** Its caller had as many under way as they may. */
  | "callerCalls"
  /** Its caller has sent so much that it would have had to wait for long. */
  | "callerUpload";

/** Limits that differ from the usual ones, and who is told. */
export interface CallCountsOptions {
  /** Open calls, from which on each connection gets no more than its share. */
  readonly maxOpenCalls?: number;
  /** Requests that have begun and not ended. */
  readonly maxUnfinishedRequests?: number;
  /** Bytes of those that the request budget does not count. */
  readonly maxUngrantedBytes?: number;
  /** Told of every call that is refused, for metrics. */
  readonly onRefused?: (reason: RefusalReason, detail?: string) => void;
}

/** The open calls and unfinished requests of a process. */
export class CallCounts {
  /** Calls whose stream is open or whose handler runs. */
  readonly open: OpenCalls;
  /** Requests that have begun and not ended. */
  readonly unfinished: UnfinishedRequests;
  /** Told of every call that is refused; the detail is for people. */
  readonly onRefused: (reason: RefusalReason, detail?: string) => void;

  /** Every limit has a default. */
  constructor(options: CallCountsOptions = {}) {
    this.onRefused = options.onRefused ?? (() => {});
    this.open = new OpenCalls(options.maxOpenCalls ?? limits.MAX_OPEN_CALLS);
    this.unfinished = new UnfinishedRequests({
      maxRequests: options.maxUnfinishedRequests ??
        limits.MAX_UNFINISHED_REQUESTS,
      maxBytes: options.maxUngrantedBytes ?? limits.MAX_UNGRANTED_BYTES,
      onRefused: () => this.onRefused("unfinished"),
    });
  }
}
