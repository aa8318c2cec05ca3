/**
 * Every bound of the server, each with its unit and its reason.
 * What users may differ on is a flag whose default stands here.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Where the original server listens; clients have it compiled in. */
export const DEFAULT_LOCAL_ADDRESS = "127.0.0.1:28055";
/** Where the original server listens; clients have it compiled in. */
export const DEFAULT_REMOTE_ADDRESS = "127.0.0.1:28056";
/** A path of a Unix domain socket: Linux keeps it in 108 bytes, with a zero at its end. */
export const MAX_SOCKET_PATH_BYTES = 107;
/** The folder that is served when none is named. */
export const DEFAULT_ROOT = "./larder-root";

/** How often clients are told to send heartbeats: the original's figure. */
export const DEFAULT_HEARTBEAT_INTERVAL_MS = 2_000;
/** How much later than the interval a lease ends, unless configured. */
export const HEARTBEAT_SLACK_MS = 2_000;
/** The longest lease, 24 days: a timer takes a signed 32-bit number of milliseconds. */
export const MAX_DURATION_MS = 24 * 24 * 3_600_000;
/** How long after a restart a loading entry stays with its client. */
export const DEFAULT_RESTART_GRACE_MS = 60_000;
/**
 * The least that a flag may give a client to answer, to read or to go on: below
 * it, a busy machine or a distant network looks like a client that has gone.
 */
export const MIN_PEER_TIME_MS = 100;
/** A client that holds a hundred assignments sends 10,000 heartbeats a second then. */
export const MIN_HEARTBEAT_INTERVAL_MS = 10;
/** Below it a value is old before anybody else can ask for it. */
export const MIN_AGE_MS = 1_000;
/** How long a stop waits for running work to be published. */
export const DEFAULT_DRAIN_TIMEOUT_MS = 10_000;
/** How long a handle pins what it names: the original's clients never renew. */
export const DEFAULT_HANDLE_LEASE_MS = 3_600_000;

/**
 * A file that was found whole for several at once is handed out again for so long
 * without another look. Whoever gets its path opens it about as much later anyway,
 * and a file that all ask for is looked at 200 times in a second.
 */
export const LOOK_COUNTS_MS = 5;

/** The common client gives a call 1 s; half of it is ours to wait with. */
export const MAX_REPLY_WAIT_MS = 500;
/** An expired assignment rests in memory this long, then only on disk. */
export const EXPIRED_IN_MEMORY_MS = 60_000;
/** An expired assignment is removed, row and staging file, after this. */
export const EXPIRED_ON_DISK_MS = 24 * 3_600_000;
/** Assignments on disk; the oldest of those that have expired goes first. */
export const MAX_UNSETTLED = 100_000;
/** Of these, what a start takes into memory: half of what it holds, for new ones. */
export const MAX_RESTORED = 50_000;
/** How often the expired assignments on disk are looked for. */
export const JANITOR_INTERVAL_MS = 10 * 60_000;

/** The root names a folder after a namespace: the file system's own limit. */
export const MAX_NAMESPACE_BYTES = 255;
/** A key is a hash or a short description; it is indexed twice by SQLite. */
export const MAX_KEY_BYTES = 64 * KIB;
/** Larger messages are refused before they are buffered. */
export const DEFAULT_MAX_MESSAGE_BYTES = 64 * MIB;
/** Nearly every gRPC client takes so much in a message, unless told otherwise. */
export const DEFAULT_MAX_REPLY_BYTES = 4 * MIB;
/** Some clients keep the length of a message in a signed 32-bit number. */
export const MAX_MAX_MESSAGE_BYTES = 1024 * MIB;

/** Bytes of hot values kept in memory. */
export const DEFAULT_MEMORY_CACHE_BYTES = 32 * MIB;
/**
 * Memory for requests and replies in flight, the hot values included: what a
 * server may take on a shared host without being noticed. One message of the
 * largest size fits beside the hot values, and half of it more.
 */
export const DEFAULT_MEMORY_BUDGET_BYTES = 128 * MIB;
/** What one connection may hold of it: a polite client needs no more at once. */
export const CONNECTION_BUDGET_BYTES = 16 * MIB;
/**
 * Values up to this cost no more than the call that carries them, of which
 * there is a bounded number; larger ones take their share of the budget.
 */
export const UNCOUNTED_VALUE_BYTES = 4 * KIB;
/**
 * What a stream carries in one message, and what it may find in the memory
 * cache: larger values are read from the disk piece by piece, so that their
 * size costs no memory. A piece of 256 KiB keeps a connection busy for longer
 * than the next one takes to be read.
 */
export const STREAM_BYTES = 256 * KIB;
/**
 * Values up to this come in the first message of a Fetch: a message of their
 * own costs a client more than their bytes do.
 */
