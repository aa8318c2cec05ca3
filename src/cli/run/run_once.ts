/**
 * Has a command's output from the cache, or from the command: whatever the cache
 * is like, the command is run once at most.
 *
 * @module
 */

import { StartError } from "../../errors.ts";
import { type Addresses, lenientAddressesOf } from "../addresses.ts";
import { Server } from "../server.ts";
import type { Words } from "../../flags/words.ts";
import { runCommand } from "./child.ts";
import { type Contact, contactOf } from "./contact.ts";
import { codeOf, Interrupts } from "./interrupts.ts";
import { outsOf } from "./outs.ts";
import { rememberRun } from "./last_run.ts";
import { type Plan, planOf } from "./plan.ts";
import { recoverAround } from "./recover.ts";
import { Reporter } from "./report.ts";
import { Guest } from "./share.ts";
import { Stdin } from "./stdin.ts";
import { throughCache } from "./through_cache.ts";
import { noteTrouble } from "./trouble.ts";

/**
 * A key file that changes each time that the work is had, or a value that is
 * made of nonsense each time, is not waited for any longer.
 */
const MAX_TRIES = 4;

/**
 * Runs a command once, wherever it is asked for.
 *
 * @returns The command's exit code.
 */
export async function runOnce(words: Words): Promise<number> {
  const how = howOf(words);
  const troubles: string[] = [];
  const given = lenientAddressesOf(words, (each) => troubles.push(each));
  await recoverAround({
    outs: words.all("out"),
    keyFiles: words.all("key-file"),
  });
  await using stdin = words.has("stdin") ? await Stdin.read() : undefined;
  let plan = await planOf(words, stdin);
  // Until here a signal ends us, as it would have ended the command: a key file
  // may be a pipe to which nobody ever writes.
  using interrupts = new Interrupts();
  let reporter = new Reporter(plan.entry, words);
  const unkept = async () => {
    if (interrupts.received) return codeOf(interrupts.received);
    const outs = await outsOf(plan.outs).catch(() => []);
    await using _guest = await Guest.at(outs);
    const { code } = await runCommand(plan.command, interrupts, {
      input: stdin,
    });
    reporter.report("uncached", { code });
    if (plan.obstacle === undefined) await rememberRun(plan, reporter.ended);
    return code;
  };
  const withoutCache = async (reason: string) => {
    if (interrupts.received) return codeOf(interrupts.received);
    reporter.withoutCache(reason);
    await noteTrouble(reason);
    return await unkept();
  };
  if (!given) return await withoutCache(troubles.join("; "));
  for (const trouble of troubles) reporter.warn(trouble);
  if (plan.obstacle !== undefined) return await withoutCache(plan.obstacle);
  const { addresses, reason } = await contactIfTwo(given, plan, interrupts);
  if (!addresses) return await withoutCache(reason);
  await using server = await Server.at(addresses);
  for (let tries = 1;; tries++) {
    const attempt = { ...how, server, addresses, interrupts, plan, reporter };
    const came = await throughCache(attempt);
    if (typeof came === "number") {
      await rememberRun(plan, reporter.ended);
      return came;
    }
    if (came.kind === "unkept") return await unkept();
    if (came.kind === "uncached") return await withoutCache(came.reason);
    if (tries === MAX_TRIES) {
      return await withoutCache(
        came.kind === "changed"
          ? "the key files keep changing"
          : "what is kept keeps being no output of larder run",
      );
    }
    if (came.kind === "again") continue;
    if (plan.inputs.some(({ isPipe }) => isPipe)) {
      return await withoutCache("a key file changed, and one is a pipe");
    }
    plan = await planOf(words, stdin);
    reporter = new Reporter(plan.entry, words);
  }
}

/** How it is asked for. */
interface How {
  readonly waitMs: number | undefined;
  readonly keepsFailures: boolean;
  readonly notesOrigin: boolean;
  readonly isForced: boolean;
  readonly isReadOnly: boolean;
}

function howOf(words: Words): How {
  const how = {
    waitMs: words.durationMs("timeout"),
    keepsFailures: words.has("cache-failures"),
    notesOrigin: !words.has("no-origin"),
    isForced: words.has("force"),
    isReadOnly: words.has("read-only"),
  };
  if (how.waitMs === 0) {
    throw new StartError(
      2,
      `--timeout ${words.text("timeout")}: write how long to wait for ` +
        "somebody else who runs it, as 5m; without it there is no limit",
    );
  }
  if (how.isForced && how.isReadOnly) {
    throw new StartError(2, "--force replaces what --read-only leaves alone");
  }
  return how;
}

/** One address is simply asked; of two, whichever answers. */
async function contactIfTwo(
  addresses: Addresses,
  { entry }: Plan,
  { signal }: Interrupts,
): Promise<Contact> {
  return addresses.local !== undefined && addresses.remote !== undefined
    ? await contactOf(addresses, entry, { signal })
    : { addresses, reason: "" };
}
