/**
 * What the doctor says.
 *
 * @module
 */

/** One thing that was looked at. */
export interface Finding {
  /** What. */
  readonly name: string;
  /** How it is; `fail`: it will not work. */
  readonly status: "ok" | "warn" | "fail";
  /** What was seen. */
  readonly text: string;
  /** What to do. */
  readonly remedy?: string;
}

/** It is as it should be. */
export function ok(name: string, text: string): Finding {
  return { name, status: "ok", text };
}

/** It works, but. */
export function warn(name: string, text: string, remedy: string): Finding {
  return { name, status: "warn", text, remedy };
}

/** It does not work. */
export function fail(name: string, text: string, remedy: string): Finding {
  return { name, status: "fail", text, remedy };
}
