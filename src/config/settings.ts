/**
 * The one table of settings: flags, keys of the TOML file, `--help` and the
 * confined command are derived from it.
 *
 * @module
 */

import { formatDurationMs, parseDurationMs } from "./duration.ts";
import {
  DEFAULT_HANDSHAKE_TIMEOUT_MS,
  DEFAULT_IDLE_BODY_TIMEOUT_MS,
  DEFAULT_KEEPALIVE_MS,
  DEFAULT_KEEPALIVE_TIMEOUT_MS,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_STREAMS,
  DEFAULT_STALL_TIMEOUT_MS,
} from "../http2/limits.ts";
import {
  DEFAULT_DRAIN_TIMEOUT_MS,
  DEFAULT_HANDLE_LEASE_MS,
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  DEFAULT_LOCAL_ADDRESS,
  DEFAULT_MAX_MESSAGE_BYTES,
  DEFAULT_MAX_REPLY_BYTES,
  DEFAULT_MEMORY_BUDGET_BYTES,
  DEFAULT_MEMORY_CACHE_BYTES,
  DEFAULT_MIN_FREE_BYTES,
  DEFAULT_REMOTE_ADDRESS,
  DEFAULT_RESTART_GRACE_MS,
  DEFAULT_ROOT,
  HEARTBEAT_SLACK_MS,
  MAX_AGE_MS,
  MAX_DURATION_MS,
  MAX_MAX_MESSAGE_BYTES,
  MAX_WORKERS,
  MIN_AGE_MS,
  MIN_HEARTBEAT_INTERVAL_MS,
  MIN_MEMORY_BUDGET_BYTES,
  MIN_PEER_TIME_MS,
} from "../limits.ts";
import {
  type Address,
  formatAddress,
  parseAddress,
  parseInherited,
  parseListener,
} from "./address.ts";
import { formatByteSize, parseByteSize } from "./byte_size.ts";
import {
  formatMinFree,
  formatQuotas,
  parseMinFree,
  parseQuotas,
} from "./quotas.ts";
import type { Config, GivenConfig } from "./shape.ts";
import { formatSharedGroups, parseSharedGroups } from "./shared.ts";
import {
  defaultSocketMode,
  formatMode,
  parseGroup,
  parseSocketMode,
} from "./sockets.ts";

/** The launcher counts descriptors with it, and loads nothing of HTTP/2. */
export { DISMISSAL_SHARE } from "../http2/limits.ts";

/** A worker costs about 10 MB: more than this only when asked for. */
const MAX_DEFAULT_WORKERS = 8;
/** A limit on messages below this would refuse ordinary requests. */
const MIN_MAX_MESSAGE_BYTES = 1_024;
/** No machine that serves a cache has more memory than this, 1 TiB. */
const MAX_MEMORY_CACHE_BYTES = 2 ** 40;

/** More sockets than a process gets descriptors for by any default. */
const MAX_MAX_CONNECTIONS = 1_000_000;
/** Eight connections with more would have all the calls that may be open. */
const MAX_MAX_STREAMS = 400;

/** No disk and no index holds more, and numbers stay exact. */
const MAX_KEPT = 2 ** 50;

/** One row of the table. */
export interface Setting<T> {
  /** The flag without its dashes, and the key in the TOML file. */
  readonly name: string;
  /** The one-letter flag. */
  readonly short?: string;
  /** What the value is called in `--help`. */
  readonly argument: string;
  /** It has no value on the command line: to write it is to want it. */
  readonly isSwitch?: true;
  /** What `--help` says, without the default. */
  readonly help: string;
  /** What `--help` says about the default. */
  readonly defaultHelp: string;
  /** The default, which may depend on what was given. */
  readonly default: (given: GivenConfig) => T;
  /** Reads a value, or throws a RangeError that says how to write it. */
  readonly parse: (text: string) => T;
  /** Writes a value so that `parse` reads it back. */
  readonly render: (value: T) => string;
}

