/**
 * What goes to stdout and stderr.
 *
 * @module
 */

import process from "node:process";
import type { Writable } from "node:stream";
import { CacheError } from "../client/cache_error.ts";
import type { Progress } from "../client/transfer.ts";
import { cannotWrite } from "./cannot.ts";
import { formatSize } from "./format.ts";

/** A terminal is not told of every piece. */
const PROGRESS_MS = 100;

/** Writes bytes or text; resolves when it has gone out. */
export function write(
  stream: Writable,
  data: Uint8Array | string,
): Promise<void> {
  return new Promise((resolve, reject) =>
    stream.write(data, (error) => error ? reject(error) : resolve())
  );
}

/**
 * Whether nobody reads what is written any more: `larder ls | head`. A server
 * that hangs up may say the same word: that is a failure of the call.
 */
export function isBrokenPipe(error: unknown): boolean {
  // Deno has no code for it.
  return error instanceof Error && !(error instanceof CacheError) &&
    /\bEPIPE\b/.test(error.message);
}

/**
 * Keeps a stream that cannot be written to from ending the process: nobody reads
 * it, or its disk is full. Whoever writes is told.
 */
export function tolerateFailingStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {});
  }
}

/**
 * Prints text, or bytes, to stdout.
 *
 * @throws {StartError} It cannot be written: its disk is full.
 */
export async function print(text: string | Uint8Array): Promise<void> {
  try {
    await write(process.stdout, text);
  } catch (error) {
    throw isBrokenPipe(error) ? error : cannotWrite("to stdout", error);
  }
}

/** Prints a value as one line of JSON to stdout. */
export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value)}\n`);
}

/** Says something to people, on stderr, in one line. */
export function say(message: string): void {
  process.stderr.write(`larder: ${message.replaceAll("\n", " ")}\n`);
}

/** A line on the terminal that says how far something is; nothing elsewhere. */
export class ProgressLine implements Disposable {
  readonly #label: string;
  readonly #isOn: boolean;
  #nextMs = performance.now() + PROGRESS_MS;
  #isShown = false;

  /** Shows nothing yet: what is done soon needs no progress. */
  constructor(
    label: string,
    { isOn = true }: { readonly isOn?: boolean } = {},
  ) {
    this.#label = label;
    this.#isOn = isOn && process.stderr.isTTY === true;
  }

  /** Says how far a transfer is. */
  readonly transfer = ({ done, total }: Progress): void => {
    const of = total === undefined ? "" : ` of ${formatSize(total)}`;
    this.show(`${formatSize(done)}${of}`);
  };

  /** Says how far it is. */
  show(state: string): void {
    if (!this.#isOn || performance.now() < this.#nextMs) return;
    this.#nextMs = performance.now() + PROGRESS_MS;
    this.#isShown = true;
    process.stderr.write(`\r\x1b[K${this.#label} ${state}`);
  }

  [Symbol.dispose](): void {
    if (this.#isShown) process.stderr.write("\r\x1b[K");
    this.#isShown = false;
  }
}
