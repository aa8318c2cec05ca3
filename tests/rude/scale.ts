/**
 * How much of everything: `deno test … tests/rude -- --scale 10 --seed 42`; and
 * what the servers get on top, to see what happens without a limit:
 * `deno test … tests/rude/vanished_test.ts -- --server "--keepalive 1h"`.
 *
 * @module
 */

/** The number after a flag; `undefined` where it is not given. */
export function option(name: string): number | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  if (at < 0) return undefined;
  const value = Number(Deno.args[at + 1]);
  if (!Number.isFinite(value)) throw new TypeError(`--${name} wants a number`);
  return value;
}

/** 1 in the gate; the soak says more. */
export const SCALE: number = option("scale") ?? 1;

/** A count that grows with the scale. */
export function scaled(count: number): number {
  return Math.max(1, Math.round(count * SCALE));
}

/**
 * Between two calls of the polite client: few of them do to see whether the server
 * hangs; `--polite-pause 1` makes as many as a p99 needs.
 */
export const POLITE_PAUSE_MS: number = option("polite-pause") ?? 10;

/** What the random cases start from; printed, so that a failure can be had again. */
export const SEED: number = option("seed") ?? Date.now() % 2 ** 31;

/** Flags of the servers; of two of a kind the later one holds. */
export const SERVER_FLAGS: readonly string[] = Deno.args.includes("--server")
  ? (Deno.args[Deno.args.indexOf("--server") + 1] ?? "").split(" ")
  : [];

/** Numbers below 1 from a seed: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
