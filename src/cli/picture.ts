/**
 * What the server says of itself, as the command line reads it.
 *
 * @module
 */

/** What the server is doing. */
export interface State {
  readonly loading: number;
  readonly publishing: number;
  readonly handles: number;
  readonly waiting: number;
  readonly evictedEntries: number;
  readonly evictedBytes: number;
  readonly damaged: number;
  readonly hits: number;
  readonly misses: number;
  readonly savedMs: number;
  readonly version: string;
}

/** Work that somebody has. */
export interface UnderWay {
  readonly namespace: string;
  /** For people; cut off where it is long. */
  readonly key: string;
  /** Where its holder calls from; empty: not known. */
  readonly holder: string;
  readonly computingMs: number;
  /** For how long its holder has not been heard. */
  readonly quietMs: number;
  /** Calls that wait for it. */
  readonly waiting: number;
  /** Where some of those call from. */
  readonly waiters: readonly string[];
  readonly publishing: boolean;
}

/** What the server is doing, on one screen. */
export interface Status extends State {
  readonly upMs: number;
  readonly entries: number;
  readonly bytes: number;
  /** 0: no limit. */
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** 0: not known. */
  readonly diskFreeBytes: number;
  readonly diskBytes: number;
  /** Why no value can be kept; empty: there is no trouble. */
  readonly trouble: string;
  /** What takes longest. */
  readonly underWay: readonly UnderWay[];
}

/** Ready entries of a namespace. */
export interface NamespaceUsage {
  readonly namespace: string;
  readonly entries: number;
  readonly bytes: number;
}

/** A limit, and how far it is filled. */
export interface Fill {
  readonly limit: string;
  readonly used: number;
  readonly most: number;
  readonly isBytes: boolean;
}

/** What happened lately, once or more often. */
export interface Happening {
  /** `evicted`, `refused` or `damaged`. */
  readonly kind: string;
  readonly reason: string;
  readonly detail: string;
  readonly namespace: string;
  readonly key: string;
  readonly count: number;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly agoMs: number;
}

/** What those see who watch. */
export interface Picture {
  /** `ready`, or why it is not. */
  readonly phase: string;
  readonly status: Status;
  readonly fills: readonly Fill[];
  readonly namespaces: readonly NamespaceUsage[];
  readonly namespaceCount: number;
  readonly lately: readonly Happening[];
}

/** A message as the loader of protos gives it: numbers of 64 bits are texts. */
type Loaded<T> = {
  readonly [name in keyof T]: T[name] extends readonly string[] ? T[name]
    : T[name] extends readonly (infer Item)[] ? readonly Loaded<Item>[]
    : T[name] extends object ? Loaded<T[name]>
    : T[name] extends number ? string
    : T[name];
};

/** Reads a `StatusReply`. */
export function statusOf(message: Loaded<Status>): Status {
  const { underWay, version, trouble, ...counts } = message;
  return {
    ...numbers(counts),
    version,
    trouble,
    underWay: underWay.map(({ computingMs, quietMs, waiting, ...work }) => ({
      ...work,
      ...numbers({ computingMs, quietMs, waiting }),
    })),
  };
}

/** Reads a `NamespaceUsage`. */
export function usageOf(
  { namespace, ...counts }: Loaded<NamespaceUsage>,
): NamespaceUsage {
  return { namespace, ...numbers(counts) };
}

/** Reads a `WatchReply`. */
export function pictureOf(message: Loaded<Picture>): Picture {
  const { phase, status, fills, namespaces, namespaceCount, lately } = message;
  return {
    phase,
    status: statusOf(status),
    fills: fills.map(({ used, most, ...fill }) => ({
      ...fill,
      ...numbers({ used, most }),
    })),
    namespaces: namespaces.map(usageOf),
    namespaceCount: Number(namespaceCount),
    lately: lately.map(({ count, bytes, sinceMs, agoMs, ...happening }) => ({
      ...happening,
      ...numbers({ count, bytes, sinceMs, agoMs }),
    })),
  };
}

/** Texts as the numbers that they are. */
export function numbers<Name extends string>(
  counts: Readonly<Record<Name, string>>,
): Record<Name, number> {
  return Object.fromEntries(
    Object.entries<string>(counts).map(([name, text]) => [name, Number(text)]),
  ) as Record<Name, number>;
}

/** A value for JSON, its names as the .proto files write them. */
export function inSnake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnake);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      inSnake(each),
    ]),
  );
}
