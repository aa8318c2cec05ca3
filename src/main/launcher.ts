/**
 * The program of `deno task serve` and `deno task recover`: the commands of
 * `main.ts` that are the server's.
 *
 * Deno reads all that a program may ever import, and keeps it as long as the
 * program runs. The launcher runs as long as its server, so it names neither the
 * server's modules nor those of the clients.
 *
 * @module
 */

import { StartError } from "../errors.ts";
import { complaining } from "./complaints.ts";
import { runServerCommand } from "./server_commands.ts";

const CONFINED =
  "the launcher does not serve: --print-command says how --confined is started";

if (import.meta.main) {
  Deno.exit(
    await complaining(() =>
      runServerCommand(Deno.args, {
        program: new URL("./confined.ts", import.meta.url).href,
        load: () => Promise.reject(new StartError(2, CONFINED)),
        onSignal: Deno.addSignalListener,
      })
    ),
  );
}
