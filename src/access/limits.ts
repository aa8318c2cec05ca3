/**
 * What one caller may take at a time, so that the others keep their share.
 *
 * @module
 */

/** What is limited; what is absent is not. */
export interface CallerLimits {
  /** Calls that are under way. */
  readonly calls?: number;
  /** Work that was given out, and is neither published nor given back. */
  readonly assignments?: number;
  /** Files in hand. */
  readonly handles?: number;
  /** Bytes a second that they send. */
  readonly uploadBytes?: number;
}

/** Of which there may be a number at a time. */
export type Limited = "calls" | "assignments" | "handles";

const WORDS: { readonly [what in Limited]: readonly [string, string] } = {
  calls: ["calls under way", "come again when one has ended"],
  assignments: [
    "assignments",
    "publish one, or give one back, before the next",
  ],
  handles: ["files in hand", "drop one before the next"],
};

/** Why bytes would have to wait for so long, for people. */
export function tooFast(
  who: string | undefined,
  bytesPerSecond: number,
  delayMs: number,
): string {
  const [may, they] = who === undefined
    ? ["callers without a name may", "have sent"]
    : [`${JSON.stringify(who)} may`, "has sent"];
  return `${may} send ${bytesPerSecond} bytes a second, and ${they} what takes ` +
    `${Math.ceil(delayMs / 1_000)} s more: come again then`;
}

/** Why somebody may have no more of something, for people. */
export function overLimit(
  who: string | undefined,
  what: Limited,
  { held, most }: { readonly held: number; readonly most: number },
): string {
  const [things, remedy] = WORDS[what];
  const [has, they] = who === undefined
    ? ["callers without a name have", "they may have together"]
    : [`${JSON.stringify(who)} has`, "it may have"];
  return `${has} ${held} of the ${most} ${things} that ${they}, and asked for ` +
    `one more: ${remedy}`;
}
