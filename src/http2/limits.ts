/**
 * Every bound of HTTP/2, each with its unit and its reason.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a stream's window is before anybody says otherwise: RFC 9113, 6.9.2. */
export const INITIAL_WINDOW_BYTES = 65_535;
/** No window may grow beyond it: RFC 9113, 6.9.1. */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** The largest stream id: RFC 9113, 5.1.1. */
export const MAX_STREAM_ID = 2 ** 31 - 1;
/** From here on a connection is asked to make place for a new one. */
export const RETIRING_STREAM_ID = Math.floor(MAX_STREAM_ID * 0.75);

/** The largest payload of a frame, either way: the least that RFC 9113 allows. */
export const MAX_FRAME_BYTES = 16_384;
/** The largest header block that we send: it and a table size update in a frame. */
export const MAX_HEADER_BLOCK_BYTES = MAX_FRAME_BYTES - 8;
/**
 * What a connection may send ahead, all streams together. It is given back as
 * soon as DATA was taken off the read buffer, so that no upload stops another.
 */
export const CONNECTION_WINDOW_BYTES = 1 * MIB;
/** So much of it is given back at once: a write for each DATA frame is too many … */
export const CONNECTION_WINDOW_STEP_BYTES = 512 * KIB;
/** … and this with what leaves anyway, which costs no write. */
export const GIVEN_ALONG_BYTES = 128 * KIB;

/** What a header list may take, in the sense of RFC 9113, 6.5.2. */
export const MAX_HEADER_LIST_BYTES = 16 * KIB;
/**
 * Larger ones are decoded up to here and answered with 431; beyond it the
 * connection ends. It bounds the compressed block as well.
 */
export const MAX_DECODED_HEADER_BYTES = 4 * MAX_HEADER_LIST_BYTES;
/** Frames that a block goes on in: bytes do not bound those that bring hardly any. */
export const MAX_CONTINUATIONS = 16;

/** How many of our own resets are remembered: frames may cross on their way. */
export const REMEMBERED_RESETS = 256;
/** How many gaps in the order of stream ids are remembered; clients leave none. */
export const REMEMBERED_GAPS = 16;

/** Answers to PING and SETTINGS, resets and window updates that wait to leave. */
export const MAX_CONTROL_BYTES = 64 * KIB;

/**
 * Frames that cause work without progress are paid from an account: this much at
 * the start, and at most.
 */
export const CREDIT = 2_000;
/** What comes to the account each second: honest keepalives cost far less. */
export const CREDIT_PER_SECOND = 200;
/** What a call that was answered, or DATA of ours that moved, adds to it. */
export const PROGRESS_CREDIT = 10;
/**
 * DATA of the client that adds 1: a request that is reset costs more than it has
 * brought, unless it has brought KiBs.
 */
export const BYTES_PER_CREDIT = 1 * KIB;
/** What PING, SETTINGS, PRIORITY, WINDOW_UPDATE and the like cost. */
export const FRAME_COST = 1;
/**
 * How long an answer to PING may wait for a reply that it leaves with. Clients that
 * ask whether we are there wait for seconds; a call on its way to a disk and back
 * takes a few milliseconds.
 */
export const PING_ANSWER_MS = 5;
/** What a stream costs that was reset: a request was begun for nothing. */
export const RESET_COST = 4;

/** DATA frames below this are tiny; clients cut large messages at 16 KiB. */
export const TINY_FRAME_BYTES = 256;
/**
 * What a tiny one costs that is not its request's last: 2 million DATA frames of
 * a byte keep others waiting for 10 s.
 */
export const TINY_FRAME_COST = 2;

/** Frames of one read that are handled before others have their turn … */
export const FRAMES_PER_TURN = 128;
/** … and how long that may take. */
export const TURN_MS = 2;
/** How often in a turn the clock is looked at. */
export const FRAMES_PER_LOOK = 4;
/**
 * Connections whose reads take longer than this share one turn of `TURN_MS`: 160
 * busy ones, each with a turn of its own, kept a call of another for 160 ms.
 */
