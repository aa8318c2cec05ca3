/** `larder run`. @module */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../errors.ts";
import type { Claim } from "../../client/tier.ts";
import { type Command, NAMESPACE_OPTION, QUIET_OPTION } from "../command.ts";
import { NoOutput } from "../run/archive.ts";
import { runCommand } from "../run/child.ts";
import { claim } from "../run/claim.ts";
import { compute, type ComputeOptions } from "../run/compute.ts";
import { codeOf, Interrupts } from "../run/interrupts.ts";
import { planOf } from "../run/plan.ts";
import { Reporter } from "../run/report.ts";
import { restore } from "../run/restore.ts";
import { addressesOf, Server } from "../server.ts";

/** Runs a command once, wherever it is asked for. */
export const run: Command = {
  name: "run",
  usage: "--ns NS --key-file FILE... [--out PATH...] -- COMMAND",
  summary: "run a command once, and have its output again the next time",
  details: [
    "What is kept: the exit code, stdout, stderr, and the files named with --out.",
    "The key is the command with its arguments, the names and contents of the",
    "key files, --key, --env, and the names of the outs. The command has no stdin.",
    "Without a server the command is run, and nothing is kept.",
  ],
  options: [
    NAMESPACE_OPTION,
    {
      name: "key-file",
      argument: "FILE",
      help: "a file that the output depends on; may be repeated",
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
      help: "a file that the command writes; may be repeated",
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
    QUIET_OPTION,
  ],
  async run(words) {
    const plan = await planOf(words);
    const waitMs = words.durationMs("timeout");
    const addresses = addressesOf(words);
    const reporter = new Reporter(plan.entry, words);
    using interrupts = new Interrupts();
    await using server = await Server.at(addresses);
    const { signal } = interrupts;
    const how = { signal, waitMs, reporter };
    const claimed = await claim(server, plan.entry, how);
    if (interrupts.received) return codeOf(interrupts.received);
    const folder = await mkdtemp(join(tmpdir(), "larder-run-"));
    try {
      const keepsFailures = words.has("cache-failures");
      const options = { plan, interrupts, reporter, keepsFailures, folder };
      const code = await throughCache(claimed, options);
      if (code !== undefined) return code;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const code = await runCommand(plan.command, interrupts);
    reporter.report("uncached", { code });
    return code;
  },
};

/** The exit code; `undefined`: the cache has neither the output nor the work. */
async function throughCache(
  claimed: Claim | undefined,
  options: ComputeOptions,
): Promise<number | undefined> {
  switch (claimed?.kind) {
    case "ready":
      return await restored(claimed, options);
    case "assigned": {
      await using held = claimed.held;
      return await compute(held, options);
    }
    case "unassigned":
      options.reporter.warn(`running without the cache: ${claimed.reason}`);
  }
}

/** The exit code; `undefined`: what is kept cannot be had. */
async function restored(
  { body, remove }: Extract<Claim, { kind: "ready" }>,
  { plan, reporter, folder }: ComputeOptions,
): Promise<number | undefined> {
  let isUseless = false;
  try {
    const code = await restore(body.chunks(), plan.outs, folder);
    reporter.report("hit", { code, bytes: body.size });
    return code;
  } catch (error) {
    reporter.warn(`running it again: ${messageOf(error)}`);
    isUseless = error instanceof NoOutput;
    return undefined;
  } finally {
    await body.release();
    // The next who runs it keeps it; where that fails, the one after.
    if (isUseless) await remove?.().catch(() => {});
  }
}
