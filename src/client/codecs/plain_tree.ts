/**
 * Walks a value before it is written, so that what a format would drop or
 * change in silence is an error that says where it is.
 *
 * @module
 */

import { CodecError } from "./codec.ts";

/**
 * Deepest nesting of a value: what any engine's stack bears, many times what
 * data has, and it ends the walk of a value that contains itself.
 */
export const MAX_DEPTH = 500;

/** For bytes of a value that no codec can have written. */
export function tooDeep(): RangeError {
  return new RangeError(`it is nested deeper than ${MAX_DEPTH}`);
}

/** What a format can say. Each answers what is wrong, `NaN`, or undefined. */
export interface PlainRules {
  /** About a value that is no array and no plain object. */
  leaf(value: unknown): string | undefined;
  /** About a key; absent: any string may be one. */
  key?(name: string): string | undefined;
}

/** Where a walk is: says the place in errors, `$.a[3]`, and bounds the depth. */
export class Place {
  readonly #codec: string;
  readonly #steps: (string | number)[] = [];

  /** At the root of a value; `codec` goes into the errors. */
  constructor(codec: string) {
    this.#codec = codec;
  }

  /** Runs `action` one step further down. */
  inside(step: string | number, action: () => void): void {
    if (this.#steps.push(step) > MAX_DEPTH) {
      throw new CodecError(
        this.#codec,
        `the value is nested deeper than ${MAX_DEPTH}, or contains itself`,
      );
    }
    action();
    this.#steps.pop();
  }

  /** The error `$.a[3] is NaN, …`. */
  error(what: string): CodecError {
    const steps = this.#steps.map((step) =>
      typeof step === "number" ? `[${step}]` : `.${step}`
    );
    return new CodecError(this.#codec, `$${steps.join("")} ${what}`);
  }
}

/**
 * Throws unless `value` is made of arrays without holes, plain objects, and
 * leaves and keys that the rules let pass.
 *
 * @throws {CodecError} Names the place: `$.a[3] is NaN, …`.
 */
export function checkPlainTree(
  codec: string,
  value: unknown,
  rules: PlainRules,
): void {
  const place = new Place(codec);
  check(value);

  function check(value: unknown): void {
    if (Array.isArray(value)) {
      // By index: forEach and Object.keys leave holes out.
      for (let at = 0; at < value.length; at++) {
        place.inside(at, () => check(value[at]));
      }
    } else if (isPlainObject(value)) {
      for (const key of plainKeys(value, place)) {
        const wrong = rules.key?.(key);
        if (wrong !== undefined) {
          throw place.error(`has a key that is ${wrong}`);
        }
        place.inside(key, () => check(value[key]));
      }
    } else {
      const wrong = rules.leaf(value);
      if (wrong !== undefined) throw place.error(`is ${wrong}`);
    }
  }
}

/** Is it made by a literal, `JSON.parse` or `Object.create(null)`, in any realm? */
export function isPlainObject(
  value: unknown,
): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * The keys of a plain object.
 *
 * @throws {CodecError} A key is a symbol, which no format can say.
 */
export function plainKeys(
  value: Record<string, unknown>,
  place: Place,
): string[] {
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw place.error("has a key that is a symbol");
  }
  return Object.keys(value);
}

/** Says what a value is, for the end of a sentence: `a Date`, `undefined`. */
export function nameOf(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "object" && value !== null) {
    return `a ${value.constructor?.name || "class instance"}`;
  }
  return value === undefined ? "undefined" : `a ${typeof value}`;
}