export const LIGHT_READ_MS = 0.2;
/** A read of so many bytes is not taken for light before it was handled. */
export const LIGHT_READ_BYTES = 2 * KIB;
/** Streams of a lost connection that are ended in a row: some 20 us each. */
export const CLOSES_PER_TURN = 16;
/** Connections that are accepted in a row: some 60 us each. */
export const ACCEPTS_PER_TURN = 16;
/** Connections whose gathered replies are written in a row: up to 50 us each. */
export const FLUSHES_PER_TURN = 64;

/** The first read buffer of a connection: what an idle one costs most. */
export const FIRST_READ_BYTES = 2 * KIB;
/** The read buffer of a connection that fills the first. */
export const READ_BYTES = 64 * KIB;
/** A buffer that stays this empty … */
export const SPARSE_READ_FRACTION = 1 / 32;
/** … for so many reads is given back. */
export const SPARSE_READS = 16;
/** What is written at once. Deno cannot gather: each byte is copied here once. */
export const WRITE_BYTES = 64 * KIB;
/** What a small answer is written with. */
export const SMALL_WRITE_BYTES = 4 * KIB;
/** Written with when the large buffers are out: a frame of any kind fits. */
export const MIN_WRITE_BYTES = MAX_FRAME_BYTES + 9;
/** Large buffers of all connections; when they are out the small ones do. */
export const MAX_LARGE_BUFFERS = 384;
/** Large buffers that are kept for the next connection. */
export const KEPT_LARGE_BUFFERS = 32;
/** The same of small ones: a MiB. */
export const KEPT_SMALL_BUFFERS = 256;

/**
 * Calls that a client may have open on one connection, announced in SETTINGS:
 * polite clients queue the others.
 */
export const DEFAULT_MAX_STREAMS = 256;
/** From the accepted connection to the client's SETTINGS. */
export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;
/** From our SETTINGS to their acknowledgement. */
export const SETTINGS_TIMEOUT_MS = 10_000;
/**
 * After this long without a byte a client is asked whether it is there: a machine
 * that lost power or its network closes no connection.
 */
export const DEFAULT_KEEPALIVE_MS = 60_000;
/** How long it may take to answer. */
export const DEFAULT_KEEPALIVE_TIMEOUT_MS = 20_000;
/** Between two pieces of one request's body. */
export const DEFAULT_IDLE_BODY_TIMEOUT_MS = 30_000;
/**
 * A reply of which nothing moved for this long loses its stream. Longer than any
 * pause of an honest reader, shorter than deadlines of 30 s that people set.
 */
export const DEFAULT_STALL_TIMEOUT_MS = 20_000;
/** The same while others wait for the memory that it holds. */
export const CONTENDED_TIMEOUT_MS = 5_000;
/** How often the limits of time are checked: their error, and their price. */
export const SWEEP_INTERVAL_MS = 1_000;
/**
 * How long a client may go on sending a request that was answered already. Some
 * take an earlier reset for the answer.
 */
export const EARLY_ANSWER_MS = 1_000;
/** Between the two GOAWAYs of a goodbye, unless the client answers sooner. */
export const GOODBYE_MS = 1_000;
/** For the last bytes to leave, and for the client to close, after the end. */
export const LINGER_MS = 3_000;
/** What is read and thrown away meanwhile: unread bytes would reset the socket. */
export const LINGER_BYTES = 64 * KIB;

/**
 * Connections open at once. File descriptors are the scarce thing: when they run
 * out nobody can connect, and no file can be opened. So this, and a tenth more for
 * those that are asked to make place, must fit below their limit beside the other
 * files of the process. Deno raises its soft limit to the hard one at start; 4,096
 * is the smallest hard limit that distributions commonly set.
 */
export const DEFAULT_MAX_CONNECTIONS = 3_000;
/** So many more may be open while those who were asked to go say goodbye. */
export const DISMISSAL_SHARE = 0.1;
/** Waits after an accept that failed for want of something … */
export const MIN_ACCEPT_PAUSE_MS = 10;
/** … which double up to here. */
export const MAX_ACCEPT_PAUSE_MS = 500;
