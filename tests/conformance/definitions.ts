/**
 * The services of the suites, read from `proto/`, and their messages.
 *
 * @module
 */

import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("./proto/", import.meta.url));

function load(file: string, service: string): ServiceDefinition {
  const loaded = loadSync(file, {
    includeDirs: [folder],
    keepCase: true,
    // What a message does not have stays absent: requests are echoed.
    arrays: true,
    oneofs: true,
  });
  return loaded[service] as ServiceDefinition;
}

/** Of connectconformance. */
export const conformanceService: ServiceDefinition = load(
  "connectrpc/conformance/v1/service.proto",
  "connectrpc.conformance.v1.ConformanceService",
);
/** Of the interop test cases. */
export const interopService: ServiceDefinition = load(
  "grpc_testing.proto",
  "grpc.testing.TestService",
);
/** Codecs of messages outside of calls. */
export const messages: ServiceDefinition = load(
  "messages.proto",
  "larder.conformance.Messages",
);

/** google.protobuf.Any. */
export interface Any {
  readonly type_url: string;
  readonly value: Uint8Array;
}

/** A name with its values; bytes as base64. */
export interface Header {
  readonly name: string;
  readonly value: readonly string[];
}

/** An error to answer with. */
export interface ErrorDefinition {
  readonly code: number;
  readonly message?: string;
  readonly details: readonly Any[];
}

/** What goes with a response, of one message or many. */
export interface ResponseFrame {
  readonly response_headers: readonly Header[];
  readonly response_trailers: readonly Header[];
  readonly response_delay_ms?: number;
  readonly error?: ErrorDefinition;
}

/** How to answer with one message. */
export interface UnaryDefinition extends ResponseFrame {
  readonly response_data?: Uint8Array;
}

/** How to answer with a stream. */
export interface StreamDefinition extends ResponseFrame {
  readonly response_data: readonly Uint8Array[];
}

/** Any request of the conformance service. */
export interface ConformanceRequest<Definition> {
  readonly response_definition?: Definition;
  readonly full_duplex?: boolean;
}

/** Any reply of the conformance service. */
export interface ConformanceReply {
  readonly payload: {
    readonly data?: Uint8Array;
    readonly request_info?: RequestInfo;
  };
}

/** What the server saw of a call. */
export interface RequestInfo {
  readonly request_headers?: readonly Header[];
  readonly timeout_ms?: number;
  readonly requests: readonly Any[];
}

/** What the runner wants of a server. */
export interface StartRequest {
  readonly use_tls?: boolean;
  readonly message_receive_limit?: number;
  readonly server_creds?: {
    readonly cert: Uint8Array;
    readonly key: Uint8Array;
  };
}
