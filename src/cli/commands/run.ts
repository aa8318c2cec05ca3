/** `larder run`. @module */

import { type Command, NAMESPACE_OPTION, QUIET_OPTION } from "../command.ts";
import { runOnce } from "../run/run_once.ts";
import { dryRun } from "../run/dry_run.ts";
import { isOff, runPlainly } from "../run/off.ts";

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
    "key files, --key, --env, and the names of the outs. The command has no",
    "stdin (see --stdin), and finds none of the outs: what is there is set aside",
    "until it has ended.",
    "Without a server the command is run, and nothing is kept.",
  ],
  options: [
    NAMESPACE_OPTION,
    {
      name: "key-file",
      argument: "PATH",
      isMany: true,
      help: "a file, a folder or a pattern of files ('rtl/**/*.v') that the " +
        "output depends on; may be repeated",
    },
    {
      name: "key-files-from",
      argument: "FILE",
      isMany: true,
      help: "the names of such files and folders stand in FILE, one a line " +
        "or with a NUL after each",
    },
    {
      name: "key",
      argument: "TEXT",
      isMany: true,
      help: "something else that it depends on, such as the version of a " +
        "compiler; may be repeated",
    },
    {
      name: "env",
      argument: "NAME",
      isMany: true,
      help: "an environment variable that it depends on; may be repeated",
    },
    {
      name: "out",
      argument: "PATH",
      isMany: true,
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
      name: "stdin",
      help: "let the command read stdin, all of which is then part of the key",
    },
    {
      name: "dry-run",
      help: "say what would be done, and why; exit code 0: it is kept",
    },
    {
      name: "force",
      help: "run it whatever is kept, and replace that",
    },
    {
      name: "read-only",
      help: "have what is kept, and keep nothing",
    },
    {
      name: "cache-failures",
      help: "keep it also when the exit code is not 0",
    },
    {
      name: "no-origin",
      help: "do not note the command, its folder, the host and the time with " +
        "what is kept, where stat and --dry-run show them to all",
    },
    {
      name: "keep-outs",
      help: "let the command find the outs that are there; these are then " +
        "part of the key (default: they are set aside while it runs)",
    },
    QUIET_OPTION,
  ],
  async run(words) {
    if (words.has("dry-run")) return await dryRun(words);
    return isOff() ? await runPlainly(words) : await runOnce(words);
  },
};
