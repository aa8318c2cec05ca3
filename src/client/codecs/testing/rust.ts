/**
 * Asks the Rust program of `tests/golden/flexbuffers/rust` what it makes of
 * flexbuffers. Building it takes a minute, so it is asked only when
 * `LARDER_RUST=1` is set: the vectors that are committed are what CI tests.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { toHex } from "./golden.ts";

const MANIFEST = fileURLToPath(
  new URL(
    "../../../../tests/golden/flexbuffers/rust/Cargo.toml",
    import.meta.url,
  ),
);

/** What Rust read, as `{:?}` prints it, and the hex of what it writes again. */
export interface RustAnswer {
  /** The value. */
  readonly debug?: string;
  /** Its flexbuffer. */
  readonly again?: string;
  /** Why it was not read. */
  readonly error?: string;
}

/**
 * Lets Rust read flexbuffers, each as the type of the vector called `name`, or
 * as `any`.
 *
 * @returns An answer each, or undefined, with a line that says so, where Rust
 * is not asked.
 */
export function rustReads(
  questions: readonly { name: string; bytes: Uint8Array }[],
): RustAnswer[] | undefined {
  const input = questions.map(({ name, bytes }) => `${name}\t${toHex(bytes)}`);
  const output = rustSays("read", input.join("\n"));
  return output?.trim().split("\n").map((line) => JSON.parse(line));
}

/**
 * Runs the program: `typed` and `odd` print the vectors that are committed.
 *
 * @returns What it printed, or undefined, with a line that says so, where Rust
 * is not asked.
 */
export function rustSays(word: string, input = ""): string | undefined {
  if (env.LARDER_RUST !== "1") {
    console.log("skipped: Rust is asked only when LARDER_RUST=1 is set");
    return undefined;
  }
  return execFileSync(
    "cargo",
    ["run", "--release", "--locked", "--quiet", "--manifest-path", MANIFEST]
      .concat("--", word),
    { input, maxBuffer: 2 ** 30, encoding: "utf8" },
  );
}
