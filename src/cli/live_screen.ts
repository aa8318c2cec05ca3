/**
 * A screen that is drawn again and again.
 *
 * @module
 */

import process from "node:process";
import { print } from "./output.ts";
import { PAPER_COLUMNS, type Room } from "./top_screen.ts";

/** Another screen than the one before, no cursor, lines that do not wrap. */
const BEGIN = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const END = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
/** Of a terminal that does not say. */
const USUAL: Room = { columns: 80, rows: 24 };
/** Where there is no terminal no line has to be left out. */
const PAPER: Room = { columns: PAPER_COLUMNS, rows: Infinity };

/** Where screens go to. */
export interface Screens extends AsyncDisposable {
  /** How large they are now. */
  readonly room: Room;
  /** Shows one, in place of the one before if that is possible. */
  show(lines: readonly string[]): Promise<void>;
  /** Calls when it has another size. */
  onResize(changed: () => void): void;
}

/** On a terminal each takes the place of the last; elsewhere they follow. */
export async function openScreens(): Promise<Screens> {
  if (!process.stdout.isTTY) return new Paper();
  await print(BEGIN);
  return new Terminal();
}

class Terminal implements Screens {
  #changed: (() => void) | undefined;

  get room(): Room {
    const { columns, rows } = process.stdout;
    return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
  }

  show(lines: readonly string[]): Promise<void> {
    const cleared = lines.map((line) => line + CLEAR_LINE).join("\n");
    return print(HOME + cleared + CLEAR_BELOW);
  }

  onResize(changed: () => void): void {
    this.#changed = changed;
    process.stdout.on("resize", changed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#changed) process.stdout.off("resize", this.#changed);
    await print(END);
  }
}

class Paper implements Screens {
  readonly room = PAPER;

  show(lines: readonly string[]): Promise<void> {
    return print(`${lines.join("\n")}\n\n`);
  }

  onResize(): void {}

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
