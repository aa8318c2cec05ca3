/**
 * What became of requests, by namespace: of a bounded number of these, since
 * anybody can make up names.
 *
 * @module
 */

import { MAX_LABELLED_NAMESPACES } from "../limits.ts";
import { covers } from "../table/scope.ts";
import type { TableObserver } from "../table/observer.ts";
import type { NamespaceUsage, UnassignedReason } from "../table/types.ts";
import type { Family, Sample } from "./family.ts";

/** All that have no label of their own. */
const OTHER = "other";
/** How many namespaces are remembered that have none. */
const MAX_REMEMBERED = 1_000;

/** Why a Get got nothing; each is there from the beginning, so that rates are right. */
const REASONS: readonly (UnassignedReason | "not-asked")[] = [
  ...["not-asked", "too-large", "full", "no-room", "still-read"] as const,
  ...["caller-assignments", "caller-handles", "stopping", "failed"] as const,
];

/** What is counted of a namespace, or of many with one label. */
interface Tally {
  readonly label: string;
  hits: number;
  misses: number;
  savedMs: number;
  publishedValues: number;
  publishedBytes: number;
}

/** What is kept under one label. */
export interface Kept {
  readonly label: string;
  bytes: number;
  entries: number;
}

/** What happened to the entries since the start. */
export class NamespaceTallies implements TableObserver {
  readonly #other = newTally(OTHER);
  /** In the order in which they are looked through: the narrowest first. */
  readonly #quotas: readonly { pattern: string; tally: Tally }[];
  /** Those that have published, …  */
  readonly #own = new Map<string, Tally>();
  /** … and others that were seen lately. */
  readonly #seen = new Map<string, Tally>();
  readonly #unassigned = new Map(REASONS.map((reason) => [reason, 0]));
  readonly #ended = { abandoned: 0, expired: 0 };
  #assigned = 0;
  #waits = 0;
  #waitedMs = 0;

  /** Each quota is a label, for all namespaces that it covers. */
  constructor(patterns: readonly string[]) {
    this.#quotas = patterns.filter((pattern) => pattern !== OTHER)
      .toSorted((a, b) => b.length - a.length)
      .map((pattern) => ({ pattern, tally: newTally(pattern) }));
  }

  found(namespace: string, savedMs: number): void {
    const tally = this.#of(namespace);
    tally.hits++;
    tally.savedMs += savedMs;
  }

  missed(namespace: string, got: UnassignedReason | "work" | undefined): void {
    this.#of(namespace).misses++;
    if (got === "work") this.#assigned++;
    else {
      const reason = got ?? "not-asked";
      this.#unassigned.set(reason, (this.#unassigned.get(reason) ?? 0) + 1);
    }
  }

  waited(ms: number): void {
    this.#waits++;
    this.#waitedMs += ms;
  }

  published(namespace: string, bytes: number): void {
    let tally = this.#of(namespace);
    // What was counted as another's stays there: a label is never changed.
    if (
      tally === this.#other && namespace !== OTHER &&
      this.#own.size < MAX_LABELLED_NAMESPACES
    ) {
      tally = newTally(namespace);
      this.#own.set(namespace, tally);
      this.#seen.set(namespace, tally);
    }
    tally.publishedValues++;
    tally.publishedBytes += bytes;
  }

  ended(how: "abandoned" | "expired"): void {
    this.#ended[how]++;
  }

  #of(namespace: string): Tally {
    const seen = this.#seen.get(namespace);
    if (seen) return seen;
    const tally = this.#labelling(namespace);
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.set(namespace, tally);
    return tally;
  }

  /** Bytes of all values that were published. */
  get publishedBytes(): number {
    return this.#tallies()
      .reduce((sum, { publishedBytes }) => sum + publishedBytes, 0);
  }

  /** What is kept, by the same labels. */
  kept(usage: readonly NamespaceUsage[]): Kept[] {
    const kept = new Map(
      this.#tallies().map((tally) => [
        tally,
        { label: tally.label, bytes: 0, entries: 0 },
      ]),
    );
    for (const { namespace, bytes, entries } of usage) {
      const labelled = kept.get(this.#labelling(namespace))!;
      labelled.bytes += bytes;
      labelled.entries += entries;
    }
    return [...kept.values()];
  }

  /** What is told of them. */
  families(): Family[] {
    const each = (
      name: string,
      help: string,
      value: (tally: Tally) => number,
    ): Family => ({
      type: "counter",
      name,
      help,
      read: () => this.#samples(value),
    });
    return [
      each("larder_hits_total", "Gets that found a value.", ({ hits }) => hits),
      each(
        "larder_misses_total",
        "Gets that found none, and got the work or nothing.",
        ({ misses }) => misses,
      ),
      each(
        "larder_saved_seconds_total",
        "What computing those values had taken that were found.",
        ({ savedMs }) => savedMs / 1_000,
      ),
      each(
        "larder_published_values_total",
        "Values that were published.",
        ({ publishedValues }) => publishedValues,
      ),
      each(
        "larder_published_bytes_total",
        "Bytes of the values that were published.",
        ({ publishedBytes }) => publishedBytes,
      ),
      {
        type: "counter",
        name: "larder_assignments_total",
        help: "Work that was given out, and what became of it: given back " +
          "(abandoned), or wanted by others after its lease (expired).",
        read: () =>
          Object.entries({ assigned: this.#assigned, ...this.#ended })
            .map(([event, value]) => ({ labels: { event }, value })),
      },
      {
        type: "counter",
        name: "larder_unassigned_total",
        help: "Gets that got neither a value nor the work, by reason; " +
          "not-asked: they wanted none.",
        read: () =>
          [...this.#unassigned].map(([reason, value]) => ({
            labels: { reason },
            value,
          })),
      },
      {
        type: "counter",
        name: "larder_waits_total",
        help: "Fetches that were answered after somebody's work.",
        read: () => [{ value: this.#waits }],
      },
      {
        type: "counter",
        name: "larder_waited_seconds_total",
        help: "For how long those have waited.",
        read: () => [{ value: this.#waitedMs / 1_000 }],
      },
    ];
  }

  #labelling(namespace: string): Tally {
    return this.#own.get(namespace) ??
      this.#quotas.find(({ pattern }) => covers(pattern, namespace))?.tally ??
      this.#other;
  }

  #tallies(): Tally[] {
    const quotas = this.#quotas.map(({ tally }) => tally);
    return [...quotas, ...this.#own.values(), this.#other];
  }

  #samples(value: (tally: Tally) => number): Sample[] {
    return this.#tallies().map((tally) => ({
      labels: { namespace: tally.label },
      value: value(tally),
    }));
  }
}

function newTally(label: string): Tally {
  return {
    label,
    hits: 0,
    misses: 0,
    savedMs: 0,
    publishedValues: 0,
    publishedBytes: 0,
  };
}