export const FIRST_MESSAGE_BYTES = 64 * KIB;
/** Below this a budget would not let a single large value pass beside the others. */
export const MIN_MEMORY_BUDGET_BYTES = 16 * MIB;

/**
 * Entries at rest that the table remembers: about 1 KiB each. V8 lets its heap grow
 * to twice what lives there, so that each costs up to 2 KiB, and 16 MiB in all.
 */
export const MAX_RESTING_ENTRIES = 8_192;
/** Assignments in memory, about 500 bytes each; above it: Unassigned. */
export const MAX_ASSIGNMENTS = 100_000;
/**
 * Bytes of keys in memory. Ordinary keys are hashes and never come near it; of
 * the largest keys it holds 500, and then nobody is assigned more.
 */
export const MAX_KEYS_BYTES = 32 * MIB;
/** Live handles, about 200 bytes each; above it: Unassigned. */
export const MAX_HANDLES = 100_000;
/** Keys of Fetches up to this are as good as none; nearly all are. */
export const UNCOUNTED_KEY_BYTES = 4 * KIB;
/**
 * Bytes of longer keys of the Fetches that are open on a listener, however long
 * they wait; above it: come again. Each is in memory three times.
 */
export const MAX_OPEN_KEYS_BYTES = 16 * MIB;
/** Expired handles whose late Drop is still answered with OK. */
export const MAX_EXPIRED_HANDLES = 100_000;
/** Gets that wait for one entry; above it they are told Loading, or to come again. */
export const MAX_WAITERS_PER_ENTRY = 10_000;

/** Namespaces that metrics name beside those of the quotas; the rest is "other". */
export const MAX_LABELLED_NAMESPACES = 50;
/** Characters of a question to reflection: no name of ours comes near it. */
export const MAX_REFLECTION_NAME = 512;
/** What its answer takes: the largest descriptors, as objects and as a message. */
export const REFLECTION_REPLY_BYTES = 64 * KIB;

/**
 * Lines of `--log-calls` a second, some 100 KB: more would cost others their
 * answers, and nobody reads them. The rest is counted.
 */
export const MAX_CALL_LINES = 1_000;
/**
 * Calls a second that are traced, each with some ten spans: clients say that
 * theirs are, and must not be able to fill what exports them.
 */
export const MAX_TRACED_CALLS = 100;

/** Entries on one page of a listing. */
export const MAX_LISTED_ENTRIES = 500;
/**
 * Of the memory for calls, what Stats of keys above 1 KiB may take on a listener:
 * each has its key in memory four times. Nobody but them waits for it.
 */
export const MAX_STAT_BYTES = 4 * MIB;
/** Work that a status names: more fills no screen. */
export const MAX_SHOWN_WORK = 50;
/** Of those who wait for a piece of that work, whose addresses it names. */
export const MAX_SHOWN_WAITERS = 5;
/** Namespaces that a picture of the server names, those that take most: a screen. */
export const MAX_SHOWN_NAMESPACES = 20;
/** Limits that it names: an operator's quotas may be any number. */
export const MAX_SHOWN_FILLS = 100;
/** Kinds of what was evicted that are remembered; as many of what was refused, … */
export const MAX_HAPPENINGS = 20;
/** … and forgotten, when nothing like it has happened for an hour. */
export const HAPPENING_MS = 3_600_000;
/**
 * Those who watch the server at the same time, at all addresses: each takes a
 * picture of up to some 64 KiB a second.
 */
export const MAX_WATCHES = 32;
/** The least between two pictures: making one looks at all that is under way. */
export const MIN_WATCH_INTERVAL_MS = 250;
/** The most, so that who watches notices a server that has gone. */
export const MAX_WATCH_INTERVAL_MS = 60_000;
/** Between two pictures, unless asked for: what an eye can follow. */
export const DEFAULT_WATCH_INTERVAL_MS = 1_000;
/** Between two points of the page's plots, at first: somebody sees them grow. */
export const FIRST_POINT_MS = 5_000;
/** Points that are kept, about 100 bytes each; then the time between two doubles. */
export const MAX_POINTS = 1_080;
/** The most between two: so many points are a day. */
export const MAX_POINT_MS = 80_000;

/**
 * Connections by HTTP: monitoring and probes need a handful, people one each.
 * They come on top of `--max-connections`, and fit into what stays free of the
 * descriptors.
 */
export const MAX_HTTP_CONNECTIONS = 100;
/** The head of a request by HTTP: browsers send 1 KiB. */
export const MAX_HTTP_HEAD_BYTES = 8 * KIB;
/** For how long it may be on its way. */
export const HTTP_HEAD_MS = 10_000;
/** How long a connection is kept for the next request: scrapes come every 15 s. */
export const HTTP_IDLE_MS = 20_000;
/** How long a client may take nothing of its answer. */
export const HTTP_STALL_MS = 20_000;

