/**
 * gRPC on HTTP/2: messages, deadlines, status, calls, server.
 *
 * @module
 */

export type {
  Call,
  ClientStreamingHandler,
  DuplexHandler,
  Requests,
  Sender,
  ServerStreamingHandler,
  UnaryHandler,
} from "./call.ts";
export type { Clock } from "./clock.ts";
export {
  CallCounts,
  type CallCountsOptions,
  type RefusalReason,
} from "./counts.ts";
export { type MethodDefinition, methodOf } from "./definitions.ts";
export { Metadata } from "./metadata.ts";
export type { Method } from "./method.ts";
export type { MethodObserver, Observe } from "./observer.ts";
export type { Releasable, RequestBudget } from "./request_budget.ts";
export { type GrpcOptions, GrpcServer } from "./server.ts";
export { Status, type StatusCode, StatusError } from "./status.ts";
