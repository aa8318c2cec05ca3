/**
 * The program that the launcher starts: the server, as `serve --confined` of
 * `main.ts`, without the modules of the clients, which Deno would read and keep.
 *
 * @module
 */

import { complaining } from "./complaints.ts";
import { runServerCommand } from "./server_commands.ts";

if (import.meta.main) {
  Deno.exit(
    await complaining(() =>
      runServerCommand(Deno.args, {
        program: import.meta.url,
        load: async () => (await import("../serve.ts")).serve,
        onSignal: Deno.addSignalListener,
      })
    ),
  );
}
