/**
 * One attempt at having a command's output through the cache.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../errors.ts";
import type { Claim } from "../../client/tier.ts";
import type { Server } from "../server.ts";
import { Malformed } from "./archive.ts";
import { claim } from "./claim.ts";
import { compute } from "./compute.ts";
import { codeOf, type Interrupts } from "./interrupts.ts";
import { changedOf } from "./key_files.ts";
import type { Plan } from "./plan.ts";
import type { Reporter } from "./report.ts";
import { restore } from "./restore.ts";
import { Unpacking } from "./unpack.ts";

/** What an attempt is made of. */
export interface Attempt {
  readonly plan: Plan;
  readonly server: Server;
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
  | "uncached"
  /** A key file is another by now: the key is that of something else. */
  | "changed"
  /** What was kept was none, and is not kept any more. */
  | "again";

/** A key file has changed before anything was done. */
class Changed extends Error {}

/**
 * Asks for the output, or for the work, and does what follows from it.
 *
 * @returns The command's exit code, if it was run or need not be.
 */
export async function throughCache(attempt: Attempt): Promise<number | Came> {
  const { plan, server, interrupts, reporter, waitMs } = attempt;
  const { signal } = interrupts;
  const how = { signal, waitMs, reporter };
  const claimed = await claim(server, plan.entry, how);
  if (interrupts.received) return codeOf(interrupts.received);
  switch (claimed?.kind) {
    case "ready":
      return await inFolder((folder) => restored(claimed, folder, attempt));
    case "assigned": {
      await using held = claimed.held;
      if (await changedOf(plan.found)) return "changed";
      return await inFolder((folder) => compute(held, { ...attempt, folder }));
    }
    case "unassigned":
      reporter.warn(`running without the cache: ${claimed.reason}`);
  }
  return "uncached";
}

async function restored(
  claimed: Extract<Claim, { kind: "ready" }>,
  folder: string,
  { plan, reporter }: Attempt,
): Promise<number | Came> {
  const { body } = claimed;
  const kept = new Unpacking(body.chunks(), plan.outs);
  const before = async () => {
    if (await changedOf(plan.found)) throw new Changed();
  };
  let isWhole = false;
  try {
    // Before all of it comes, for nothing.
    await before();
    const code = await restore(kept, { outs: plan.outs, folder, before });
    reporter.report("hit", { code, bytes: body.size });
    return code;
  } catch (error) {
    if (error instanceof Changed) return "changed";
    reporter.warn(`running it again: ${messageOf(error)}`);
    // Trouble of this machine is no fault of what is kept.
    if (!(error instanceof Malformed)) return "uncached";
    isWhole = await kept.drain().then(() => true, () => false);
  } finally {
    await body.release();
  }
  return isWhole && await removed(claimed) ? "again" : "uncached";
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

async function inFolder<Result>(
  action: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "larder-run-"));
  try {
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
