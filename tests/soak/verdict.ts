/**
 * Whether a soak was flat.
 *
 * @module
 */

import { median } from "../../bench/sample.ts";

/** What was seen in about a second. */
export interface SoakSample {
  /** Since the first connection. */
  readonly seconds: number;
  /** Connections until now, rude ones included. */
  readonly connections: number;
  /** Resident memory of launcher and server. */
  readonly treeMib: number;
  /** Its peak within this second. */
  readonly peakMib: number;
  /** Open descriptors of the server. */
  readonly descriptors: number;
  /** Of the polite watcher's calls. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Which process serves. */
  readonly serverPid: number;
}

/** A soak, from its begin to its end. */
export interface SoakRun {
  readonly samples: readonly SoakSample[];
  /** Descriptors before the first connection. */
  readonly descriptorsBefore: number;
  /** Descriptors a while after the last one. */
  readonly descriptorsAfter: number;
  /** Of polite clients: what was not answered. */
  readonly failures: readonly string[];
}

/** What counts as flat. */
export interface Margins {
  /** What memory may grow by between the windows, in any case. */
  readonly memoryMib: number;
  /** What it may grow by as a share of the first window. */
  readonly memoryShare: number;
  /** How many more descriptors may be open in the last window. */
  readonly descriptors: number;
  /** How many more may be open after the end than before the begin. */
  readonly descriptorsLeft: number;
}

/**
 * The last fifth against the second. V8 collects when it likes, so that resident
 * memory wanders by some MiB. A leak of 100 bytes a connection is 60 MiB over
 * the 600,000 connections between the two in a run of a million.
 */
export const MARGINS: Margins = {
  memoryMib: 16,
  memoryShare: 0,
  // Twice what is open at once: connections overlap with the end of others.
  descriptors: 56,
  // The second blob worker may start under load, and has 6 for itself.
  descriptorsLeft: 8,
};

/**
 * In a short run the heap has not found its size when the windows begin: what
 * is caught is a leak of some 80 KB a connection, and lost descriptors.
 */
export const SHORT_MARGINS: Margins = {
  ...MARGINS,
  memoryMib: 96,
  memoryShare: 0.25,
};

/** Until then code is compiled, caches fill and the heap finds its size. */
export const WARM_UP_SHARE = 0.2;
/** The first and the last of so many windows are compared, by their medians. */
const WINDOWS = 4;
/** What the process tree must stay under, whatever clients do. */
const TREE_LIMIT_MIB = 320;

/** One rule, what was seen, and whether it held. */
export interface Finding {
  readonly rule: string;
  readonly seen: string;
  readonly holds: boolean;
}

/** Judges a soak. */
export function judge(run: SoakRun, margins: Margins = MARGINS): Finding[] {
  const { samples, failures } = run;
  const settled = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const size = Math.max(1, Math.floor(settled.length / WINDOWS));
  const first = settled.slice(0, size);
  const last = settled.slice(-size);
  const medianOf = (
    window: readonly SoakSample[],
    key: "treeMib" | "descriptors",
  ) => median(window.map((sample) => sample[key]));
  const memory = [
    medianOf(first, "treeMib"),
    medianOf(last, "treeMib"),
  ] as const;
  const memoryLimit = memory[0] +
    Math.max(margins.memoryMib, memory[0] * margins.memoryShare);
  const open = [
    medianOf(first, "descriptors"),
    medianOf(last, "descriptors"),
  ] as const;
  const openLimit = open[0] + margins.descriptors;
  const left = run.descriptorsAfter - run.descriptorsBefore;
  const peak = Math.max(...samples.map((sample) => sample.peakMib));
  const pids = new Set(samples.map((sample) => sample.serverPid));
  return [
    {
      rule: `memory in the last window at most ${memoryLimit.toFixed(0)} MiB`,
      seen: `${memory[0].toFixed(0)} to ${memory[1].toFixed(0)} MiB`,
      holds: memory[1] <= memoryLimit,
    },
    {
      rule: `memory of the tree never above ${TREE_LIMIT_MIB} MiB`,
      seen: `${peak.toFixed(0)} MiB`,
      holds: peak < TREE_LIMIT_MIB,
    },
    {
      rule: `descriptors in the last window at most ${openLimit}`,
      seen: `${open[0]} to ${open[1]}`,
      holds: open[1] <= openLimit,
    },
    {
      rule: `at most ${margins.descriptorsLeft} descriptors left at the end`,
      seen: `${run.descriptorsBefore} to ${run.descriptorsAfter}`,
      holds: left <= margins.descriptorsLeft,
    },
    {
      rule: "one server process throughout",
      seen: [...pids].join(", "),
      holds: pids.size === 1 && !pids.has(0),
    },
    {
      rule: "every polite call answered",
      seen: failures.length === 0
        ? "all"
        : `${failures.length} were not: ${failures[0]}`,
      holds: failures.length === 0,
    },
  ];
}
