/**
 * The commands there are. Only the one that is asked for is loaded: that takes a
 * good part of the time of a short one.
 *
 * @module
 */

import type { Command } from "./command.ts";

/** In the order of the help. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["run", async () => (await import("./commands/run.ts")).run],
  ["get", async () => (await import("./commands/get.ts")).get],
  ["put", async () => (await import("./commands/put.ts")).put],
  ["stat", async () => (await import("./commands/stat.ts")).stat],
  ["ls", async () => (await import("./commands/ls.ts")).ls],
  ["usage", async () => (await import("./commands/usage.ts")).usage],
  ["status", async () => (await import("./commands/status.ts")).status],
  ["top", async () => (await import("./commands/top.ts")).top],
  ["rm", async () => (await import("./commands/rm.ts")).rm],
  ["gc", async () => (await import("./commands/gc.ts")).gc],
  ["verify", async () => (await import("./commands/verify.ts")).verify],
  ["token", async () => (await import("./commands/token.ts")).token],
  ["doctor", async () => (await import("./commands/doctor.ts")).doctor],
]);

/** Their names. */
export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()];

/** Loads the command of this name; `undefined`: there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return await COMMANDS.get(name)?.();
}

/** Loads all of them. */
export async function allCommands(): Promise<Command[]> {
  return await Promise.all([...COMMANDS.values()].map((load) => load()));
}
