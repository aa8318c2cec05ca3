/**
 * Whoever makes calls, as far as they are counted.
 *
 * @module
 */

import type { Method } from "./method.ts";

/** Somebody whose calls are counted together, whatever connections they have. */
export interface CountedCaller {
  /** A call begins, and counts until `leave`; or says why it may not. */
  enter(): { readonly message: string } | undefined;
  /** A call has ended. */
  leave(): void;
  /** Whether it may send only so many bytes a second. */
  readonly isPaced: boolean;
  /**
   * Counts bytes that are going to come.
   *
   * @returns After how many milliseconds they may.
   */
  pace(bytes: number, nowMs: number): number;
  /** They do not come after all. */
  unpace(bytes: number): void;
  /** Why bytes would have to wait for so long, for people. */
  tooFast(delayMs: number): string;
}

/** Whether the calls of a method count. */
export function isCounted(
  { overLimit }: Pick<Method<unknown, unknown>, "overLimit">,
): boolean {
  return overLimit !== "passes";
}
