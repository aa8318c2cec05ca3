/**
 * The command line of Larder, with all its commands.
 *
 * `larder serve` and `larder recover` are in `main/server_commands.ts`, all other
 * commands, those of a client, in `cli`. Each loads its modules when it is asked
 * for: most of the time of a short command is the loading of modules. What runs
 * for long has a program of its own in `main`, which loads less.
 *
 * @module
 */

import { asked } from "./cli/asked.ts";
import { complaining } from "./main/complaints.ts";
import type { ProgramOptions } from "./main/server_commands.ts";

/**
 * Runs the program.
 *
 * @param args The words after the program's name.
 * @param options What a test replaces.
 * @returns The exit code.
 */
export async function main(
  args: readonly string[],
  options: ProgramOptions,
): Promise<number> {
  return await complaining(() => run(asked(args), options));
}

async function run(
  args: readonly string[],
  options: ProgramOptions,
): Promise<number> {
  // Literals: such modules are loaded without permission to read them.
  if (isForClients(args)) {
    const { runCli } = await import("./cli/cli.ts");
    return await runCli(args);
  }
  const { runServerCommand } = await import("./main/server_commands.ts");
  return await runServerCommand(args, {
    ...options,
    onSignal: Deno.addSignalListener,
  });
}

/** What has neither a command of the server's nor its version. */
function isForClients(args: readonly string[]): boolean {
  const [first = "--help"] = args;
  if (/^(--help|-h)$/.test(first)) return true;
  if (/^(--version|-V)$/.test(first)) return false;
  // A flag that comes first may be anybody's: the command says whose.
  return !(first.startsWith("-") ? args : [first]).some(isForServer);
}

function isForServer(word: string): boolean {
  return word === "serve" || word === "recover";
}

if (import.meta.main) {
  Deno.exit(
    await main(Deno.args, {
      program: new URL("./main/confined.ts", import.meta.url).href,
      load: async () => (await import("./serve.ts")).serve,
    }),
  );
}
