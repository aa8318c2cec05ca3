/**
 * What the checks of replies look at.
 *
 * @module
 */

import type { Submission } from "../../src/engine/engine.ts";
import { MAX_REPLY_WAIT_MS } from "../../src/limits.ts";
import type { Id } from "../../src/table/types.ts";
import type { SimDisk } from "./disk.ts";
import type { DiskChecks } from "./disk_checks.ts";
import type { Ledger, Pin, Promises } from "./ledger.ts";

/** A request that a server has taken in. */
export interface Asked {
  readonly submission: Submission;
  /** The value that comes with it. */
  readonly brings: string | undefined;
  readonly sinceMs: number;
  readonly process: number;
  /** Of whose work it was told. */
  readonly noticed: Set<Id>;
}

/** A Get, as it was asked. */
export type Get = Submission & { kind: "get" };

/** What is promised, what is so, and what may have gone wrong. */
export interface Facts {
  readonly ledger: Ledger;
  readonly disk: SimDisk;
  readonly checks: DiskChecks;
  readonly promises: Promises;
  readonly nowMs: () => number;
  /** Whether anything has gone wrong in this run. */
  readonly hadFaults: () => boolean;
  /** Whether the manifest has failed in this run: then it may know too little. */
  readonly hadManifestFaults: () => boolean;
  /** Whether somebody may have to wait for memory. */
  readonly isMemoryTaken: () => boolean;
  /** Whether a timer should have fired by now. */
  readonly isLate: () => boolean;
}

/** Timers are not armed for less. */
export const TIMER_SLACK_MS = 10;
/** A timer that is due within this is not armed anew for an earlier lease. */
export const LEASE_SLACK_MS: number = MAX_REPLY_WAIT_MS + TIMER_SLACK_MS;

/** Handles that may pin something now: it is a timer that ends them. */
export function livePins({ ledger, nowMs, isLate }: Facts): readonly Pin[] {
  const endsMs = isLate() ? 0 : nowMs() - LEASE_SLACK_MS;
  return [...ledger.pins.values()].filter((pin) =>
    pin.drops === 0 && pin.expiresMs >= endsMs
  );
}
