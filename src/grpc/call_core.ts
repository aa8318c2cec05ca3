/**
 * What the calls of a server share, and what one begins with.
 *
 * @module
 */

import type { ServerStream } from "../http2/stream_api.ts";
import type { Clock } from "./clock.ts";
import type { CountedCaller } from "./counted_caller.ts";
import type { CallCounts } from "./counts.ts";
import type { Deadlines } from "./deadlines.ts";
import type { MessageTurns } from "./message_turns.ts";
import type { Method } from "./method.ts";
import type { CallPlace, MethodObserver } from "./observer.ts";
import type { CountedClient } from "./open_calls.ts";
import type { RequestBudget } from "./request_budget.ts";

/** What the calls of a server share. */
export interface CallCore {
  /** Deadlines are on this clock. */
  readonly clock: Clock;
  /** Larger messages are refused. */
  readonly maxMessageBytes: number;
  /** Makes buffers for large messages; they may hold anything. */
  readonly newBuffer: (bytes: number) => Uint8Array;
  /** Gets what an operator should know, and of which call, if of one. */
  readonly log: (message: string, cause?: unknown, place?: CallPlace) => void;
  /** Open calls and unfinished requests. */
  readonly counts: CallCounts;
  /** Memory for large requests. */
  readonly requestBudget: RequestBudget | undefined;
  /** Those that wait. */
  readonly deadlines: Deadlines;
  /** For messages that were sent ahead. */
  readonly turns: MessageTurns;
}

/** A method with its handler; their types are known only where it is added. */
export interface Route {
  /** Shared by all routes. */
  readonly core: CallCore;
  /** The method. */
  // deno-lint-ignore no-explicit-any
  readonly method: Method<any, any>;
  /** Is told how its calls end. */
  readonly observer: MethodObserver | undefined;
  /** Of one of four kinds, as the method says. */
  // deno-lint-ignore no-explicit-any
  readonly handler: (request: any, call: any, sender: any) => unknown;
}

/** A request that has begun. */
export interface CallStart {
  /** Its stream. */
  readonly stream: ServerStream;
  /** Its header fields. */
  readonly fields: readonly string[];
  /** Whose it is. */
  readonly client: CountedClient;
  /** Who calls, where somebody has asked. */
  readonly caller: CountedCaller | undefined;
  /** When that was; 0 where nobody asks. */
  readonly beganMs: number;
  /** When the client stops waiting. */
  readonly deadlineMs: number | undefined;
}
