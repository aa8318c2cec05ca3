/**
 * Every bound of the gRPC layer, each with its reason. Units are last in the
 * names.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a client may send of a request before it hears from us. */
export { INITIAL_WINDOW_BYTES } from "../http2/limits.ts";

/**
 * So much of a request has come when the request budget is asked for the rest:
 * whoever only announces holds nothing. It is a frame of 16 KiB and 1 KiB less
 * than a window: a client may send no frame that does not fit as a whole, and a
 * little goes into prefixes and padding.
 */
export const ASKING_BYTES = 47 * KIB;

/**
 * What a complete request may have without being counted while its call is open:
 * the number of open calls bounds those. Larger ones ask the request budget.
 */
export const UNCOUNTED_REQUEST_BYTES = 4 * KIB;

/**
 * The standing grant of a streaming request: three pieces of 256 KiB, one that
 * is with its handler, one that is complete and one that comes.
 */
export const STANDING_GRANT_BYTES = 3 * 256 * KIB;

/** Window is returned in steps of this: an update costs a frame each. */
export const WINDOW_STEP_BYTES = 16 * KIB;

/** Messages of one stream that are cut out of its bytes before they are asked for. */
export const MESSAGES_AHEAD = 4;

/** What clients sent ahead is gone through in steps, so that others get their turn. */
export const MESSAGES_PER_TURN = 64;

/** Calls whose deadlines pass together that are answered in a row: some 20 us each. */
export const EXPIRIES_PER_TURN = 64;

/** The first buffer of a message that did not come whole. */
export const FIRST_BUFFER_BYTES = 1 * KIB;

/** Chunks of what came before it was asked for. */
export const BACKLOG_CHUNK_BYTES = 16 * KIB;

/** `grpc-message` as it is sent; longer ones are cut. */
export const MAX_STATUS_MESSAGE_BYTES = 1 * KIB;

/** Trailers stay below this, as HPACK counts them: grpcio refuses more by default. */
export const MAX_TRAILERS_BYTES = 8 * KIB;

/** The largest delay a timer of JavaScript can have. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Requests that have begun and not ended, on all connections. Those of polite
 * clients are complete within milliseconds, so that only the stillest ever lose
 * their place.
 */
export const MAX_UNFINISHED_REQUESTS = 2_048;

/** Bytes that have come of them, as far as the request budget counts none. */
export const MAX_UNGRANTED_BYTES = 24 * MIB;

/** What a request costs beside its bytes. */
export const REQUEST_OVERHEAD_BYTES = 256;

/** A connection with more unfinished requests than this loses them together. */
export const FEW_REQUESTS = 16;

/**
 * Open calls on all connections, from which on each gets no more than its share.
 * Those that wait for somebody's work stay open for long.
 */
export const MAX_OPEN_CALLS = 3_072;

/** What connections get of the open calls together once there are too many. */
export const SHARED_FRACTION = 1 / 2;

/** Everybody gets as many: a client that waits has to send heartbeats, too. */
export const MIN_SHARE_CALLS = 4;

/**
 * When it is worth another attempt to call, for whoever has as many calls under
 * way as they may: most calls have ended by then.
 */
export const CALLER_RETRY_MS = 500;

/**
 * The longest that a request is held back because its caller sends too much: a
 * client that is told nothing for longer may think that nobody is there.
 */
export const MAX_PACED_MS = 5_000;

/** The window of a streaming request is opened in steps of this to who is held back. */
export const PACED_STEP_BYTES = 64 * KIB;
