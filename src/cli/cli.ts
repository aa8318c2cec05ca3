/**
 * `larder get`, `put`, `run` and the others: from the words to an exit code.
 * Runs on Deno and on Node.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { CacheError } from "../client/cache_error.ts";
import { LarderError, messageOf, StartError } from "../errors.ts";
import { suggest } from "../flags/suggest.ts";
import { addressesOf } from "./addresses.ts";
import { optionsOf } from "./command.ts";
import { allCommands, COMMAND_NAMES, loadCommand } from "./commands.ts";
import { FAILED, OK, UNREACHABLE, WRONG_USE } from "./exit_codes.ts";
import { outliveFileLimit } from "./file_limit.ts";
import { commandHelp, overview, SERVER_COMMANDS } from "./help.ts";
import {
  isBrokenPipe,
  print,
  say,
  tolerateFailingStreams,
  write,
} from "./output.ts";
import { projectDefaults } from "./project_file.ts";
import { isOff } from "./run/off.ts";
import { useSecurity } from "./security.ts";
import { AnsweredError, explained } from "./who_answers.ts";
import { Words } from "../flags/words.ts";

/** How it is told that a Unix domain socket is not for this user. */
const NOT_FOR_US = /\(EACCES\)/;

/**
 * Runs a command.
 *
 * @param args The words after the program's name.
 * @returns The exit code.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  tolerateFailingStreams();
  outliveFileLimit();
  try {
    return await dispatch(args);
  } catch (error) {
    // Of a server the connection may break so, and that is another matter.
    if (!(error instanceof CacheError) && isBrokenPipe(error)) return OK;
    if (!isForPeople(error)) throw error;
    const exitCode = exitCodeOf(error);
    const message = messageOf(error);
    say(
      exitCode === UNREACHABLE && !(error instanceof AnsweredError)
        ? `${message}: ${remedy(message)}`
        : message,
    );
    return exitCode;
  }
}

/** What to do where no server was reached. */
function remedy(message: string): string {
  // It may well run: to start another one is of no use.
  return NOT_FOR_US.test(message)
    ? "its --socket-mode and --socket-group say who may, and every folder above " +
      "has to let them through"
    : "start it, or say where it is: --remote ADDR";
}

async function dispatch(
  [name, ...args]: readonly string[],
): Promise<number> {
  if (name === "--version" || name === "-V") {
    await print(`larder ${await version()}\n`);
    return OK;
  }
  if (name === undefined) {
    await write(process.stderr, overview(await allCommands()));
    return WRONG_USE;
  }
  if (/^(--help|-h)$/.test(name)) {
    await print(overview(await allCommands()));
    return OK;
  }
  const command = await loadCommand(name);
  if (!command) throw unknownCommand(name);
  const options = optionsOf(command);
  const words = Words.read(args, options, { runs: name === "run" });
  if (words.has("help")) {
    await print(commandHelp(command));
    return OK;
  }
  // Switched off, nothing is looked at.
  if (name !== "run" || !isOff()) {
    words.useDefaults(await projectDefaults(name, options));
  }
  useSecurity(words);
  try {
    return await command.run(words);
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    throw await explained(error, addressesOf(words));
  }
}

function unknownCommand(name: string): StartError {
  if (name.startsWith("-")) {
    return new StartError(
      2,
      `${name}: the command comes first, then its flags`,
    );
  }
  const known = [...COMMAND_NAMES, ...SERVER_COMMANDS.map(({ name }) => name)];
  return new StartError(2, `unknown command ${name}${suggest(name, known)}`);
}

/** In the npm package beside package.json, in the repository beside deno.json. */
async function version(): Promise<string> {
  for (const name of ["package.json", "deno.json"]) {
    try {
      const text = await readFile(new URL(`../../${name}`, import.meta.url));
      return JSON.parse(text.toString()).version;
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT") throw error;
    }
  }
  return "unknown";
}

/** Errors of the world, and not of this program: their message is enough. */
function isForPeople(error: unknown): error is Error {
  return error instanceof CacheError || error instanceof StartError ||
    error instanceof LarderError ||
    (error instanceof Error && "syscall" in error);
}

function exitCodeOf(error: Error): number {
  if (error instanceof StartError) return error.exitCode;
  if (!(error instanceof CacheError)) return FAILED;
  if (error.code === "unavailable") return UNREACHABLE;
  return error.code === "invalid" ? WRONG_USE : FAILED;
}
