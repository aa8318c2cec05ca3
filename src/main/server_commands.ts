/**
 * `larder serve` and `larder recover`.
 *
 * `larder serve` is a launcher: it starts `main/confined.ts` as `serve --confined`
 * with exact permissions. The server's modules are loaded only
 * there. `larder recover` moves a damaged manifest aside.
 *
 * @module
 */

import { parseCommandLine } from "../launch/arguments.ts";
import { serveConfined, stopWhenEnded } from "../launch/confined.ts";
import { descriptorsFor } from "../launch/descriptors.ts";
import { withGroupNumbers } from "../launch/groups.ts";
import { Hangups, isOnTerminal } from "../launch/hangups.ts";
import { helpText, VERSION } from "../launch/help.ts";
import { launch } from "../launch/launcher.ts";
import { confinedCommand, thisInstallation } from "../launch/permissions.ts";
import type { Serve } from "../launch/running_server.ts";
import { completeModules } from "../launch/server_modules.ts";
import { shellLine } from "../launch/shell_line.ts";
import { StopRequests } from "../launch/stop_requests.ts";
import { serverLog } from "../log/server_log.ts";
import { resolveRoot } from "../root/root_folder.ts";

/** What a test replaces. */
export interface ProgramOptions {
  /** The URL of the program that is started as `serve --confined`. */
  readonly program: string;
  /** Loads the server. */
  readonly load: () => Promise<Serve>;
}

/** Calls `listener` with each signal to this process. */
type OnSignal = (signal: Deno.Signal, listener: () => void) => void;

/**
 * Runs a command of the server's.
 *
 * @param args Its words, with its name.
 * @param options What a test replaces, and who tells of signals.
 * @returns The exit code.
 */
export async function runServerCommand(
  args: readonly string[],
  { program, load, onSignal }: ProgramOptions & {
    readonly onSignal: OnSignal;
  },
): Promise<number> {
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
      const [root] = await Promise.all([
        resolveRoot(invocation.config.root),
        completeModules(installation, stop),
      ]);
      const config = await withGroupNumbers({ ...invocation.config, root });
      console.log(shellLine(confinedCommand(config, installation)));
      return 0;
    }
    case "recover": {
      const { recoverRoot } = await import("../root/recover.ts");
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
      listen(onSignal, {
        stop,
        interrupt: () => stop.interrupt(),
        hangups,
      });
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
      listen(onSignal, {
        stop,
        interrupt: supervised ? () => {} : () => stop.interrupt(),
        hangups,
      });
      // Where files have a limit (ulimit -f), the write that meets it fails, and
      // the server does not end.
      if (Deno.build.os !== "windows") onSignal("SIGXFSZ", () => {});
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

function listen(
  onSignal: OnSignal,
  { stop, interrupt, hangups }: {
    readonly stop: StopRequests;
    readonly interrupt: () => void;
    readonly hangups: Hangups;
  },
): void {
  onSignal("SIGINT", interrupt);
  onSignal("SIGTERM", () => stop.request());
  onSignal("SIGHUP", () => hangups.arrive());
}
