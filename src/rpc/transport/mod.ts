/**
 * HTTP/2 hardening below grpc-js.
 *
 * @module
 */
export {
  createHardenedServer,
  type DropReason,
  type TransportOptions,
} from "./transport.ts";
export { Connection, connectionOf } from "./connection.ts";
export { readOneByOne } from "./read_ahead.ts";
export {
  FRAME_HEADER_BYTES,
  frameMessage,
  preframedAvailable,
  serializeParts,
  serializePreframed,
} from "./preframed.ts";
