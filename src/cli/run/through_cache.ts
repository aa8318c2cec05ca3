/**
 * One attempt at having a command's output through the cache.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";
import type { Claim } from "../../client/tier.ts";
import type { Addresses } from "../addresses.ts";
import type { Server } from "../server.ts";
import { Malformed } from "./archive.ts";
import { claim } from "./claim.ts";
import { compute } from "./compute.ts";
import { codeOf, type Interrupts } from "./interrupts.ts";
import { changedOf } from "./inputs/input.ts";
import type { Plan } from "./plan.ts";
import type { Reporter } from "./report.ts";
import { restore } from "./restore.ts";
import { Scratch } from "./spool.ts";
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
}

/** What an attempt came to, if not to an exit code. */
export type Came =
  /** The cache has neither the output nor the work. */
  | { readonly kind: "uncached"; readonly reason: string }
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
  const { plan, server, interrupts } = attempt;
  const { signal } = interrupts;
  const claimed = await claim(server, plan.entry, { ...attempt, signal });
  if (interrupts.received) return codeOf(interrupts.received);
  switch (claimed.kind) {
    case "ready":
      return await restored(claimed, attempt);
    case "assigned": {
      await using held = claimed.held;
      if (await changedOf(plan.found) !== undefined) return { kind: "changed" };
      await using scratch = new Scratch();
      return await compute(held, { ...attempt, scratch });
    }
    case "loading":
      return { kind: "uncached", reason: "somebody else runs it" };
    default:
      return { kind: "uncached", reason: claimed.reason };
  }
}

async function restored(
  claimed: Extract<Claim, { kind: "ready" }>,
  { plan, reporter }: Attempt,
): Promise<number | Came> {
  const { body } = claimed;
  await using scratch = new Scratch();
  const kept = new Unpacking(body.chunks(), plan.outs);
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
    reporter.report("hit", { code, bytes: body.size });
    return code;
  } catch (error) {
    if (error instanceof Changed) return { kind: "changed" };
    const reason = messageOf(error);
    // Trouble of this machine is no fault of what is kept.
    if (!(error instanceof Malformed)) return { kind: "uncached", reason };
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
