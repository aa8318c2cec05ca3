/**
 * How calls ended, by method.
 *
 * @module
 */

import { Status, type StatusCode } from "../grpc/status.ts";
import type { Family } from "./family.ts";
import { doesLast, hasFailed } from "./lasting_calls.ts";
import { Histogram, newCounts, quantileMs } from "./histogram.ts";

/** The names of the codes. */
const NAMES = Object.keys(Status);
const CODES: readonly StatusCode[] = Object.values(Status);

/** The calls of one method. */
export class MethodTally {
  /** `remote.RemoteCache`. */
  readonly service: string;
  /** `Get`. */
  readonly method: string;
  /** By status code. */
  readonly counts: Float64Array = new Float64Array(NAMES.length);
  /** How long they took. */
  readonly durations: Histogram = new Histogram();

  /** Of a path such as `/remote.RemoteCache/Get`; empty: of all that name none. */
  constructor(path: string) {
    const [, service = "other", method = "other"] = path.split("/");
    this.service = service;
    this.method = method;
  }

  /** {@inheritDoc MethodObserver.ended} */
  ended(code: StatusCode, tookMs: number): void {
    this.counts[code]!++;
    this.durations.add(tookMs);
  }
}

/** The calls of one method, for people. */
export interface MethodSummary {
  readonly service: string;
  readonly method: string;
  readonly total: number;
  /** Those that did not end as they should. */
  readonly failed: number;
  /** Half of them took less, in milliseconds, and 99 of 100. */
  readonly medianMs: number;
  readonly slowMs: number;
}

/** The calls of all listeners. */
export class CallTallies {
  readonly #methods = new Map<string, MethodTally>();

  /** The tally of a method, whichever listener it is called on. */
  readonly observe = (path: string): MethodTally => {
    const tally = this.#methods.get(path) ?? new MethodTally(path);
    this.#methods.set(path, tally);
    return tally;
  };

  /** The calls of each method. */
  summary(): MethodSummary[] {
    return [...this.#methods.values()].map(summaryOf);
  }

  /** How many have ended. */
  get total(): number {
    return [...this.#methods.values()]
      .reduce((sum, { durations }) => sum + durations.count, 0);
  }

  /** How long they took, by the buckets of histograms. */
  durations(): Float64Array {
    const counts = newCounts();
    for (const { method, durations } of this.#methods.values()) {
      if (!doesLast(method)) durations.addTo(counts);
    }
    return counts;
  }

  /** What is told of them. */
  families(): Family[] {
    const name = "larder_call_duration_seconds";
    return [{
      type: "counter",
      name: "larder_calls_total",
      help: "Calls that have ended, by the status that was sent.",
      read: () => [...this.#methods.values()].flatMap(countsOf),
    }, {
      type: "histogram",
      name,
      help: "From the head of a call to its status, waiting included.",
      read: () =>
        [...this.#methods.values()].flatMap(({ service, method, durations }) =>
          durations.samples(name, { service, method })
        ),
    }];
  }
}

/** OK always, so that a rate has a beginning; others once they have occurred. */
function countsOf({ service, method, counts }: MethodTally) {
  return NAMES.flatMap((code, at) =>
    at === Status.OK || counts[at]! > 0
      ? [{ labels: { service, method, code }, value: counts[at]! }]
      : []
  );
}

function summaryOf(
  { service, method, counts, durations }: MethodTally,
): MethodSummary {
  const total = durations.count;
  const buckets = newCounts();
  durations.addTo(buckets);
  return {
    service,
    method,
    total,
    failed: CODES.filter((code) => hasFailed(code, method))
      .reduce<number>((sum, code) => sum + counts[code]!, 0),
    medianMs: quantileMs(buckets, 0.5) ?? 0,
    slowMs: quantileMs(buckets, 0.99) ?? 0,
  };
}
