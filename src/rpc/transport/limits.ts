/**
 * Every bound of the HTTP/2 transport, each with its reason. Units are last in
 * the names. All of them can be changed through `TransportOptions`.
 *
 * @module
 */

/** What users may differ on is a flag; its default stands with the others. */
export {
  DEFAULT_HANDSHAKE_TIMEOUT_MS,
  DEFAULT_IDLE_BODY_TIMEOUT_MS,
  DEFAULT_MAX_CONCURRENT_STREAMS,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_STALL_TIMEOUT_MS,
} from "../../limits.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Streams the session may know of before the connection is dropped. nghttp2
 * frees the slot of a stream that was reset, Deno keeps its object until the
 * event loop turns: whoever opens and resets gets past the announced limit.
 */
export const DEFAULT_MAX_TRACKED_STREAMS = 400;

/**
 * Most bytes handed to nghttp2 at once when frames are received. A request
 * header can be 15 bytes small, so this bounds how many streams one packet
 * makes (about 1,000) before they are counted.
 */
export const RECEIVE_PIECE_BYTES = 16 * KIB;

/**
 * Bytes waiting in one socket before we stop asking nghttp2 for frames. 64 KiB
 * to 1 MiB measured the same; this is what a reader that stops reading costs.
 */
export const DEFAULT_SOCKET_HIGH_WATER_BYTES = 128 * KIB;

/**
 * Bytes of one reply in native memory at a time. 32 to 256 KiB measured the
 * same; this is what a cancelled reply leaves behind until V8 collects it.
 */
export const DEFAULT_SLICE_BYTES = 32 * KIB;

/** The same while other calls wait for memory that this one holds. */
export const DEFAULT_CONTENDED_STALL_TIMEOUT_MS = 5_000;

/**
 * For the last bytes to leave after a session ended. A client that has stopped
 * reading would keep the socket, and the process on its way out, for ever.
 */
export const DEFAULT_LINGER_TIMEOUT_MS = 3_000;

/** How often the limits of time are checked: their error, and their price. */
export const SWEEP_INTERVAL_MS = 1_000;

/**
 * How much of one request a client may send before it must wait for us. 64 KiB,
 * the default of HTTP/2, makes an upload of 1 MiB 1.5 times slower.
 */
export const DEFAULT_STREAM_RECEIVE_WINDOW_BYTES = 1 * MIB;

/** The same for all requests of one connection together. */
export const DEFAULT_CONNECTION_RECEIVE_WINDOW_BYTES = 8 * MIB;

/**
 * After this long without a byte grpc-js pings the client, and drops a
 * connection whose other end has vanished without saying so.
 */
export const DEFAULT_KEEPALIVE_TIME_MS = 60_000;

/** How long that ping may stay unanswered. */
export const DEFAULT_KEEPALIVE_TIMEOUT_MS = 20_000;

/**
 * Messages up to this are not counted in the request budget: they are there as
 * soon as they are announced. Nor is a larger one that came in one read of the
 * socket (at most 1 MiB): it is in memory before anybody could be asked.
 */
export const UNCOUNTED_MESSAGE_BYTES = 64 * KIB;

/** Reply bytes in flight for the whole server. */
export const DEFAULT_REPLY_BUDGET_BYTES = 256 * MIB;

/** Reply bytes in flight for one connection. */
export const DEFAULT_CONNECTION_REPLY_BUDGET_BYTES = 16 * MIB;
