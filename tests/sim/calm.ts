/**
 * After the chaos: faults and clients are gone, time passes, and everything
 * has to come to a good end.
 *
 * @module
 */

import { EVICTION_INTERVAL_MS } from "../../src/limits.ts";
import type { Api, EntryKey } from "../../src/table/types.ts";
import { must } from "./disk_checks.ts";
import { isBounded } from "./ledger.ts";
import type { Outcome } from "./network.ts";
import type { World } from "./world.ts";

/** More events than this without time passing: it spins. */
const MAX_EVENTS = 5_000;
/** So often a Get may be told Loading when nobody computes any more. */
const MAX_TRIES = 4;
/** The same where there may be no room before all handles have ended. */
const MAX_LIMITED_TRIES = 8;
const DAY_MS = 24 * 3_600_000;
const JANITOR_MS = 11 * 60_000;
/** `failed`: the copy of an accepted file may be what there is no room for. */
const WAITS_FOR_ROOM: readonly (string | undefined)[] = [
  "no-room",
  "full",
  "failed",
];
/** Nothing is asked meanwhile: what is done at intervals is done a few times. */
const LEAP_MS = 60_000;

/** Checks that nothing is stuck, lost or leaked. */
export async function settleDown(world: World): Promise<void> {
  const { figures, faults, clients, chance, keys } = world;
  const { leaseTimeoutMs, restartGraceMs, handleLeaseMs } = figures;
  world.scheduler.note("calm");
  faults.stop();
  for (const client of clients) client.kill();
  await pass(world, figures.drainTimeoutMs + 2_000);
  await pass(world, Math.max(leaseTimeoutMs, restartGraceMs) + 1_000, LEAP_MS);
  for (const key of keys) await resolve(world, key, chance.happens(0.7));

  must(world.server?.engine.counts().waits === 0, "nobody waits for ever");

  const isCut = chance.happens(0.3);
  world.scheduler.note(isCut ? "last power cut" : "last kill");
  if (isCut) world.cutPower();
  else world.kill();
  await pass(world, 2_000);
  await pass(world, restartGraceMs + 1_000, LEAP_MS);
  for (const key of keys) await resolve(world, key, chance.happens(0.7));

  // Two leases after the last one was given, nothing is remembered of handles.
  await pass(world, Math.max(2 * handleLeaseMs, 70_000), LEAP_MS);
  world.scheduler.wallOffsetMs = 5 * DAY_MS;
  await pass(world, JANITOR_MS, LEAP_MS);
  nothingIsHeld(world);

  world.scheduler.note("last stop");
  const entry = chance.pick(keys);
  world.network.call(world.operator, { kind: "evict", entry });
  for (let left = chance.below(6); left > 0; left--) await one(world);
  world.stop();
  await world.settle();
  await pass(world, figures.drainTimeoutMs + 2_000);
  nothingIsLeftBehind(world);
}

/** An entry comes to a state in which a client can do something. */
async function resolve(
  world: World,
  key: EntryKey,
  assign: boolean,
): Promise<void> {
  const { figures, chance, disk, ledger } = world;
  const api = chance.pick(["local", "remote"] as const);
  const isLimited = figures.quotas.length > 0 || isBounded(figures);
  const maxTries = isLimited ? MAX_LIMITED_TRIES : MAX_TRIES;
  for (let tries = 0; tries < maxTries; tries++) {
    const reply = await ask(world, key, { api, assign });
    switch (reply.kind) {
      case "value":
        return;
      case "handle":
        await call(world, { kind: "drop", id: reply.id });
        return;
      case "unassigned":
        if (reply.reason === "too-large") return;
        if (!assign) return;
        if (WAITS_FOR_ROOM.includes(reply.reason)) {
          // Handles and expired work end, and the evictor looks again.
          const spanMs = figures.handleLeaseMs + EVICTION_INTERVAL_MS;
          await pass(world, spanMs, LEAP_MS);
        }
        break;
      case "assigned": {
        const { id, staging } = reply.assignment;
        const text = `${id} in the end`;
        const value = new TextEncoder().encode(text);
        if (staging) {
          disk.stage(staging, value);
          ledger.grants.get(id)?.brought.wrote(text);
        }
        const published = await call(
          world,
          staging ? { kind: "done", id } : { kind: "set", id, value },
        );
        const isFull = isLimited && published.kind === "error" &&
          published.error.code === "storage-full";
        must(
          published.kind === "ok" || isFull,
          `${key.name} is published in the end`,
        );
        break;
      }
      case "loading":
        await pass(world, figures.leaseTimeoutMs + 1_000);
        break;
      default:
        must(false, `${key.name} is answered with ${reply.kind} in the end`);
    }
  }
  must(false, `${key.name} is stuck`);
}

function ask(
  world: World,
  entry: EntryKey,
  { api, assign }: { readonly api: Api; readonly assign: boolean },
): Promise<Outcome> {
  return call(world, { kind: "get", api, entry, assign });
}

async function call(
  world: World,
  submission: Parameters<World["network"]["call"]>[1],
): Promise<Outcome> {
  let outcome: Outcome | undefined;
  world.network.call(world.operator, submission)
    .then((reply) => outcome = reply);
  await rest(world);
  if (!outcome) await pass(world, 1_100);
  must(outcome !== undefined, `${submission.kind} is answered in the end`);
  return outcome;
}

/** Memory, waits and leases are all given back. */
function nothingIsHeld({ server, disk }: World): void {
  must(server !== undefined, "the server serves in the end");
  const { loading, publishing, handles, waits } = server.engine.counts();
  must(loading === 0, `${loading} assignments are left`);
  must(publishing === 0, `${publishing} publishes are left`);
  must(handles === 0, `${handles} handles are left`);
  must(waits === 0, `${waits} requests are left`);
  must(server.budget.usedBytes === 0, "the budget is given back");
  // Nobody works any more, and since the last start nothing failed.
  must(disk.staged().length === 0, "no staging file is left while it runs");
}

/** A start has swept what nobody owns. */
function nothingIsLeftBehind({ disk }: World): void {
  for (const name of disk.values()) {
    const status = disk.rows.byName.get(name)?.status;
    must(status === "ready", `${name} has a file, but it is ${status}`);
  }
  must(disk.staged().length === 0, "no staging file is left");
  must(disk.private().length === 0, "no private file is left");
  for (const { name, status } of disk.rows.byName.values()) {
    must(status === "ready", `${name} is not left ${status}`);
  }
}

/** Lets time pass, and everything happen that is due; timers may be late by a leap. */
async function pass(world: World, spanMs: number, leapMs = 0): Promise<void> {
  const { scheduler } = world;
  const endMs = scheduler.nowMs + spanMs;
  for (;;) {
    await rest(world);
    const dueMs = scheduler.nextDueMs() ?? Infinity;
    if (dueMs > endMs) break;
    const untilMs = Math.min(endMs, Math.max(dueMs, scheduler.nowMs + leapMs));
    scheduler.advance(untilMs - scheduler.nowMs);
  }
  scheduler.advance(endMs - scheduler.nowMs);
  await rest(world);
}

/** Lets everything happen that can happen now. */
async function rest(world: World): Promise<void> {
  for (let events = 0; !world.scheduler.idle; events++) {
    must(events < MAX_EVENTS, "it comes to rest");
    await one(world);
  }
}

async function one(world: World): Promise<void> {
  world.scheduler.step();
  await world.settle();
  if (world.violation !== undefined) throw world.violation;
}
