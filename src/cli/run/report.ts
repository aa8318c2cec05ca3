/**
 * What `larder run` says of itself, on stderr: stdout is the command's.
 *
 * @module
 */

import process from "node:process";
import type { Entry, Holder } from "../../client/backend.ts";
import { count, formatSize, formatSpan, toHex, withSizes } from "../format.ts";
import { say } from "../output.ts";
import { SHORT_KEY_DIGITS } from "../printed_key.ts";
import type { Words } from "../../flags/words.ts";

/** Less is not worth a word: the hit itself takes its time, too. */
const MIN_SAVED_MS = 1_000;
/** A line is read up to about here. */
const SHOWN_NAMES = 5;

/** Where the output came from, and what became of it. */
export type Source =
  /** It was kept. */
  | "hit"
  /** The command was run, and its output is kept now. */
  | "computed"
  /** The command failed, or was interrupted: nothing is kept. */
  | "failed"
  /** The command was run without the cache. */
  | "uncached";

/** How a run ended. */
export interface Outcome {
  /** The command's exit code. */
  readonly code: number;
  /** What is kept of it; absent where nothing is. */
  readonly bytes?: number;
  /** What computing it took, in milliseconds, which a hit has saved. */
  readonly savedMs?: number | undefined;
  /** Why nothing is; said with `uncached`. */
  readonly reason?: string | undefined;
  /** The signal that interrupted it; said with `failed`. */
  readonly signal?: string | undefined;
}

/** Says things of one run. */
export class Reporter {
  /** Whether only warnings and errors are said. */
  readonly isQuiet: boolean;
  readonly #entry: Entry;
  readonly #isJson: boolean;
  /** Why it goes without the cache, as it has said already. */
  #said: string | undefined;
  #source: Source = "uncached";
  #reason: string | undefined;

  /** Speaks of `entry`, as the flags say. */
  constructor(entry: Entry, words: Words) {
    this.#entry = entry;
    this.isQuiet = words.has("quiet");
    this.#isJson = words.has("json");
  }

  /** Says that the command is run without the cache. */
  withoutCache(reason: string): void {
    this.#said = reason;
    this.#reason = reason;
    this.warn(`running without the cache: ${withSizes(reason)}`);
  }

  /** Says what did not go as it should. */
  warn(message: string): void {
    say(`${this.#name()}: ${message}`);
  }

  /** Says which files in outs are none of the command's. */
  stayed(names: readonly string[]): void {
    if (names.length === 0 || this.isQuiet || this.#isJson) return;
    const shown = names.slice(0, SHOWN_NAMES).join(", ");
    const more = names.length - SHOWN_NAMES;
    this.warn(
      `none of the command's, left as they are: ${shown}` +
        (more > 0 ? ` and ${count(more, "other")}` : ""),
    );
  }

  /** Says why nothing happens. */
  waiting({ holder, computingMs }: Holder): void {
    if (this.isQuiet || this.#isJson) return;
    const since = Math.round(computingMs / 1_000);
    const who = holder === "" ? "" : `, from ${holder}, for ${since} s now`;
    say(`${this.#name()}: waiting for whoever runs the same${who}`);
  }

  /** How it ended, once that has been said. */
  get ended(): Pick<Outcome, "reason"> & { readonly source: Source } {
    return { source: this.#source, reason: this.#reason };
  }

  /** Says how it ended. */
  report(
    source: Source,
    { code, bytes, savedMs, reason, signal }: Outcome,
  ): void {
    this.#source = source;
    const interrupted = signal && `it was interrupted by ${signal}`;
    this.#reason = reason ?? interrupted ?? this.#reason;
    if (this.#isJson) {
      const { namespace, key } = this.#entry;
      const why = reason ?? interrupted ?? this.#said;
      const line = JSON.stringify({
        source,
        namespace,
        key_hex: toHex(key),
        exit_code: code,
        ...bytes === undefined ? {} : { bytes },
        ...savedMs === undefined ? {} : { saved_ms: savedMs },
        ...why === undefined ? {} : { reason: why },
      });
      process.stderr.write(`${line}\n`);
      return;
    }
    if (reason !== undefined) {
      return this.warn(`not kept: ${withSizes(reason)}`);
    }
    if (this.isQuiet || (source === "uncached" && this.#said !== undefined)) {
      return;
    }
    const name = this.#name();
    const what = {
      hit: `hit ${name}`,
      computed: `computed ${name}`,
      failed: `exit code ${code}${
        signal ? ` after ${signal}` : ""
      }, not kept: ${name}`,
      uncached: `computed ${name}, not kept`,
    }[source];
    const size = bytes === undefined ? "" : ` ${formatSize(bytes)}`;
    const saved = (savedMs ?? 0) < MIN_SAVED_MS
      ? ""
      : `, saved ${formatSpan(savedMs!)}`;
    say(`${what}${size}${source === "computed" ? " stored" : ""}${saved}`);
  }

  #name(): string {
    return shortName(this.#entry);
  }
}

/** Enough of an entry to be told from others. */
export function shortName({ namespace, key }: Entry): string {
  return `${namespace} ${toHex(key).slice(0, SHORT_KEY_DIGITS)}…`;
}
