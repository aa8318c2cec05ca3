/**
 * How a client of small calls fares while others move values of 64 MiB as fast
 * as they can. Each client is a process of its own.
 *
 * @module
 */

import { ReportingChild } from "../tests/support/reporting_child.ts";
import { median } from "./sample.ts";
import { startLarder } from "./server_process.ts";

/** What the small calls must stay within, on two cores. */
export const FAIRNESS_GOAL = { p99Ms: 50 };

const MIB = 1024 * 1024;
/** Values of this size come a few in a second: a look must take in some. */
const MIN_SECONDS = 4;
/** From the start of the movers until what they do is compiled. */
const WARM_UP_MS = 1_000;

/** The times of one kind of call. */
export interface CallTimes {
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What was seen beside one kind of load. */
export interface FairnessFigures {
  /** What the others did. */
  readonly title: string;
  /** Of 1 KiB. */
  readonly hit: CallTimes;
  readonly heartbeat: CallTimes;
  /** By all movers together. */
  readonly movedMibPerSecond: number;
  /** Values that were asked for and not given, for want of room. */
  readonly loading: number;
}

interface Moved {
  readonly movedBytes: number;
  readonly loading: number;
}
type Small = Pick<FairnessFigures, "hit" | "heartbeat">;

const LOADS: readonly (readonly [string, readonly ("set" | "get")[]])[] = [
  ["alone", []],
  ["beside Set of 64 MiB", ["set"]],
  ["beside Get of 64 MiB", ["get"]],
  ["beside both", ["set", "get"]],
];

/** Measures each load in turn, and takes the medians of the rounds. */
export async function measureFairness(
  folder: string,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<FairnessFigures[]> {
  const all = LOADS.map((): FairnessFigures[] => []);
  for (let round = 0; round < rounds; round++) {
    // What Sets leave fills the disk: each round has a root that goes.
    const root = `${folder}/fairness`;
    {
      await using server = await startLarder(root);
      await using small = await startClient<Small>("small_client", [
        server.remote,
      ]);
      for (const [i, [title, directions]] of LOADS.entries()) {
        const seen = await measure(title, {
          small,
          movers: directions.map((direction) => [server.remote, direction]),
          seconds,
        });
        all[i]!.push(seen);
        console.error(
          `fairness ${round + 1}/${rounds} ${title}: p99 of hits ${
            seen.hit.p99Ms.toFixed(1)
          } ms, ${seen.movedMibPerSecond.toFixed(0)} MiB/s`,
        );
      }
    }
    Deno.removeSync(root, { recursive: true });
  }
  return all.map(summary);
}

/** Starts a program of the folder `fairness`, and waits until it is at work. */
function startClient<Answer>(
  program: "mover" | "small_client",
  args: readonly string[],
): Promise<ReportingChild<Answer>> {
  return ReportingChild.start(
    new URL(`./fairness/${program}.ts`, import.meta.url),
    {
      name: "a client of the fairness bench",
      permissions: ["--allow-net=127.0.0.1"],
      args,
    },
  );
}

async function measure(
  title: string,
  { small, movers, seconds }: {
    readonly small: ReportingChild<Small>;
    readonly movers: readonly (readonly string[])[];
    readonly seconds: number;
  },
): Promise<FairnessFigures> {
  await using stack = new AsyncDisposableStack();
  const moving: ReportingChild<Moved>[] = [];
  for (const args of movers) {
    moving.push(stack.use(await startClient<Moved>("mover", args)));
  }
  await pause(WARM_UP_MS);
  const askAll = () => Promise.all(moving.map((mover) => mover.ask()));
  const before = await askAll();
  await small.ask();
  const startMs = performance.now();
  await pause(Math.max(seconds, MIN_SECONDS) * 1_000);
  const times = await small.ask();
  const after = await askAll();
  const tookSeconds = (performance.now() - startMs) / 1_000;
  const grown = (key: keyof Moved) =>
    after.reduce((sum, moved, i) => sum + moved[key] - before[i]![key], 0);
  return {
    title,
    ...times,
    movedMibPerSecond: grown("movedBytes") / MIB / tookSeconds,
    loading: grown("loading"),
  };
}

function summary(rounds: readonly FairnessFigures[]): FairnessFigures {
  const times = (key: keyof Small): CallTimes => {
    const of = (figure: keyof CallTimes) =>
      median(rounds.map((round) => round[key][figure]));
    return {
      calls: of("calls"),
      p50Ms: of("p50Ms"),
      p99Ms: of("p99Ms"),
      maxMs: of("maxMs"),
    };
  };
  return {
    title: rounds[0]!.title,
    hit: times("hit"),
    heartbeat: times("heartbeat"),
    movedMibPerSecond: median(rounds.map((round) => round.movedMibPerSecond)),
    loading: median(rounds.map((round) => round.loading)),
  };
}

/** Waits. */
export function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}
