/**
 * Calls with something odd about them, and how each must end.
 *
 * @module
 */

import type { Outcome } from "../support/raw_client.ts";
import { NS } from "./arena.ts";
import { getRequest } from "./messages.ts";

/**
 * How a call ends: with a status of gRPC or HTTP, or with an error of the stream
 * or of the connection, as HTTP/2 counts them.
 */
export type Ending =
  | `grpc ${number}`
  | `http ${number}`
  | `reset ${number}`
  | `closed ${number | undefined}`;

/** How a call has ended. */
export function endingOf({ how, fields, code }: Outcome): Ending {
  if (how === "reset") return `reset ${code!}`;
  if (how === "closed") return `closed ${code}`;
  const status = fields.get(":status");
  if (status !== "200") return `http ${Number(status)}`;
  return `grpc ${Number(fields.get("grpc-status"))}`;
}

/** A call on stream 1. */
export interface OddCall {
  readonly name: string;
  readonly sent: Uint8Array;
  /** The one right end. */
  readonly ending: Ending;
}

/** The gRPC statuses that odd calls end with. */
export const STATUS = {
  OK: "grpc 0",
  INVALID_ARGUMENT: "grpc 3",
  DEADLINE_EXCEEDED: "grpc 4",
  EXHAUSTED: "grpc 8",
  FAILED_PRECONDITION: "grpc 9",
  UNIMPLEMENTED: "grpc 12",
  INTERNAL: "grpc 13",
  DATA_LOSS: "grpc 15",
} as const;

/** A request that nothing is odd about. */
export const PLAIN: Uint8Array = getRequest(NS, "odd");

/** Requests that HTTP/2 does not know: PROTOCOL_ERROR, for the stream alone. */
export const MALFORMED = "reset 1";

/** More of a stream that its client had ended. */
export const STREAM_CLOSED = "reset 5";

/** Calls by name that all end the same way. */
export function expect(
  ending: Ending,
  calls: Record<string, Uint8Array>,
): OddCall[] {
  return Object.entries(calls).map(([name, sent]) => ({ name, sent, ending }));
}
