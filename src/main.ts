/**
 * The command line of Larder; the one reader of `Deno.args` and of signals.
 *
 * `larder serve` is a launcher: it starts the same program again as `serve
 * --confined` with exact permissions. The server's modules are loaded only
 * there. `larder recover` moves a damaged manifest aside. All other commands are
 * those of a client, in `cli`.
 *
 * @module
 */

import { asked } from "./cli/asked.ts";
import { StartError } from "./errors.ts";
import { parseCommandLine } from "./launch/arguments.ts";
import { serveConfined, stopWhenEnded } from "./launch/confined.ts";
import { withGroupNumbers } from "./launch/groups.ts";
import { Hangups, isOnTerminal } from "./launch/hangups.ts";
import { descriptorsFor } from "./launch/descriptors.ts";
import { helpText, VERSION } from "./launch/help.ts";
import { launch } from "./launch/launcher.ts";
import { confinedCommand, thisInstallation } from "./launch/permissions.ts";
import { shellLine } from "./launch/shell_line.ts";
import { resolveRoot } from "./root/root_folder.ts";
import type { Serve } from "./launch/running_server.ts";
import { serverLog } from "./log/server_log.ts";
import { StopRequests } from "./launch/stop_requests.ts";

/** What a test replaces. */
export interface ProgramOptions {
  /** The URL of the program that is started as `serve --confined`. */
  readonly program: string;
  /** Loads the server. */
  readonly load: () => Promise<Serve>;
}

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
  try {
    return await run(asked(args), options);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    complain(error.message);
    return error.exitCode;
  }
}

async function run(
  args: readonly string[],
  { program, load }: ProgramOptions,
): Promise<number> {
  if (isForClients(args)) {
    const { runCli } = await import("./cli/cli.ts");
    return await runCli(args);
  }
  const invocation = await parseCommandLine(args, Deno.cwd);
  const stop = new StopRequests();
  switch (invocation.kind) {
    case "help":
      console.log(helpText());
      return 0;
    case "version":
      console.log(`larder ${VERSION}`);
      return 0;
    case "print-command": {
      const installation = thisInstallation(program);
      const root = await resolveRoot(invocation.config.root);
      const config = await withGroupNumbers({ ...invocation.config, root });
      console.log(shellLine(confinedCommand(config, installation)));
      return 0;
    }
    case "recover": {
      const { recoverRoot } = await import("./root/recover.ts");
      const root = await resolveRoot(invocation.root);
      for (const line of await recoverRoot(root, invocation)) {
        console.log(`larder: ${line}`);
      }
      return 0;
    }
    case "launch": {
      const { config } = invocation;
      const hasTerminal = isOnTerminal();
      const hangups = new Hangups(stop, { config, hasTerminal });
      listen(stop, { interrupt: () => stop.interrupt(), hangups });
      if (invocation.supervised) stopWhenEnded(Deno.stdin.readable, stop);
      return await launch(config, {
        installation: thisInstallation(program),
        stop,
        hangups,
      });
    }
    case "confined": {
      const { config, supervised, bootId } = invocation;
      // The terminal's closing reaches the launcher as well.
      const hasTerminal = !supervised && isOnTerminal();
      const hangups = new Hangups(stop, { config, hasTerminal });
      // Ctrl-C reaches the launcher as well, and it alone decides what that is.
      listen(stop, {
        interrupt: supervised ? () => {} : () => stop.interrupt(),
        hangups,
      });
      if (supervised) stopWhenEnded(Deno.stdin.readable, stop);
      return await serveConfined({
        ...config,
        ...bootId !== undefined && { bootId },
        descriptors: descriptorsFor(config, {
          pid: Deno.pid,
          variable: (name) => Deno.env.get(name),
        }),
      }, {
        load,
        stop,
        hangups,
        print: (text) => console.log(text.trimEnd()),
        log: serverLog(config.logFormat),
      });
    }
  }
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

function complain(message: string): void {
  console.error(`larder: ${message.replaceAll("\n", " ")}`);
}

function listen(
  stop: StopRequests,
  { interrupt, hangups }: {
    readonly interrupt: () => void;
    readonly hangups: Hangups;
  },
): void {
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", () => stop.request());
  Deno.addSignalListener("SIGHUP", () => hangups.arrive());
}

if (import.meta.main) {
  Deno.exit(
    await main(Deno.args, {
      program: import.meta.url,
      // A literal: such a module is loaded without permission to read it.
      load: async () => (await import("./serve.ts")).serve,
    }),
  );
}
