/**
 * Methods from the definitions that `@grpc/proto-loader` makes, and from those of
 * packages such as `grpc-health-check`.
 *
 * @module
 */

import type { Method } from "./method.ts";
import { Status, StatusError } from "./status.ts";

/** What is used of a method's definition. */
export interface MethodDefinition<Request, Response> {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Whether a call can have many requests. */
  readonly requestStream: boolean;
  /** Whether a call can have many replies. */
  readonly responseStream: boolean;
  /** Node's Buffer is what it declares; any Uint8Array will do. */
  // deno-lint-ignore no-explicit-any
  readonly requestDeserialize: (bytes: any) => Request;
  /** Returns a Buffer. */
  readonly responseSerialize: (response: Response) => Uint8Array;
}

/**
 * Makes a method of a definition.
 *
 * @param definition One entry of a `ServiceDefinition`.
 * @returns A method whose requests stand on their own; what its definition cannot
 * read is INVALID_ARGUMENT.
 */
export function methodOf<Request, Response>(
  definition: MethodDefinition<Request, Response>,
): Method<Request, Response> {
  const { path, requestStream, responseStream } = definition;
  return {
    path,
    requestStream,
    responseStream,
    decode: (bytes, owned) => {
      try {
        // Fields of bytes are views of what they are read from.
        return definition.requestDeserialize(owned ? bytes : bytes.slice());
      } catch (error) {
        if (error instanceof StatusError) throw error;
        throw new StatusError(
          Status.INVALID_ARGUMENT,
          `malformed request: ${
            error instanceof Error ? error.message : error
          }`,
        );
      }
    },
    encode: (response) => [definition.responseSerialize(response)],
  };
}