/** How long a picture serves all who ask for one. */
export const PICTURE_AGE_MS = 200;
/** How long the count of what each namespace takes serves them: it is a query. */
export const USAGE_AGE_MS = 2_000;

/** Bytes of keys on one page: what a reply may take without being counted. */
export const MAX_LISTED_BYTES = MIB;

/**
 * What stays free on the disk unless configured: a manifest that cannot be
 * written serves nobody, and others live on the disk too.
 */
export const DEFAULT_MIN_FREE_BYTES = 100 * MIB;
/** The longest age that can be asked for: ten years. */
export const MAX_AGE_MS = 10 * 365 * 24 * 3_600_000;
/** Entries are taken away when a quota is filled to this share … */
export const HIGH_WATERMARK = 0.95;
/** … until it is filled to this one: in batches, not with every publish. */
export const LOW_WATERMARK = 0.9;
/**
 * Files (inodes) of the root's disk that stay free, where it holds only so many:
 * for the manifest, staging, rehearsals and the folders of new namespaces.
 */
export const KEPT_FREE_FILES = 8;
/** When these are missing so many more go, so that it need not be done at once again. */
export const FREE_FILES_SLACK = 8;
/** Of fewer entries than this none goes before the next one needs its place. */
export const MIN_BATCHED_ENTRIES = 100;
/** What a value is guessed to take while nothing is known of any. */
export const DEFAULT_ESTIMATE_BYTES = MIB;
/** Namespaces whose values' sizes are remembered, about 100 bytes each. */
export const MAX_ESTIMATED_NAMESPACES = 1_024;
/** Evictions that the stores have at once: the workers' queues stay short. */
export const EVICTIONS_AT_ONCE = 32;
/**
 * Entries that are chosen to go while somebody waits for room, about 1 KiB each:
 * a thousand small ones may have to go for a large one, within 500 ms. They
 * count no more, and their files follow.
 */
export const MAX_CHOSEN = 4_096;
/**
 * Bytes of those: until their files are gone, the disk holds so much more than
 * the limits say. It is less than what stays free by default.
 */
export const MAX_CHOSEN_BYTES = 64 * MIB;
/**
 * A page of a removal begins no more evictions after this: its caller hears how
 * far it came long before the 10 s of a call are over, also on a slow disk.
 */
export const REMOVAL_PAGE_MS = 1_000;
/**
 * Of what is to stay free on a disk, the share that a value may be written to
 * while the files go that make room for it: it need not wait for them then. The
 * rest is for the manifest, and for what others write meanwhile.
 */
export const LENT_SHARE = 0.5;
/** How often quotas, ages and the free disk are looked at anyway. */
export const EVICTION_INTERVAL_MS = 10_000;
/** The same while no value can be kept: work is refused until it looks again. */
export const FULL_INTERVAL_MS = 1_000;
/** Between being told that it is crowded and the look: many are told at once. */
export const EVICTION_PAUSE_MS = 20;
/**
 * A row says that its file was handed out once in half a handle's lease: what
 * was handed out within one lease was written within one and a half; a minute's
 * worth of rounding comes on top.
 */
export const HANDED_SHARE = 1.6;
/** How long uses are gathered before they are written. */
export const ACCESS_INTERVAL_MS = 30_000;
/** Uses that are gathered, about 300 bytes each; then they are written at once. */
export const MAX_PENDING_USES = 16_384;
/**
 * Bytes of their keys, gathered or being written: ordinary keys are hashes and
 * never come near it. Above it uses are forgotten, and the order of eviction is
 * off by them.
 */
export const MAX_PENDING_USE_BYTES = 8 * MIB;
/** Work in progress makes no more than this share of a limit go. */
export const MAX_RESERVED_SHARE = 0.25;

/** How often the files of TLS are looked at: as long as a renewal may wait. */
export const CERTIFICATE_LOOK_MS = 10_000;
/** How often the file of rights is looked at: a token that is taken back ends then. */
export const ACCESS_LOOK_MS = 10_000;
/** From so many days before its end a certificate is warned of, once a day. */
export const EXPIRY_WARNING_DAYS = 14;
/** A file of certificates or keys is a page of text; what is larger is another. */
export const MAX_CREDENTIALS_BYTES = MIB;

/**
 * When it is worth another attempt, for whoever has as much work, or as many
 * files in hand, as they may: computing and reading take about that.
 */
export const HOLDING_RETRY_MS = 2_000;

/** More workers than this gain nothing: the disk is the limit. */
export const MAX_WORKERS = 64;
/** Operations queued for the blob workers; above it: overloaded. */
export const MAX_BLOB_QUEUE = 8_192;
/** Bytes of values queued for the blob workers; above it: overloaded. */
export const MAX_BLOB_QUEUE_BYTES = 256 * MIB;
/** Operations queued for the manifest worker; above it: overloaded. */
export const MAX_MANIFEST_QUEUE = 16_384;
