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
  DEFAULT_KEEPALIVE_MS,
  DEFAULT_KEEPALIVE_TIMEOUT_MS,
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
 * Requests that have begun and not ended, on all connections of a listener. One
 * costs 9 KiB and more: 300 connections with 256 each made 500 MiB. Requests of
 * polite clients are complete within milliseconds, so that of these only the
 * stillest ever lose their place.
 */
export const DEFAULT_MAX_UNFINISHED_REQUESTS = 2_048;

/** Bytes that have come of them, as far as the request budget counts none. */
export const DEFAULT_MAX_UNFINISHED_BYTES = 64 * MIB;

/**
 * Open calls of a listener, from which on connections get no more than their
 * share. Those that wait for somebody's work stay open for long, at about 20 KiB
 * each, and heaps grow to twice what lives in them.
 */
export const DEFAULT_MAX_OPEN_CALLS = 3_072;

/** DATA frames below this are tiny; clients cut large messages at 16 KiB. */
export const TINY_FRAME_BYTES = 256;

/** Tiny ones of a connection beyond a few for each call and each larger one. */
export const MAX_TINY_FRAMES = 1_024;

/** What each piece of a request costs beside its bytes: objects, a buffer. */
export const PIECE_OVERHEAD_BYTES = 256;

/**
 * Messages up to this are not counted in the request budget. Larger ones are as
 * soon as this much of them has come: whoever only announces holds nothing.
 * One that came in one read of the socket (at most 1 MiB) is not counted at
 * all: it is in memory before anybody could be asked.
 */
export const UNCOUNTED_MESSAGE_BYTES = 64 * KIB;
