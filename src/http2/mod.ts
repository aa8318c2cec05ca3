/**
 * HTTP/2 (RFC 9113), the server's side, on any stream of bytes. It knows nothing
 * of what the requests mean.
 *
 * @module
 */

export { acceptAll } from "./accepting.ts";
export type { ByteStream } from "./byte_stream.ts";
export { Connections } from "./connections.ts";
export type { ConnectionState } from "./served_connection.ts";
export { ErrorCode } from "./error_codes.ts";
export { encodeHeaders } from "./hpack/mod.ts";
export { INITIAL_WINDOW_BYTES } from "./limits.ts";
export { ListenerConnections, peerName } from "./listener_connections.ts";
export { Http2Listener, type Http2ListenerOptions } from "./listener.ts";
export type { DropReason, SharedOptions } from "./shared_limits.ts";
export type {
  Connection,
  RequestHandler,
  RequestHead,
  ServerStream,
  StreamEvents,
} from "./stream_api.ts";
export { nextTurn } from "./turns.ts";
