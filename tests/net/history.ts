/**
 * What clients did while the network was bad, and whether that was right.
 *
 * @module
 */

/** A computation has begun. */
export interface Computation {
  readonly type: "computation";
  readonly call: string;
  readonly key: string;
  /** Its value says so in each of its blocks. */
  readonly id: string;
  readonly atMs: number;
}

/** A call has ended. */
export interface Call {
  readonly type: "call";
  readonly call: string;
  readonly kind: "generate" | "stream" | "get";
  readonly key: string;
  readonly deadlineMs?: number;
  readonly beganMs: number;
  readonly endMs: number;
  /** Of which computation the value is; `torn`: of none, or of several. */
  readonly id?: string;
  readonly source?: string;
  readonly error?: string;
  readonly message?: string;
}

/** A call went on without the cache. */
export interface OutageSaid {
  readonly type: "outage";
  readonly atMs: number;
  readonly message: string;
}

/** What a worker writes down; `worker`: which one. */
export type Event = (Computation | Call | OutageSaid) & ByWorker;

interface ByWorker {
  readonly worker: number;
}

/** Something that was done to the network of one worker, or to all. */
export interface Fault {
  readonly what: string;
  /** `undefined`: to all. */
  readonly worker: number | undefined;
  readonly beganMs: number;
  readonly endMs: number;
}

/** How long things may take. */
export interface Bounds {
  readonly patienceMs: number;
  /** A lease, and how long before its end it is renewed at the latest. */
  readonly leaseMs: number;
  readonly intervalMs: number;
  /** A server that was away counts as away until it is asked again. */
  readonly awayMs: number;
  /** For a busy machine. */
  readonly slackMs: number;
}

/** What is not as it should be: a line each. */
export function wrongs(
  events: readonly Event[],
  faults: readonly Fault[],
  bounds: Bounds,
): string[] {
  const computations = events.filter((each) => each.type === "computation");
  const calls = events.filter((each) => each.type === "call");
  const outages = events.filter((each) => each.type === "outage");
  return [
    ...wrongValues(calls, computations),
    ...lateCalls(calls, bounds),
    ...unexplained(calls, { outages, faults }, bounds),
    ...extraComputations(calls, computations),
  ];
}

/** No value is one that no computation of its key produced, nor torn. */
function* wrongValues(
  calls: readonly Call[],
  computations: readonly Computation[],
): Generator<string> {
  const keys = new Map(computations.map(({ id, key }) => [id, key]));
  for (const { call, key, id } of calls) {
    if (id === undefined) continue;
    if (id === "torn") yield `${call} got a torn value for ${key}`;
    else if (keys.get(id) !== key) yield `${call} got a wrong value for ${key}`;
  }
}

/** Nothing takes longer than its deadline, or than patience can explain. */
function* lateCalls(
  calls: readonly Call[],
  { patienceMs, leaseMs, slackMs }: Bounds,
): Generator<string> {
  for (const { call, kind, deadlineMs, beganMs, endMs, error } of calls) {
    const tookMs = endMs - beganMs;
    // Somebody else's lease runs out, and then one's own patience; reading and
    // publishing have theirs. A stream's deadline ends when it begins.
    const longestMs = leaseMs + 3 * patienceMs;
    const limitMs = deadlineMs === undefined || kind === "stream"
      ? longestMs + (deadlineMs ?? 0)
      : deadlineMs;
    if (tookMs > limitMs + slackMs) {
      yield `${call} (${kind}) took ${tookMs} ms, of ${limitMs} ms; ${error}`;
    }
  }
}

/** A call fails, or is not kept, for a fault that is long enough. */
function* unexplained(
  calls: readonly (Call & ByWorker)[],
  { outages, faults }: {
    readonly outages: readonly (OutageSaid & ByWorker)[];
    readonly faults: readonly Fault[];
  },
  { leaseMs, intervalMs, awayMs }: Bounds,
): Generator<string> {
  for (const call of calls) {
    const { source, error, kind } = call;
    const isBad = source === "uncached" ||
      (error !== undefined && error !== "deadline");
    if (!isBad) continue;
    const { worker } = call;
    // A stream cannot be sent again: any cut ends its publish.
    const leastMs = kind === "stream" ? 0 : leaseMs - intervalMs - 100;
    const isExplained = faults.some((fault) =>
      (fault.worker === undefined || fault.worker === worker) &&
      fault.endMs - fault.beganMs >= leastMs &&
      fault.beganMs < call.endMs &&
      fault.endMs > call.beganMs - leaseMs - awayMs
    );
    if (isExplained) continue;
    const said = outages.filter(({ worker: by, atMs }) =>
      by === worker && atMs >= call.beganMs && atMs <= call.endMs
    ).map(({ message }) => message);
    const near = faults.filter(({ beganMs, endMs }) =>
      beganMs < call.endMs && endMs > call.beganMs - leaseMs - awayMs
    ).map(({ what, worker, beganMs, endMs }) =>
      `${what} of ${worker ?? "all"} from ${beganMs - call.beganMs} to ` +
      `${endMs - call.beganMs} ms`
    );
    yield `${call.call} of ${worker} (${kind}) ended with ${source ?? error} ` +
      `after ${call.endMs - call.beganMs} ms without a fault that explains ` +
      `it; said: ${said.join("; ")}; faults: ${near.join("; ")}`;
  }
}

/** What was kept is not computed again. */
function* extraComputations(
  calls: readonly Call[],
  computations: readonly Computation[],
): Generator<string> {
  const outcomes = new Map(calls.map((call) => [call.call, call]));
  const byKey = Map.groupBy(computations, ({ key }) => key);
  for (const [key, all] of byKey) {
    const kept = all.filter(({ call, id }) => {
      const { kind, source, id: got } = outcomes.get(call) ?? {};
      return kind === "generate" && source === "computed" && got === id;
    });
    if (kept.length > 1) {
      yield `${key} was computed and kept ${kept.length} times`;
    }
    const [first] = kept;
    if (!first) continue;
    const keptMs = outcomes.get(first.call)!.endMs;
    for (const { call, atMs } of all) {
      const { source, error, kind } = outcomes.get(call) ?? {};
      const isFree = source === "uncached" || error !== undefined ||
        kind === "stream";
      if (atMs > keptMs && !isFree) {
        yield `${call} computed ${key}, which was kept`;
      }
    }
  }
}