/** The table: a setting added here is a flag, a key and a line of help. */
export const SETTINGS: { readonly [K in keyof Config]: Setting<Config[K]> } = {
  root: {
    name: "root",
    argument: "ROOT",
    help: "the folder to serve; created with mode 0700 when it is missing",
    defaultHelp: DEFAULT_ROOT,
    default: () => DEFAULT_ROOT,
    parse: parseRoot,
    render: String,
  },
  local: {
    name: "local",
    short: "l",
    argument: "ADDR",
    help:
      "where LocalCache listens: ip:port, port 0 picks one, unix:PATH, or " +
      "fd:NAME of systemd; off disables",
    defaultHelp: `${DEFAULT_LOCAL_ADDRESS}, or off when only --remote is given`,
    default: (given) =>
      given.remote ? undefined : parseAddress(DEFAULT_LOCAL_ADDRESS),
    parse: parseService,
    render: renderService,
  },
  remote: {
    name: "remote",
    short: "r",
    argument: "ADDR",
    help:
      "where RemoteCache listens: ip:port, port 0 picks one, unix:PATH, or " +
      "fd:NAME of systemd; off disables",
    defaultHelp: `${DEFAULT_REMOTE_ADDRESS}, or off when only --local is given`,
    default: (given) =>
      given.local ? undefined : parseAddress(DEFAULT_REMOTE_ADDRESS),
    parse: parseService,
    render: renderService,
  },
  socketMode: {
    name: "socket-mode",
    argument: "MODE",
    help: "the permission bits of Unix domain sockets: who may connect",
    defaultHelp: "0600, or 0660 with --socket-group",
    default: defaultSocketMode,
    parse: parseSocketMode,
    render: formatMode,
  },
  socketGroup: {
    name: "socket-group",
    argument: "GROUP",
    help: "the group of Unix domain sockets, by its name or number",
    defaultHelp: "the user's own",
    default: () => undefined,
    parse: parseGroup,
    render: (group) => group ?? "",
  },
  http: {
    name: "http",
    argument: "ADDR",
    help:
      "where a status page, /metrics, /healthz and /readyz are: ip:port or " +
      "fd:NAME",
    defaultHelp: "off",
    default: () => undefined,
    parse: parseHttp,
    render: renderService,
  },
  httpHosts: {
    name: "http-host",
    argument: "NAME,…",
    help:
      "names by which that may be called, beside IP addresses and localhost",
    defaultHelp: "none",
    default: () => [],
    parse: parseHosts,
    render: (names) => names.join(","),
  },
  tlsCert: file(
    "tls-cert",
    "the server's certificate as PEM, with those that vouch for it: then its " +
      "listeners speak TLS",
  ),
  tlsKey: file(
    "tls-key",
    "the private key of that certificate, as PEM without a passphrase",
  ),
  clientCa: file(
    "client-ca",
    "certificates that vouch for clients: whoever shows none of theirs is refused",
  ),
  tlsOn: choice("tls-on", ["all", "local", "remote"], {
    help: "which listeners speak TLS; the other one speaks plain text",
    default: "all",
  }),
  access: file(
    "access",
    "a TOML file of tokens and certificates, and of what those may do who have " +
      "them: larder token new makes an entry",
  ),
  insecure: toggle("insecure", {
    help:
      "plain text on addresses that other machines reach: whoever is between " +
      "reads and changes what is said",
    defaultHelp: "refused",
  }),
  shared: toggle("shared", {
    help:
      "serve other users of this machine: whoever knows a key can read its file",
    defaultHelp: "the server's own user only",
  }),
  sharedGroups: {
    name: "shared-groups",
    argument: "NS=GROUP,…",
    help:
      "with --shared, which group alone can read the files of some namespaces: " +
      "sim.*=simulators,*=ci",
    defaultHelp: "none",
    default: () => [],
    parse: parseSharedGroups,
    render: formatSharedGroups,
  },
  httpPage: {
    name: "http-page",
    argument: "on|off",
    help: "whether the status page is there, too, which shows keys and clients",
    defaultHelp: "on",
    default: () => true,
    parse(text) {
      if (text === "on" || text === "off") return text === "on";
      throw new RangeError("write on or off");
    },
    render: (isOn) => isOn ? "on" : "off",
  },
  heartbeatIntervalMs: duration(
    "heartbeat-interval",
    "how often clients are told to send heartbeats",
    {
      minMs: MIN_HEARTBEAT_INTERVAL_MS,
      defaultMs: DEFAULT_HEARTBEAT_INTERVAL_MS,
    },
  ),
  heartbeatTimeoutMs: {
    ...duration(
      "heartbeat-timeout",
      "how long an assignment lives without one; more than the interval",
      { minMs: MIN_PEER_TIME_MS, defaultMs: 0 },
    ),
    defaultHelp: `the interval plus ${formatDurationMs(HEARTBEAT_SLACK_MS)}`,
    default: (given) =>
      (given.heartbeatIntervalMs ?? DEFAULT_HEARTBEAT_INTERVAL_MS) +
      HEARTBEAT_SLACK_MS,
  },
  restartGraceMs: duration(
    "restart-grace",
    "how long after a restart work in progress stays with its client",
    { minMs: 0, defaultMs: DEFAULT_RESTART_GRACE_MS },
  ),
  drainTimeoutMs: duration(
    "drain-timeout",
    "how long a stop waits for running work to be published",
    { minMs: 0, defaultMs: DEFAULT_DRAIN_TIMEOUT_MS },
  ),
  handleLeaseMs: duration(
    "handle-lease",
    "how long a file that a client holds is kept without a renewal",
    { minMs: MIN_PEER_TIME_MS, defaultMs: DEFAULT_HANDLE_LEASE_MS },
  ),
  maxComputeMs: optional(duration(
    "max-compute-time",
    "how long one client may compute a value, heartbeats or not; then it goes " +
      "to the next who asks",
    { minMs: MIN_PEER_TIME_MS, defaultMs: 0 },
  )),
  maxBytes: optional(bytes(
    "max-bytes",
    "what all values may take together; the least recently used go first",
    { min: 1, max: MAX_KEPT, default: 1 },
  )),
  maxEntries: optional(count(
    "max-entries",
    "how many values are kept",
    { min: 1, max: MAX_KEPT, default: 1 },
  )),
  maxAgeMs: optional(duration(
    "max-age",
    "values that nobody used for so long go",
    { minMs: MIN_AGE_MS, maxMs: MAX_AGE_MS, defaultMs: 0 },
  )),
  minFree: {
    name: "min-free",
    argument: "BYTES|N%",
    help: "what stays free on the root's disk, as a size or a share of it",
    defaultHelp: formatByteSize(DEFAULT_MIN_FREE_BYTES),
    default: () => ({ bytes: DEFAULT_MIN_FREE_BYTES }),
    parse: parseMinFree,
    render: formatMinFree,
  },
  quotas: {
    name: "quotas",
    argument: "NS=BYTES,…",
    help: "what some namespaces may take: sim.*=20GiB,synth=5GiB",
    defaultHelp: "none",
    default: () => [],
    parse: parseQuotas,
    render: formatQuotas,
  },
  workers: {
    name: "workers",
    argument: "N",
    help: `threads that read and write blobs, 1 to ${MAX_WORKERS}`,
    defaultHelp: `one a core, at most ${MAX_DEFAULT_WORKERS}`,
    default: () =>
      Math.max(1, Math.min(navigator.hardwareConcurrency, MAX_DEFAULT_WORKERS)),
    parse: (text) => parseCount(text, 1, MAX_WORKERS),
    render: String,
  },
  maxMessageBytes: bytes(
    "max-message-bytes",
    "the largest message, and so roughly the largest value of Set",
    {
      min: MIN_MAX_MESSAGE_BYTES,
      max: MAX_MAX_MESSAGE_BYTES,
      default: DEFAULT_MAX_MESSAGE_BYTES,
    },
  ),
  maxReplyBytes: bytes(
    "max-reply-bytes",
    "the largest reply of RemoteCache.Get; clients of larger values are told " +
      "Unassigned, and larder.v1 serves them",
    {
      min: MIN_MAX_MESSAGE_BYTES,
      max: MAX_MAX_MESSAGE_BYTES,
      default: DEFAULT_MAX_REPLY_BYTES,
    },
  ),
  memoryCacheBytes: bytes(
    "memory-cache-bytes",
    "hot values kept in memory; 0 keeps none",
    {
      min: 0,
      max: MAX_MEMORY_CACHE_BYTES,
      default: DEFAULT_MEMORY_CACHE_BYTES,
    },
  ),
  memoryBudgetBytes: bytes(
    "memory-budget-bytes",
    "memory for requests and replies in flight, hot values included; what " +
      "does not fit waits, then is told Loading",
    {
      min: MIN_MEMORY_BUDGET_BYTES,
      max: MAX_MEMORY_CACHE_BYTES,
      default: DEFAULT_MEMORY_BUDGET_BYTES,
    },
  ),
  maxConnections: count(
    "max-connections",
    "connections open at once, at both addresses together; the launcher keeps it " +
      "below the descriptor limit",
    { min: 1, max: MAX_MAX_CONNECTIONS, default: DEFAULT_MAX_CONNECTIONS },
  ),
  maxStreams: count(
    "max-streams",
    "calls open at once on one connection, at most 400; clients queue the others",
    { min: 1, max: MAX_MAX_STREAMS, default: DEFAULT_MAX_STREAMS },
  ),
  handshakeTimeoutMs: duration(
    "handshake-timeout",
    "how long a new connection may take to say what it is",
    { minMs: MIN_PEER_TIME_MS, defaultMs: DEFAULT_HANDSHAKE_TIMEOUT_MS },
  ),
  idleBodyTimeoutMs: duration(
    "idle-body-timeout",
    "how long a request may pause before its end",
    { minMs: MIN_PEER_TIME_MS, defaultMs: DEFAULT_IDLE_BODY_TIMEOUT_MS },
  ),
  stallTimeoutMs: duration(
    "stall-timeout",
    "how long a client may take nothing of its reply",
    { minMs: MIN_PEER_TIME_MS, defaultMs: DEFAULT_STALL_TIMEOUT_MS },
  ),
  keepaliveMs: duration(
    "keepalive",
    "after how long a client is asked whether it is still there",
    { minMs: MIN_PEER_TIME_MS, defaultMs: DEFAULT_KEEPALIVE_MS },
  ),
  keepaliveTimeoutMs: duration(
    "keepalive-timeout",
    "how long it may take to answer; then its connection is closed",
    { minMs: MIN_PEER_TIME_MS, defaultMs: DEFAULT_KEEPALIVE_TIMEOUT_MS },
  ),
  durability: choice("durability", ["relaxed", "strict"], {
    help:
      "what an acknowledged value survives: relaxed a killed server, strict a power cut",
    default: "relaxed",
  }),
  traceRatio: optional({
    name: "trace",
    argument: "RATIO",
    help:
      "which share of the calls is traced, beside those whose client traces " +
      "them: 0 to 1, as 0.01",
    defaultHelp: "off",
    default: () => 0,
    parse(text) {
      const ratio = /^\d+(\.\d+)?(e-\d+)?$/.test(text) ? Number(text) : NaN;
      if (ratio <= 1) return ratio;
      throw new RangeError("write a number from 0 to 1, such as 0.01, or off");
    },
    render: String,
  }),
  logCalls: choice("log-calls", ["off", "failed", "all"], {
    help: "which calls have a line each in the log: those that failed, or all",
    default: "off",
  }),
  logFormat: choice("log-format", ["text", "json"], {
    help: "how the log on stderr is written: text for people, or JSON lines",
    default: "text",
  }),
};

