/**
 * A service that can be served.
 *
 * @module
 */

import type {
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";

/** A gRPC service: what it is called, and what it does. */
export interface Service {
  /** Methods, paths and codecs. */
  readonly definition: ServiceDefinition;
  /** The handlers. */
  readonly implementation: UntypedServiceImplementation;
}
