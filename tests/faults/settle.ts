/**
 * After a restart: those who survived the outage go on, those who did not are
 * replaced, and nothing that was acknowledged is missing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { until } from "../support/status.ts";
import type { Known, Ledger } from "./ledger.ts";
import type { Held, Load } from "./load.ts";

/** Most of those who were cut off come back. */
const SURVIVORS = 0.6;
/** Entries of former rounds that are read again in each. */
const SAMPLE = 20;

/** Goes through what the round before the kill has left. */
export async function settle(
  load: Load,
  before: Load,
  { ledger, random }: {
    readonly ledger: Ledger;
    readonly random: () => number;
  },
): Promise<void> {
  await Promise.all(before.held.map((held) => release(load, held)));
  // First of all: nobody else asks for their entries before they are back.
  await Promise.all(
    before.unfinished
      .filter(() => random() < SURVIVORS)
      .map((work) => resume(load, work)),
  );
  const old = Array.from(
    { length: SAMPLE },
    () => ledger.entries[Math.floor(random() * ledger.entries.length)]!,
  );
  const all = new Set([...before.touched, ...old]);
  await Promise.all([...all].map((known) => settleEntry(load, known)));
}

/**
 * Every entry is served, or is given to a client that computes it. A file that
 * was captured before the kill may still be on its way.
 */
export async function settleEntry(load: Load, known: Known): Promise<void> {
  const { work } = await until(
    () => load.look(known),
    ({ entryStatus }) => {
      const open = known.kept === undefined;
      assert(
        open || ["loading", "ready"].includes(entryStatus),
        `${known.namespace} ${known.key} was kept, and is ${entryStatus}`,
      );
      return entryStatus === "assign" || entryStatus === "ready";
    },
  );
  if (work) await load.publish(work);
}

/** A file that was handed out is still there, and its handle is still known. */
async function release(load: Load, held: Held): Promise<void> {
  if (held.known.kept !== undefined) await load.compareHeld(held);
  await load.local.drop(held.id);
}

async function resume(
  load: Load,
  work: Load["unfinished"][number],
): Promise<void> {
  try {
    await load[work.api].heartbeat(work.id);
    await load.publish(work);
  } catch (error) {
    const { code } = error as { code?: number };
    // Of several that asked for it, one has it.
    const lost = work.known.contended && code === status.INVALID_ARGUMENT;
    if (!lost) throw error;
  }
}
