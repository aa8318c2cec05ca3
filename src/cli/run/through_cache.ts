/**
 * One attempt at having a command's output through the cache.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";
import type { Claim, Held } from "../../client/tier.ts";
import { counted } from "../../client/transfer.ts";
import type { Addresses } from "../addresses.ts";
import type { Server } from "../server.ts";
import { Malformed } from "./archive.ts";
import { claim } from "./claim.ts";
import { compute } from "./compute.ts";
import { codeOf, type Interrupts } from "./interrupts.ts";
import { changedOf } from "./inputs/input.ts";
import type { Plan } from "./plan.ts";
import { Replacement } from "./replacement.ts";
import type { Reporter } from "./report.ts";
import { restore } from "./restore.ts";
import { Scratch } from "./spool.ts";
import { Stall } from "./stall.ts";
import { Unpacking } from "./unpack.ts";

/** What an attempt is made of. */
export interface Attempt {
  readonly plan: Plan;
  /** The server, and where it is. */
  readonly server: Server;
  readonly addresses: Addresses;
  readonly interrupts: Interrupts;
  readonly reporter: Reporter;
  /** For how long somebody else may run the same; `undefined`: for ever. */
  readonly waitMs: number | undefined;
  /** Whether what failed is kept too. */
  readonly keepsFailures: boolean;
  /** Whether what is kept says which run it was. */
  readonly notesOrigin: boolean;
  /** Whether what is kept is replaced. */
  readonly isForced: boolean;
  /** Whether nothing is kept, nor removed. */
  readonly isReadOnly: boolean;
}

/** What an attempt came to, if not to an exit code. */
export type Came =
  /** The cache has neither the output nor the work. */
  | { readonly kind: "uncached"; readonly reason: string }
  /** Nothing is kept, and nothing is to be. */
  | { readonly kind: "unkept" }
  /** A key file is another by now: the key is that of something else. */
  | { readonly kind: "changed" }
  /** What was kept was none, and is not kept any more. */
  | { readonly kind: "again" };

/** A key file has changed before anything was done. */
class Changed extends Error {}

/**
 * Asks for the output, or for the work, and does what follows from it.
 *
 * @returns The command's exit code, if it was run or need not be.
 */
export async function throughCache(attempt: Attempt): Promise<number | Came> {
  const { plan, server, interrupts, isForced, isReadOnly } = attempt;
  const { signal } = interrupts;
  const options = { ...attempt, signal, assign: !isReadOnly };
  if (isForced) {
    return await computed(
      new Replacement(server, plan.entry, options),
      attempt,
    );
  }
  const claimed = await claim(server, plan.entry, options);
  if (interrupts.received) return codeOf(interrupts.received);
  switch (claimed.kind) {
    case "ready":
      return await restored(claimed, attempt);
    case "assigned":
      return await computed(claimed.held, attempt);
    case "loading":
      return { kind: "uncached", reason: "somebody else runs it" };
    case "unassigned":
      if (isReadOnly) return { kind: "unkept" };
      return { kind: "uncached", reason: claimed.reason };
    default:
      return { kind: "uncached", reason: claimed.reason };
  }
}

async function computed(work: Held, attempt: Attempt): Promise<number | Came> {
  await using held = work;
  if (await changedOf(attempt.plan.found) !== undefined) {
    return { kind: "changed" };
  }
  await using scratch = new Scratch();
  return await compute(held, { ...attempt, scratch });
}

async function restored(
  claimed: Extract<Claim, { kind: "ready" }>,
  { plan, reporter, interrupts, isReadOnly }: Attempt,
): Promise<number | Came> {
  const { body, computedMs: savedMs } = claimed;
  const { signal } = interrupts;
  // A piece that is waited for may never come.
  const stop = () => void body.release();
  using stall = new Stall();
  for (const each of [signal, stall.signal]) {
    each.addEventListener("abort", stop, { once: true });
  }
  await using scratch = new Scratch();
  const about = { direction: "in", total: body.size } as const;
  const pieces = counted(body.chunks(), { ...about, signal }, undefined);
  const kept = new Unpacking(stall.coming(pieces), plan.outs);
  const before = async () => {
    if (await changedOf(plan.found) !== undefined) throw new Changed();
  };
  try {
    // Before all of it comes, for nothing.
    await before();
    const code = await restore(kept, {
      outs: plan.outs,
      scratch,
      before,
      onStayed: (names) => reporter.stayed(names),
    });
    reporter.report("hit", { code, bytes: body.size, savedMs });
    return code;
  } catch (error) {
    if (interrupts.received) return codeOf(interrupts.received);
    if (error instanceof Changed) return { kind: "changed" };
    const reason = messageOf(stall.signal.reason ?? error);
    // Trouble of this machine is no fault of what is kept.
    if (!(error instanceof Malformed) || isReadOnly) {
      return { kind: "uncached", reason };
    }
    const isWhole = await kept.drain().then(() => true, () => false);
    await body.release();
    if (!isWhole || !await removed(claimed)) {
      return { kind: "uncached", reason };
    }
    reporter.warn(`removed: ${reason}`);
    return { kind: "again" };
  } finally {
    await body.release();
  }
}

/** Has a value removed that is of no use to anybody, if it is still there. */
async function removed(
  { remove }: Extract<Claim, { kind: "ready" }>,
): Promise<boolean> {
  try {
    await remove?.();
    return remove !== undefined;
  } catch {
    // It stays, and the next one tries again.
    return false;
  }
}