/** The settings that are paths of files. */
export const FILE_KEYS = ["tlsCert", "tlsKey", "clientCa", "access"] as const;

/** On where it is written, off where it is not. */
function toggle(
  name: string,
  about: { readonly help: string; readonly defaultHelp: string },
): Setting<boolean> {
  return {
    name,
    argument: "",
    isSwitch: true,
    ...about,
    default: () => false,
    parse(text) {
      if (text === "true" || text === "false") return text === "true";
      throw new RangeError("write true or false");
    },
    render: String,
  };
}

/** One of some words. */
function choice<Word extends string>(
  name: string,
  words: readonly Word[],
  about: { readonly help: string; readonly default: Word },
): Setting<Word> {
  return {
    name,
    argument: words.join("|"),
    help: about.help,
    defaultHelp: about.default,
    default: () => about.default,
    parse(text) {
      const word = words.find((each) => each === text);
      if (word !== undefined) return word;
      const others = words.slice(0, -1).join(", ");
      throw new RangeError(`write ${others} or ${words.at(-1)}`);
    },
    render: String,
  };
}

function parseRoot(text: string): string {
  if (text === "") throw new RangeError("the folder's name is missing");
  // Deno's permission flags split at commas and know no escape.
  if (text.includes(",")) {
    throw new RangeError("a root's path cannot hold a comma: rename it");
  }
  return text;
}

