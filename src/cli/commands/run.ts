/** `larder run`. @module */

import { type Command, NAMESPACE_OPTION, QUIET_OPTION } from "../command.ts";
import { runCommand } from "../run/child.ts";
import { codeOf, Interrupts } from "../run/interrupts.ts";
import { outsOf } from "../run/outs.ts";
import { type Contact, contactOf } from "../run/contact.ts";
import { type Plan, planOf } from "../run/plan.ts";
import { recoverAround } from "../run/recover.ts";
import { Reporter } from "../run/report.ts";
import { share } from "../run/share.ts";
import { throughCache } from "../run/through_cache.ts";
import { noteTrouble } from "../run/trouble.ts";
import { type Addresses, lenientAddressesOf } from "../addresses.ts";
import { Server } from "../server.ts";

/**
 * A key file that changes each time that the work is had, or a value that is
 * made of nonsense each time, is not waited for any longer.
 */
const MAX_TRIES = 4;

/** Runs a command once, wherever it is asked for. */
export const run: Command = {
  name: "run",
  usage:
    "--ns NS [--key-file PATH...] [--key TEXT...] [--out PATH...] -- COMMAND",
  summary: "run a command once, and have its output again the next time",
  details: [
    "What is kept: the exit code, stdout, stderr, and the files, folders and",
    "patterns of files named with --out.",
    "The key is the command with its arguments, the names and contents of the",
    "key files, --key, --env, and the names of the outs. The command has no stdin,",
    "and finds none of the outs: what is there is set aside until it has ended.",
    "Without a server the command is run, and nothing is kept.",
  ],
  options: [
    NAMESPACE_OPTION,
    {
      name: "key-file",
      argument: "PATH",
      help: "a file, a folder or a pattern of files ('rtl/**/*.v') that the " +
        "output depends on; may be repeated",
    },
    {
      name: "key-files-from",
      argument: "FILE",
      help: "the names of such files and folders stand in FILE, one a line " +
        "or with a NUL after each",
    },
    {
      name: "key",
      argument: "TEXT",
      help: "something else that it depends on, such as the version of a " +
        "compiler; may be repeated",
    },
    {
      name: "env",
      argument: "NAME",
      help: "an environment variable that it depends on; may be repeated",
    },
    {
      name: "out",
      argument: "PATH",
      help:
        "a file, a folder (build/) or a pattern of files ('gen/*.h') that " +
        "the command writes; may be repeated",
    },
    {
      name: "timeout",
      argument: "D",
      help: "wait no longer than this (30s, 5m) for somebody who runs the " +
        "same, then run it here without keeping it (default: wait)",
    },
    {
      name: "cache-failures",
      help: "keep it also when the exit code is not 0",
    },
    {
      name: "keep-outs",
      help: "let the command find the outs that are there; these are then " +
        "part of the key (default: they are set aside while it runs)",
    },
    QUIET_OPTION,
  ],
  async run(words) {
    const waitMs = words.durationMs("timeout");
    const keepsFailures = words.has("cache-failures");
    const troubles: string[] = [];
    const given = lenientAddressesOf(words, (each) => troubles.push(each));
    await recoverAround({
      outs: words.all("out"),
      keyFiles: words.all("key-file"),
    });
    using interrupts = new Interrupts();
    let plan = await planOf(words);
    let reporter = new Reporter(plan.entry, words);
    const withoutCache = async (reason: string) => {
      if (interrupts.received) return codeOf(interrupts.received);
      reporter.withoutCache(reason);
      await noteTrouble(reason);
      const outs = await outsOf(plan.outs).catch(() => []);
      for (const { place } of outs) await share(place);
      const { code } = await runCommand(plan.command, interrupts);
      reporter.report("uncached", { code });
      return code;
    };
    if (!given) return await withoutCache(troubles.join("; "));
    for (const trouble of troubles) reporter.warn(trouble);
    if (plan.obstacle !== undefined) return await withoutCache(plan.obstacle);
    const { addresses, reason } = await contactIfTwo(given, plan, interrupts);
    if (!addresses) return await withoutCache(reason);
    await using server = await Server.at(addresses);
    const how = { server, addresses, interrupts, waitMs, keepsFailures };
    for (let tries = 1;; tries++) {
      const came = await throughCache({ ...how, plan, reporter });
      if (typeof came === "number") return came;
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
      plan = await planOf(words);
      reporter = new Reporter(plan.entry, words);
    }
  },
};

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
