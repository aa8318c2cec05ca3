/**
 * grpc.testing.TestService on our gRPC server, as far as the interop test cases
 * need it.
 *
 * @module
 */

import {
  type Call,
  type GrpcServer,
  type Method,
  type MethodDefinition,
  methodOf,
  type Sender,
  type StatusCode,
  StatusError,
} from "../../src/grpc/mod.ts";
import { interopService } from "./definitions.ts";

const ECHO_INITIAL = "x-grpc-test-echo-initial";
const ECHO_TRAILING = "x-grpc-test-echo-trailing-bin";
const US_PER_MS = 1_000;

interface EchoStatus {
  readonly code?: number;
  readonly message?: string;
}
interface SimpleRequest {
  readonly response_size?: number;
  readonly response_status?: EchoStatus;
}
interface InputRequest {
  readonly payload?: { readonly body?: Uint8Array };
}
interface OutputRequest {
  readonly response_parameters: readonly {
    readonly size?: number;
    readonly interval_us?: number;
  }[];
  readonly response_status?: EchoStatus;
}
interface PayloadReply {
  readonly payload: { readonly body: Uint8Array };
}

/**
 * Adds the service to a server.
 *
 * @param server Takes the calls.
 */
export function addInteropService(server: GrpcServer): void {
  server.unary(method<object, object>("EmptyCall"), () => ({}));
  server.unary(
    method<SimpleRequest, PayloadReply>("UnaryCall"),
    ({ response_size = 0, response_status }, call) => {
      echoMetadata(call);
      throwIfError(response_status);
      return payload(response_size);
    },
  );
  server.serverStreaming(
    method<OutputRequest, PayloadReply>("StreamingOutputCall"),
    (request, _call, sender) => sendAll(request, sender),
  );
  server.clientStreaming(
    method<InputRequest, object>("StreamingInputCall"),
    async (requests) => {
      let aggregated_payload_size = 0;
      for await (const { payload } of requests) {
        aggregated_payload_size += payload?.body?.length ?? 0;
      }
      return { aggregated_payload_size };
    },
  );
  server.duplex(
    method<OutputRequest, PayloadReply>("FullDuplexCall"),
    async (requests, call, sender) => {
      echoMetadata(call);
      for await (const request of requests) {
        throwIfError(request.response_status);
        await sendAll(request, sender);
      }
    },
  );
}

function method<Request, Reply>(name: string): Method<Request, Reply> {
  return methodOf(
    interopService[name] as unknown as MethodDefinition<Request, Reply>,
  );
}

function echoMetadata(
  { metadata, initialMetadata, trailingMetadata }: Call,
): void {
  const initial = metadata.get(ECHO_INITIAL);
  if (initial !== undefined) initialMetadata.add(ECHO_INITIAL, initial);
  const trailing = metadata.get(ECHO_TRAILING);
  if (trailing !== undefined) trailingMetadata.add(ECHO_TRAILING, trailing);
}

function throwIfError({ code = 0, message = "" }: EchoStatus = {}): void {
  if (code !== 0) throw new StatusError(code as StatusCode, message);
}

async function sendAll(
  { response_parameters }: OutputRequest,
  sender: Sender<PayloadReply>,
): Promise<void> {
  for (const { size = 0, interval_us = 0 } of response_parameters) {
    if (interval_us > 0) {
      await new Promise((resolve) =>
        setTimeout(resolve, interval_us / US_PER_MS)
      );
    }
    if (!await sender.send(payload(size))) return;
  }
}

function payload(size: number): PayloadReply {
  return { payload: { body: new Uint8Array(size) } };
}