function file(name: string, help: string): Setting<string | undefined> {
  return {
    name,
    argument: "FILE",
    help,
    defaultHelp: "none",
    default: () => undefined,
    parse(text) {
      if (text === "") throw new RangeError("the file's name is missing");
      if (text.includes(",")) {
        throw new RangeError("a path that is granted to Deno holds no comma");
      }
      return text;
    },
    render: (path) => path ?? "",
  };
}

function parseService(text: string): Address | undefined {
  return text === "off" ? undefined : parseListener(text);
}

function parseHttp(text: string): Config["http"] {
  if (text === "off") return undefined;
  return parseInherited(text) ?? parseAddress(text);
}

const HOST_NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

function parseHosts(text: string): readonly string[] {
  const names = text.toLowerCase().split(",");
  if (names.every((name) => HOST_NAME.test(name))) return names;
  throw new RangeError(
    "write names without ports, separated by commas: metrics.example.com",
  );
}

function renderService(address: Address | undefined): string {
  return address ? formatAddress(address) : "off";
}

function duration(
  name: string,
  help: string,
  { minMs, maxMs = MAX_DURATION_MS, defaultMs }: {
    minMs: number;
    maxMs?: number;
    defaultMs: number;
  },
): Setting<number> {
  return {
    name,
    argument: "D",
    help,
    defaultHelp: formatDurationMs(defaultMs),
    default: () => defaultMs,
    parse(text) {
      const ms = parseDurationMs(text);
      if (ms >= minMs && ms <= maxMs) return ms;
      throw new RangeError(
        `out of range: ${formatDurationMs(minMs)} to ${
          formatDurationMs(maxMs)
        }`,
      );
    },
    render: formatDurationMs,
  };
}

