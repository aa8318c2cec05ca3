/**
 * Looks at what programs give before anything is asked of a server: a number
 * that is none, or a name with a slip, would else change what a call does, and
 * nobody would hear of it.
 *
 * @module
 */

import { MAX_AGE_MS } from "../limits.ts";
import { slips } from "../slips.ts";

/** More wrong letters than this is another word, not a slip. */
const MAX_SLIPS = 3;

/** Throws when a value is none that an option may have. */
type Check = (name: string, value: unknown) => void;

/** The options of some calls: each is checked where it is given. */
export type KnownOptions = Readonly<Record<string, Check>>;

/** A number of milliseconds, `Infinity` too. */
export function milliseconds(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0)) {
    const message = `${name} must be milliseconds, 0 or more, not ${
      shown(value)
    }`;
    throw typeof value === "number"
      ? new RangeError(message)
      : new TypeError(message);
  }
}

/** A number of milliseconds, more than 0 and at most ten years; whole or rounded up. */
export function lifetime(name: string, value: unknown): void {
  milliseconds(name, value);
  if (Number(value) > 0 && Number(value) <= MAX_AGE_MS) return;
  throw new RangeError(
    `${name} must be more than 0 and at most ${MAX_AGE_MS}, ten years, not ` +
      `${shown(value)}; leave it out to keep the value for ever`,
  );
}

/** A function. */
export function callable(name: string, value: unknown): void {
  if (typeof value !== "function") {
    throw new TypeError(`${name} must be a function, not ${shown(value)}`);
  }
}

/** `true` or `false`. */
export function flag(name: string, value: unknown): void {
  if (typeof value !== "boolean") {
    throw new TypeError(`${name} must be true or false, not ${shown(value)}`);
  }
}

/** Text. */
export function text(name: string, value: unknown): void {
  if (typeof value !== "string") {
    throw new TypeError(`${name} must be a text, not ${shown(value)}`);
  }
}

/** One of some words. */
export function oneOf(...words: readonly string[]): Check {
  return (name, value) => {
    if (words.some((word) => word === value)) return;
    throw new TypeError(`${name} must be one of ${words.join(", ")}`);
  };
}

/** `true`, `false` or a function. */
export function flagOrCallable(name: string, value: unknown): void {
  if (typeof value === "boolean" || typeof value === "function") return;
  throw new TypeError(
    `${name} must be true, false or a function, not ${shown(value)}`,
  );
}

/** A number of bytes, `Infinity` too. */
export function byteCount(name: string, value: unknown): void {
  if (typeof value === "number" && value >= 0) return;
  const message = `${name} must be bytes, 0 or more, not ${shown(value)}`;
  throw typeof value === "number"
    ? new RangeError(message)
    : new TypeError(message);
}

/** What is aborted, of this realm or of another. */
export function abortSignal(name: string, value: unknown): void {
  if (has(value, "addEventListener") && "aborted" in value) return;
  throw new TypeError(
    `${name} must be an AbortSignal, such as AbortSignal.timeout(1_000), not ` +
      shown(value),
  );
}

/** What writes and reads values. */
export function codecLike(name: string, value: unknown): void {
  if (has(value, "encode") && has(value, "decode")) return;
  throw new TypeError(
    `${name} must be a codec, such as json() or bytes, not ${shown(value)}`,
  );
}

/** Whether it is an object with such a function. */
export function has(value: unknown, method: string): value is object {
  return typeof value === "object" && value !== null &&
    typeof (value as Record<string, unknown>)[method] === "function";
}

/** Anything: whoever uses it looks at it. */
export function anything(): void {}

/**
 * Throws unless the options are some that are known, with values they may have.
 * `undefined` is as good as absent.
 *
 * @param options What was given.
 * @param known All that may be.
 * @throws {TypeError} It is no object, or has a name that is not known.
 * @throws {RangeError} A number is out of its bounds.
 */
export function checkOptions(options: unknown, known: KnownOptions): void {
  const names = Object.keys(known);
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `the options must be an object with some of ${names.join(", ")}, not ` +
        shown(options),
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      throw new TypeError(`there is no option ${name}: ${meant(name, names)}`);
    }
    if (value !== undefined) known[name]!(name, value);
  }
}

/** A value in an error message: short, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === "number" || value === undefined || value === null) {
    return String(value);
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function meant(typed: string, names: readonly string[]): string {
  const wanted = typed.slice(0, 64).toLowerCase();
  const near = names
    .map((name) => ({ name, wrong: slips(wanted, name.toLowerCase()) }))
    .sort((a, b) => a.wrong - b.wrong)[0];
  return near && near.wrong <= MAX_SLIPS
    ? `did you mean ${near.name}?`
    : `give some of ${names.join(", ")}`;
}
