/**
 * Calls with something odd about them, and how each must end.
 *
 * @module
 */

import { NS } from "./arena.ts";
import { getRequest } from "./messages.ts";
import type { Outcome } from "./raw_client.ts";

/** How a call may end: a gRPC status, an HTTP status, or a broken stream. */
export type Ending = `grpc ${number}` | `http ${number}` | "reset" | "closed";

/** How a call has ended. */
export function endingOf({ how, fields }: Outcome): Ending {
  if (how !== "answered") return how;
  const status = fields.get(":status");
  if (status !== "200") return `http ${Number(status)}`;
  return `grpc ${Number(fields.get("grpc-status"))}`;
}

/** A call on stream 1. */
export interface OddCall {
  readonly name: string;
  readonly sent: Uint8Array;
  /** Any of these. */
  readonly endings: readonly Ending[];
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

/** Calls by name that may all end the same ways. */
export function expect(
  endings: readonly Ending[],
  calls: Record<string, Uint8Array>,
): OddCall[] {
  return Object.entries(calls).map(([name, sent]) => ({ name, sent, endings }));
}
