/**
 * The words of a command line, read by a table of options.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { parseDurationMs } from "../config/duration.ts";
import { StartError } from "../errors.ts";
import { suggest } from "./suggest.ts";

/** What Deno and Node make of bytes that are no UTF-8: all are the same then. */
export const NO_UTF8 = "\ufffd";

/** One option of a command. */
export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What its value is called in the help; absent: it is a switch. */
  readonly argument?: string;
  /** Whether it may be given several times, each time for one more. */
  readonly isMany?: true;
  /** Whether it is for our own processes: help and errors do not name it. */
  readonly isHidden?: true;
  /** What it does. */
  readonly help: string;
}

/** A value of an option, and how the option was spelt: `-l`, `--local`. */
export interface Written {
  readonly text: string;
  readonly source: string;
}

/** What was written. */
export class Words {
  /** The words that are no options. */
  readonly positionals: readonly string[];
  /** The words of the program that is to be run. */
  readonly rest: readonly string[];
  readonly #values: ReadonlyMap<string, readonly Written[]>;
  #defaults: ReadonlyMap<string, readonly string[]> = new Map();

  private constructor(
    values: ReadonlyMap<string, readonly Written[]>,
    positionals: readonly string[],
    rest: readonly string[],
  ) {
    this.#values = values;
    this.positionals = positionals;
    this.rest = rest;
  }

  /**
   * Reads words.
   *
   * @param args The words after the command's name.
   * @param options What the command knows.
   * @param form `runs`: what stands after `--` is a program and its words; else
   * these are words that may begin with `-`, and are no options.
   * @throws {StartError} An unknown option, one without its value, one with two,
   * or a word that is not UTF-8.
   */
  static read(
    args: readonly string[],
    options: readonly Option[],
    { runs = false }: { readonly runs?: boolean } = {},
  ): Words {
    const [garbled] = args.filter((word) => word.includes(NO_UTF8));
    if (garbled !== undefined) {
      const hasKey = options.some(({ name }) => name === "key-hex");
      throw new StartError(
        2,
        `${garbled}: not UTF-8, or holding U+FFFD` +
          (hasKey
            ? "; a key of any bytes can be given with --key-file or --key-hex"
            : ": such a word cannot be told from others"),
      );
    }
    const end = args.indexOf("--");
    const own = end < 0 ? args : args.slice(0, end);
    const values = new Map<string, Written[]>();
    const positionals: string[] = [];
    const { tokens } = parseArgs({
      args: [...own],
      options: Object.fromEntries(
        options.map(({ name, short, argument }) => [name, {
          type: argument === undefined ? "boolean" : "string",
          ...short === undefined ? {} : { short },
        }]),
      ),
      allowPositionals: true,
      // In strict mode its error messages have several lines.
      strict: false,
      tokens: true,
    });
    for (const token of tokens) {
      if (token.kind === "positional") positionals.push(token.value);
      if (token.kind !== "option") continue;
      const { name, rawName } = token;
      const option = options.find((each) => each.name === name);
      if (!option) {
        throw unknownFlag(rawName, options);
      }
      const text = textOf(token, option, options);
      const before = values.get(name) ?? [];
      if (!option.isMany && (before[0]?.text ?? text) !== text) {
        throw new StartError(
          2,
          `--${name} is given twice, as ${
            before[0]?.text
          } and as ${text}: one only`,
        );
      }
      values.set(name, [...before, { text, source: rawName }]);
    }
    const rest = end < 0 ? [] : args.slice(end + 1);
    return runs
      ? new Words(values, positionals, rest)
      : new Words(values, [...positionals, ...rest], []);
  }

  /** Sets what options are that were not given. */
  useDefaults(defaults: ReadonlyMap<string, readonly string[]>): void {
    this.#defaults = defaults;
  }

  /** Whether an option was given, or is by default. */
  has(name: string): boolean {
    return this.#values.has(name) || this.#defaults.has(name);
  }

  /** The last value of an option. */
  text(name: string): string | undefined {
    return this.own(name) ?? this.#defaults.get(name)?.at(-1);
  }

  /** The same, if it was given on the command line. */
  own(name: string): string | undefined {
    return this.written(name).at(-1)?.text;
  }

  /** All that was given of an option on the command line, in its order. */
  written(name: string): readonly Written[] {
    return this.#values.get(name) ?? [];
  }

  /** The names of all options that were given. */
  get given(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** All values of an option, those by default first, in their order. */
  all(name: string): readonly string[] {
    return [
      ...this.#defaults.get(name) ?? [],
      ...this.written(name).map(({ text }) => text),
    ];
  }

  /** A value that must be there. */
  needed(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw new StartError(2, `--${name} is missing`);
    return text;
  }

  /** A duration in milliseconds. */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return parseDurationMs(text);
    } catch (error) {
      throw new StartError(2, `--${name} ${text}: ${(error as Error).message}`);
    }
  }

  /**
   * Refuses more positional words than a command knows what to do with.
   *
   * @throws {StartError} One word too many.
   */
  atMost(count: number): void {
    const extra = this.positionals[count];
    if (extra !== undefined) {
      throw new StartError(2, `${extra} is one word too many`);
    }
  }
}

function unknownFlag(
  rawName: string,
  options: readonly Option[],
): StartError {
  const shown = options.filter(({ isHidden }) => !isHidden);
  const known = shown.map(({ name }) => `--${name}`);
  const isLetter = !rawName.startsWith("--");
  // One letter is a slip for every other one.
  const begins = known.filter((name) => name.startsWith(`-${rawName}`));
  const meant = isLetter && begins.length === 1
    ? `: did you mean ${begins[0]}?`
    : suggest(rawName, isLetter ? [] : known);
  const mayBeKey = options.some(({ name }) => name === "key-hex");
  const asWord = mayBeKey ? "; a KEY that begins with - comes after --" : "";
  return new StartError(2, `unknown flag ${rawName}${meant}${asWord}`);
}

/** A flag as the words have it. */
interface Token {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** The value of a flag; of a switch the empty one. */
function textOf(
  { rawName, value, inlineValue }: Token,
  { argument }: Option,
  options: readonly Option[],
): string {
  if (argument === undefined) {
    if (value === undefined) return "";
    throw new StartError(2, `${rawName} takes no value`);
  }
  if (value === undefined) {
    throw new StartError(2, `${rawName} needs a value: ${argument}`);
  }
  if (inlineValue) {
    // "-l=ADDR" is what people write who know "--local=ADDR".
    return rawName.startsWith("--") ? value : value.replace(/^=/, "");
  }
  const isNext = options.some(({ name, short }) =>
    value === `--${name}` || (short !== undefined && value === `-${short}`)
  );
  if (!isNext) return value;
  throw new StartError(
    2,
    `${rawName} needs a value: ${argument}; if ${value} is meant to be it: ` +
      `${rawName}=${value}`,
  );
}