/** A setting that is off unless it is given. */
function optional(setting: Setting<number>): Setting<number | undefined> {
  return {
    ...setting,
    defaultHelp: "off",
    default: () => undefined,
    parse: (text) => text === "off" ? undefined : setting.parse(text),
    render: (value) => value === undefined ? "off" : setting.render(value),
  };
}

function bytes(
  name: string,
  help: string,
  bounds: { min: number; max: number; default: number },
): Setting<number> {
  const { min, max } = bounds;
  return {
    name,
    argument: "BYTES",
    help,
    defaultHelp: formatByteSize(bounds.default),
    default: () => bounds.default,
    parse(text) {
      const size = parseByteSize(text);
      if (size >= min && size <= max) return size;
      throw new RangeError(
        `out of range: ${formatByteSize(min)} to ${formatByteSize(max)}` +
          (/\D/.test(text) ? "" : ", in bytes where no unit follows at once"),
      );
    },
    render: formatByteSize,
  };
}

function count(
  name: string,
  help: string,
  bounds: { min: number; max: number; default: number },
): Setting<number> {
  return {
    name,
    argument: "N",
    help,
    defaultHelp: String(bounds.default),
    default: () => bounds.default,
    parse: (text) => parseCount(text, bounds.min, bounds.max),
    render: String,
  };
}

function parseCount(text: string, min: number, max: number): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (count >= min && count <= max) return count;
  throw new RangeError(`write a whole number from ${min} to ${max}`);
}
