/**
 * Time to live: what is over is absent, and is taken away when somebody asks for
 * it or the evictor comes by. A path that was handed out stays until then.
 *
 * @module
 */

import { HANDED_SHARE } from "../limits.ts";
import type { EntryState, State } from "./state.ts";
import type { Row, Times } from "./types.ts";

type Ready = EntryState & { kind: "ready" };

/** What a ready row says of its time, on the monotonic clock. */
export function timesOf(
  s: State,
  row: Row & { status: "ready" },
  { nowMs, wallMs }: {
    readonly nowMs: number;
    /** When the row was found, by the wall clock. */
    readonly wallMs: number | undefined;
  },
): Pick<Ready, "expiresMs" | "pinnedUntilMs" | "computedMs"> {
  const { expiresMs, handedMs, computedMs } = row;
  const times = computedMs === undefined ? {} : { computedMs };
  if (expiresMs === undefined || wallMs === undefined) return times;
  const expires = { ...times, expiresMs: nowMs + expiresMs - wallMs };
  const { handleLeaseMs, servedBefore, startWallMs } = s.options;
  // Handles of before the start are not known: see Evictor.
  const isHanded = servedBefore && handedMs !== undefined &&
    handedMs >= startWallMs - HANDED_SHARE * handleLeaseMs;
  return isHanded
    ? { ...expires, pinnedUntilMs: s.startMs + handleLeaseMs }
    : expires;
}

/** Whether the time of a value is over. */
export function isOver(
  { expiresMs = Infinity }: Ready,
  nowMs: number,
): boolean {
  return expiresMs <= nowMs;
}

/** What whoever gets a value is told of it. */
export function timesLeft(
  { computedMs, expiresMs }: Ready,
  nowMs: number,
): Times {
  return {
    ...(computedMs === undefined ? {} : { computedMs }),
    ...(expiresMs === undefined ? {} : { ttlMs: expiresMs - nowMs }),
  };
}

/** Whether nobody has the file in hands. */
export function isFree(
  { pins, reading, verifying, pinnedUntilMs = -Infinity }: Ready,
  nowMs: number,
): boolean {
  return pins === 0 && reading === undefined && verifying === undefined &&
    pinnedUntilMs <= nowMs;
}
