/**
 * The texts of `--help`.
 *
 * @module
 */

import { flagRows } from "../flags/flag_rows.ts";
import { type Command, optionsOf } from "./command.ts";
import { table } from "./format.ts";

const EXIT_CODES = [
  "Exit codes: 0 done, 1 not there, damaged or failed, 2 wrong use,",
  "3 no server answers; larder run gives those of the command it runs.",
];

/** What the program does that loads this one: main.ts, or that of npm. */
export const SERVER_COMMANDS: readonly Pick<Command, "name" | "summary">[] = [
  { name: "serve", summary: "serve a root: larder serve --help" },
  { name: "recover", summary: "move the damaged manifest of a root aside" },
];

/** The help of all commands together. */
export function overview(commands: readonly Command[]): string {
  return [
    "larder: values of a Larder cache, from a shell",
    "",
    "Usage:",
    table(
      [...commands, ...SERVER_COMMANDS]
        .map(({ name, summary }) => [`  larder ${name}`, summary]),
    ) + "  larder COMMAND --help",
    "",
    ...EXIT_CODES,
    "",
  ].join("\n");
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const { name, usage, summary, details = [] } = command;
  return [
    `larder ${name}: ${summary}`,
    "",
    `Usage: larder ${name} ${usage}`.trimEnd(),
    ...details.length === 0 ? [] : ["", ...details],
    "",
    "Flags:",
    ...flagRows(optionsOf(command)),
    "",
    ...EXIT_CODES,
    "",
  ].join("\n");
}
