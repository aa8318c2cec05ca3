/**
 * Whether what clients did while the network was bad was right.
 *
 * @module
 */

import { Explanations } from "./explained.ts";
import { wrongValues } from "./values.ts";
import type {
  Bounds,
  ByWorker,
  Call,
  Computation,
  Event,
  Fault,
  FaultKind,
} from "./history.ts";

/** A silent connection, unlike a refused one, costs so much at the least. */
const SILENT_MS = 2_000;
/** While they last, nothing is heard of the server. */
const TOTAL: readonly FaultKind[] = ["refused", "silent", "server stopped"];

/** Errors that the workers make themselves. */
const MEANT = ["deadline", "midway"];

type By<T> = T & ByWorker;

/** What is not as it should be: a line each. */
export function wrongs(
  events: readonly Event[],
  faults: readonly Fault[],
  bounds: Bounds,
): string[] {
  const computations = events.filter((each) => each.type === "computation");
  const calls = events.filter((each) => each.type === "call");
  const outages = events.filter((each) => each.type === "outage");
  const explanations = new Explanations(faults, bounds);
  const failed = calls.filter(({ error }) =>
    error !== undefined && !MEANT.includes(error)
  ).map(({ worker, endMs, error, message = "" }) => ({
    ...{ worker, atMs: endMs, code: error!, message },
  }));
  const unexplained = [
    ...explanations.unexplained([...outages, ...failed]),
  ].map(({ worker, atMs, code, message }) =>
    `worker ${worker} had ${code} without a fault that explains it: ` +
    `${message}; faults: ${near(faults, worker, atMs)}`
  );
  const said = (call: By<Call>) => isSaid(call, outages, bounds);
  return [
    ...wrongValues(calls, computations),
    ...pastDeadline(calls, bounds),
    ...pastPatience(calls, faults, bounds),
    ...unexplained,
    ...unsaid(calls, said),
    ...extraComputations(calls, computations, (call) =>
      said(call) ||
      explanations.isNear(call.worker, call.beganMs, call.endMs)),
  ];
}

/** Nothing takes longer than its deadline, which of a stream is for its start. */
function* pastDeadline(
  calls: readonly Call[],
  { slackMs }: Bounds,
): Generator<string> {
  for (const each of calls) {
    const { call, kind, deadlineMs, beganMs, lateMs, error } = each;
    if (deadlineMs === undefined) continue;
    const tookMs = (each.startedMs ?? each.endMs) - beganMs;
    if (tookMs <= deadlineMs + lateMs + slackMs) continue;
    yield `${call} (${kind}) took ${tookMs} ms, of ${deadlineMs} ms; ${error}`;
  }
}

/** No call tries for longer than its patience while nothing is heard. */
function* pastPatience(
  calls: readonly By<Call>[],
  faults: readonly Fault[],
  { patienceMs, leaseMs, graceMs, slackMs }: Bounds,
): Generator<string> {
  for (const each of calls) {
    const { call, kind, worker, beganMs, endMs, computeMs, lateMs } = each;
    const extraMs = 2 * computeMs + lateMs + slackMs;
    // A server that is killed may have given out work of which nobody knows.
    const isGraced = faults.some(({ what, endMs: killedMs }) =>
      what === "server killed" && killedMs > beganMs - graceMs &&
      killedMs < endMs
    );
    // Somebody else's lease runs out, and then one's own patience; reading and
    // publishing have theirs.
    const mostMs = (isGraced ? graceMs : 0) + leaseMs +
      3 * (patienceMs + SILENT_MS) + extraMs;
    if (endMs - beganMs > mostMs) {
      yield `${call} (${kind}) took ${endMs - beganMs} ms, of ${mostMs} ms`;
    }
    for (const fault of faults) {
      const isItsOwn = fault.worker === undefined || fault.worker === worker;
      if (!isItsOwn || !TOTAL.includes(fault.what)) continue;
      const withoutMs = Math.min(endMs, fault.endMs) -
        Math.max(beganMs, fault.beganMs);
      if (withoutMs <= patienceMs + SILENT_MS + extraMs) continue;
      yield `${call} (${kind}) went on for ${withoutMs} ms of ${fault.what}`;
    }
  }
}

/** Who goes on without the cache says so. */
function* unsaid(
  calls: readonly By<Call>[],
  said: (call: By<Call>) => boolean,
): Generator<string> {
  for (const each of calls) {
    const { call, key, source } = each;
    if (source !== "uncached" || said(each)) continue;
    yield `${call} computed ${key}, kept it not, and said nothing`;
  }
}

/** Whether it was said that a call went on without the cache. */
function isSaid(
  { worker, beganMs, endMs, computeMs, lateMs }: By<Call>,
  outages: readonly By<{ readonly atMs: number }>[],
  { slackMs }: Bounds,
): boolean {
  // It may have joined a computation of which it had been said.
  const fromMs = beganMs - computeMs - slackMs - lateMs;
  return outages.some(({ worker: by, atMs }) =>
    by === worker && atMs >= fromMs && atMs <= endMs
  );
}

/** What was kept is not computed again. */
function* extraComputations(
  calls: readonly By<Call>[],
  computations: readonly Computation[],
  isTroubled: (call: By<Call>) => boolean,
): Generator<string> {
  const outcomes = new Map(calls.map((call) => [call.call, call]));
  const byKey = Map.groupBy(computations, ({ key }) => key);
  for (const [key, all] of byKey) {
    const kept = all.filter(({ call, id }) => {
      const { kind, source, id: got } = outcomes.get(call) ?? {};
      return kind === "generate" && source === "computed" && got === id;
    });
    const [first] = kept;
    if (!first) continue;
    const keptMs = outcomes.get(first.call)!.endMs;
    for (const { call, atMs } of all) {
      const outcome = outcomes.get(call);
      // That is looked at by itself.
      if (atMs <= keptMs || !outcome || outcome.source === "uncached") continue;
      const { kind, error } = outcome;
      const isFree = (kind === "stream" || error !== undefined) &&
        isTroubled(outcome);
      if (!isFree) yield `${call} computed ${key}, which was kept`;
    }
  }
}

/** The faults of a worker around a time, for people. */
function near(faults: readonly Fault[], worker: number, atMs: number): string {
  return faults.filter((fault) =>
    (fault.worker === undefined || fault.worker === worker) &&
    fault.beganMs < atMs && fault.endMs > atMs - 20_000
  ).map(({ what, beganMs, endMs }) =>
    `${what} from ${beganMs - atMs} to ${endMs - atMs} ms`
  ).join(", ") || "none";
}
