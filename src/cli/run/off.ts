/**
 * `LARDER=off`: commands are run as if `larder run` were not there.
 *
 * @module
 */

import process from "node:process";
import { say } from "../output.ts";
import type { Words } from "../../flags/words.ts";
import { runCommand } from "./child.ts";
import { Interrupts } from "./interrupts.ts";
import { commandOf } from "./plan.ts";

const OFF = ["off", "0", "no", "false"];
const ON = ["on", "1", "yes", "true", ""];

let known: boolean | undefined;

/** Whether the cache is switched off. */
export function isOff(): boolean {
  return known ??= find();
}

function find(): boolean {
  let text = "";
  try {
    text = process.env["LARDER"]?.toLowerCase() ?? "";
  } catch {
    // Deno reads no variable that is not UTF-8.
    text = "\ufffd";
  }
  if (!OFF.includes(text) && !ON.includes(text)) {
    say(`LARDER=${text} is neither on nor off, and so it is on`);
  }
  return OFF.includes(text);
}

/**
 * Runs the command, and nothing else.
 *
 * @returns Its exit code.
 */
export async function runPlainly(words: Words): Promise<number> {
  using interrupts = new Interrupts();
  const { code } = await runCommand(commandOf(words), interrupts, {
    input: "ours",
  });
  return code;
}
