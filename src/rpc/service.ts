/**
 * A service that can be served.
 *
 * @module
 */

import type { GrpcServer } from "../grpc/server.ts";

/** Adds its methods, with their handlers, to a server. */
export type Service = (server: GrpcServer) => void;
