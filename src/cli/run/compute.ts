/**
 * Runs a command whose output is to be kept, and publishes it.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";
import type { Held } from "../../client/tier.ts";
import { OK } from "../exit_codes.ts";
import { ProgressLine } from "../output.ts";
import { MANIFEST, STDERR, STDOUT, writeManifest } from "./archive.ts";
import { type Recorded, runCommand } from "./child.ts";
import { collect } from "./collect.ts";
import type { Interrupts } from "./interrupts.ts";
import { changedOf } from "./inputs/input.ts";
import { originHere } from "./origin.ts";
import { type Entry, pack, packedSize } from "./pack.ts";
import { type Out, outsOf } from "./outs.ts";
import type { Plan } from "./plan.ts";
import { Prepared } from "./prepared.ts";
import type { Reporter } from "./report.ts";
import { Guest } from "./share.ts";
import { type Scratch, Spool } from "./spool.ts";
import { Stall } from "./stall.ts";
import type { Written } from "./taken.ts";
import { writerOf } from "./writers.ts";

/**
 * A server that has fallen silent meanwhile may be worth waiting for: for a share
 * of what the command took, and at least for as long as a server takes to be
 * started again.
 */
const PATIENCE_SHARE = 0.1;
const MIN_PATIENCE_MS = 5_000;
const MAX_PATIENCE_MS = 30_000;

/** What a run is made of, beside its work. */
export interface ComputeOptions {
  readonly plan: Plan;
  readonly interrupts: Interrupts;
  readonly reporter: Reporter;
  /** Whether what failed is kept too. */
  readonly keepsFailures: boolean;
  /** Whether what is kept says which run it was. */
  readonly notesOrigin: boolean;
  /** For what the command says. */
  readonly scratch: Scratch;
}

/** What a command has done. */
interface Ran {
  readonly code: number;
  readonly tookMs: number;
  readonly said: Recorded;
  /** The outs as they stood before. */
  readonly outs: readonly Out[];
  /** Those that it has written. */
  readonly written: ReadonlyMap<Out, Written>;
  readonly prepared: Prepared;
}

/**
 * Runs it, and publishes what came of it.
 *
 * @returns The command's exit code, whether it could be kept or not.
 */
export async function compute(
  held: Held,
  options: ComputeOptions,
): Promise<number> {
  const { plan, interrupts, reporter } = options;
  const outs = await outsOf(plan.outs);
  let taken: Prepared;
  try {
    taken = await Prepared.at(outs, { keepsOuts: plan.keepsOuts });
  } catch (error) {
    const reason = messageOf(error);
    await held.abandon(reason);
    await using _guest = await Guest.at(outs);
    const { code } = await runCommand(plan.command, interrupts, {
      input: plan.stdin,
    });
    reporter.report("uncached", { code, reason });
    return code;
  }
  await using prepared = taken;
  return await computeIn(prepared, outs, held, options);
}

async function computeIn(
  prepared: Prepared,
  outs: readonly Out[],
  held: Held,
  options: ComputeOptions,
): Promise<number> {
  const { plan, interrupts, reporter, keepsFailures, scratch } = options;
  await using stdout = new Spool(scratch);
  await using stderr = new Spool(scratch);
  const said = { stdout, stderr };
  // A command may take its time to end, and others need not wait for that.
  const giveBack = () => void held.abandon(interrupts.received);
  interrupts.signal.addEventListener("abort", giveBack, { once: true });
  if (interrupts.signal.aborted) giveBack();
  const startMs = performance.now();
  const { code, gap } = await runCommand(plan.command, interrupts, {
    input: plan.stdin,
    recorded: said,
  });
  const tookMs = performance.now() - startMs;
  const settled = await prepared.settle();
  if (settled.failure) reporter.warn(messageOf(settled.failure));
  reporter.stayed(settled.stayed);
  const { received } = interrupts;
  if (received || (code !== OK && !keepsFailures)) {
    await held.abandon(received ?? `exit code ${code}`);
    reporter.report("failed", { code, signal: received });
    return code;
  }
  try {
    if (gap !== undefined) throw new Error(gap);
    if (settled.failure) throw settled.failure;
    const { written } = settled;
    const ran = { code, tookMs, said, outs, written, prepared };
    const bytes = await publish(held, ran, options);
    reporter.report("computed", { code, bytes });
  } catch (error) {
    await held.abandon("it could not be published");
    reporter.report("uncached", { code, reason: messageOf(error) });
  }
  return code;
}

/** How many bytes were published. */
async function publish(
  held: Held,
  { code, tookMs, said, outs, written, prepared }: Ran,
  { plan, interrupts, reporter, notesOrigin }: ComputeOptions,
): Promise<number> {
  const changed = await changedOf(plan.inputs);
  if (changed !== undefined) {
    throw new Error(`${changed} changed while the command ran`);
  }
  const writer = await writerOf([...written.keys()]);
  if (writer) {
    const { name, pid } = writer;
    throw new Error(`${name} is still being written, by process number ${pid}`);
  }
  const files = await collect(outs, written, { mayMiss: code !== OK });
  const { command, outs: names } = plan;
  const origin = notesOrigin ? originHere(command, tookMs) : undefined;
  const manifest = { exitCode: code, outs: names, origin };
  const first: readonly Entry[] = [
    { name: MANIFEST, bytes: writeManifest(manifest) },
    said.stdout.entry(STDOUT),
    said.stderr.entry(STDERR),
  ];
  const entries = function* () {
    yield* first;
    yield* files.entries();
  };
  using progress = new ProgressLine("larder: storing", {
    isOn: !reporter.isQuiet,
  });
  let bytes = 0;
  using stall = new Stall();
  const published = held.publish(
    // Again, from the same files, when the connection breaks on the way.
    () =>
      stall.going(checked(pack(entries()), async () => {
        await files.check();
        if (await prepared.isOurs()) return;
        throw new Error("another larder run wrote to the same files meanwhile");
      })),
    {
      // What can never be kept need not be sent.
      expectedSize: packedSize(entries()),
      patienceMs: storingPatienceMs(tookMs),
      signal: stall.signal,
      onProgress: (state) => {
        bytes = state.done;
        progress.transfer(state);
      },
    },
  );
  await Promise.race([published, interrupts.rejected()]);
  return bytes;
}

/**
 * For how long it is tried to store an output while nothing is heard of the
 * server.
 *
 * @param tookMs What the command took.
 */
export function storingPatienceMs(tookMs: number): number {
  const shareMs = tookMs * PATIENCE_SHARE;
  return Math.min(Math.max(shareMs, MIN_PATIENCE_MS), MAX_PATIENCE_MS);
}

/** The same pieces, if the check at their end does not throw. */
async function* checked(
  pieces: AsyncIterable<Uint8Array>,
  check: () => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pieces;
  await check();
}
