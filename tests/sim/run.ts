/**
 * One run: chaos from a seed, then calm, in which everything has to resolve.
 *
 * ## The fault model
 *
 * What a run does to the server, and what the real world does that it stands
 * for. Whatever is not here is not simulated.
 *
 * | fault | in the simulation | stands for |
 * | --- | --- | --- |
 * | kill | the process ends between any two events; each of its blob workers makes some more calls of the file system, its manifest's batch is committed or not | SIGKILL, out of memory, a crash |
 * | power cut | a kill; bytes that were not synced are there, or not, in part or as zeros; the last changes of names are undone, back to any that was synced, and names of folders where only what is in them was; local and remote clients end | the same |
 * | start that fails | a store fails during recovery: the process ends, the next one starts | the launcher's restarts |
 * | stop | drain, then both stores are closed, as `src/serve.ts` does it | SIGTERM |
 * | call fails | any call of the file system throws and does nothing | EIO, ENOSPC |
 * | worker dies | all that a blob worker is doing ends at any call, its files stay; the pool has what may be begun anew begun anew | a crash of a blob worker |
 * | short call | a read or a write does a part of it | the system |
 * | slow disk | a listing, a sync, the removal of a folder takes effect after any number of other events; others get in between the slices of a value | the same |
 * | publishing fails | in a fifth of the runs nothing goes wrong but what publishes a value, or removes the file of one, and this time and again | a disk with little room |
 * | batch fails | some operations of the manifest that come together are rolled back | SQLITE_FULL, SQLITE_IOERR |
 * | batch unanswered | they are committed, and reported as failed | the manifest's worker dies after the commit |
 * | queue full | an operation is refused at once | a burst |
 * | lost message | a request or a reply never comes; the caller gives up after 1 s | a cut connection |
 * | late message | requests and replies overtake each other, as far as time allows | the network |
 * | client killed | it ends between any two steps; its calls are cancelled, sooner or later | SIGKILL |
 * | rude client | stale ids, repeated calls, half files, late writes, no file at all, endless heartbeats, others' work given back | bugs |
 * | client that is refused | says Done once more, or writes anew first, or sends a value instead | the same |
 * | another user | clients' files belong to another user: some the server may not read, some have a second name; large ones are copied, a slice at a time | `--shared`, a strict umask, hard links |
 * | no room | quotas that a few values fill; the evictor makes room | full caches |
 * | bounds | two assignments, and two handles, at once | crowds |
 * | slow client | heartbeats beyond the maximum compute time | work that hangs |
 * | late timer | a timer that is due fires after any number of other events | a busy event loop |
 * | clock jump | the wall clock moves by up to two days, either way | NTP, operators |
 * | bad moments | somebody asks a millisecond before a lease ends; a kill or a power cut between the answer to a Done and the publish | the same, by chance |
 * | damage | a published file is changed, cut or removed; its stamp changes with it | a failing disk, a stranger |
 *
 * In relaxed mode a power cut may lose what was acknowledged; what is served
 * afterwards must be right all the same.
 *
 * Not simulated: rows that a power cut loses, bytes that rot under an unchanged
 * stamp, several owners of one root.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { isSpoilt, Violation } from "./disk_checks.ts";
import { settleDown } from "./calm.ts";
import { World } from "./world.ts";

/** What became of a run. */
export interface RunResult {
  readonly seed: number;
  /** What the contract does not allow, with the events that led to it. */
  readonly failure?: string;
  /** Tells this run's events from every other's. */
  readonly trace: string;
  /** How often what happened. */
  readonly tally: Readonly<Record<string, number>>;
}

/** Spans around every limit of {@linkcode someFigures}. */
const SHORT_MS = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  499,
  500,
  501,
  1_000,
  2_000,
  3_999,
  4_001,
];
const LONG_MS = [10_001, 59_999, 60_001, 64_002, 11 * 60_000];
const DAY_MS = 24 * 3_600_000;
const CHAOS_EVENTS = 500;

/** Runs a seed; a failure shows so many of its last events. */
export async function runSeed(
  seed: number,
  shownEvents = 40,
): Promise<RunResult> {
  const world = new World(seed, shownEvents);
  const { scheduler, ledger } = world;
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    world.violation ??= event.reason;
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  try {
    await chaos(world);
    if (world.violation === undefined) await settleDown(world);
  } catch (error) {
    world.violation ??= error;
  } finally {
    // Deno reports a rejection one turn after it happened.
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.removeEventListener("unhandledrejection", onRejection);
  }
  const { violation } = world;
  const result = { seed, trace: scheduler.hash, tally: ledger.tally };
  if (violation === undefined) return result;
  const what = violation instanceof Violation
    ? violation.message
    : violation instanceof Error
    ? violation.stack
    : String(violation);
  const failure = `seed ${seed}, event ${scheduler.events}: ${what}\n` +
    scheduler.story;
  return { ...result, failure };
}

/** Lets everything happen that can go wrong. */
async function chaos(world: World): Promise<void> {
  const { chance, scheduler, figures } = world;
  const rarely = (most: number) =>
    figures.refuses || chance.happens(0.4)
      ? 0
      : most * (1 + chance.below(4)) / 4;
  const weights = {
    event: 100,
    pass: 4 + (figures.refuses ? 0 : chance.below(25)),
    passLong: rarely(1),
    kill: rarely(3),
    cut: rarely(1),
    stop: rarely(1),
    killClient: rarely(3),
    addClient: 2 + rarely(4),
    evict: rarely(4),
    damage: rarely(4),
    jump: rarely(1),
    inTime: rarely(1),
    owed: 4,
  };
  world.start();
  for (let left = 2 + chance.below(4); left > 0; left--) world.addClient();
  for (let left = CHAOS_EVENTS; left > 0 && !world.violation; left--) {
    const what = chance.weighted(weights);
    if (what !== "event" && what !== "owed") scheduler.note(what);
    CHAOS[what](world);
    await world.settle();
  }
}

type Chaos =
  | "event"
  | "pass"
  | "passLong"
  | "kill"
  | "cut"
  | "stop"
  | "killClient"
  | "addClient"
  | "evict"
  | "damage"
  | "jump"
  | "inTime"
  | "owed";

const CHAOS: Readonly<Record<Chaos, (world: World) => void>> = {
  event: ({ scheduler, server, chance }) => {
    const dueMs = scheduler.nextDueMs();
    const isStarting = server?.phase === "starting" && chance.happens(0.7);
    if (!scheduler.idle) scheduler.step(isStarting ? server : undefined);
    else if (dueMs !== undefined) scheduler.advance(dueMs - scheduler.nowMs);
  },
  pass: ({ scheduler, chance }) => scheduler.advance(chance.pick(SHORT_MS)),
  passLong: ({ scheduler, chance }) => scheduler.advance(chance.pick(LONG_MS)),
  kill: (world) => {
    world.ledger.count("kill");
    world.kill();
  },
  cut: (world) => {
    world.ledger.count("power cut");
    world.cutPower();
  },
  stop: (world) => {
    world.ledger.count("stop");
    world.stop();
  },
  killClient: ({ clients, chance }) => {
    if (clients.length > 0) chance.pick(clients).kill();
  },
  addClient: (world) => world.addClient(),
  evict: ({ network, operator, chance, keys }) => {
    network.call(operator, { kind: "evict", entry: chance.pick(keys) });
  },
  damage: (world) => damage(world),
  jump: ({ scheduler, chance, ledger }) => {
    ledger.count("clock jump");
    for (const grant of ledger.grants.values()) grant.writingUntilMs = 0;
    ledger.jumpedMs = scheduler.nowMs;
    const jumpMs = chance.pick([1, 5_000, DAY_MS, 2 * DAY_MS]);
    scheduler.wallOffsetMs = chance.happens(0.5) ? jumpMs : -jumpMs;
  },
  inTime: (world) => askInTime(world),
  owed: (world) => {
    if (!isOwed(world)) return;
    const what = world.chance.pick(["kill", "cut", "cut"] as const);
    world.scheduler.note(`${what} before a publish`);
    CHAOS[what](world);
  },
};

/** Whether a Done was answered whose value has not been published yet. */
function isOwed({ ledger }: World): boolean {
  return [...ledger.grants.values()].some((grant) =>
    grant.acknowledged && grant.published === undefined &&
    grant.goneMs === Infinity
  );
}

/** Somebody asks just before a lease ends. */
function askInTime(
  { keys, chance, ledger, network, operator, scheduler }: World,
) {
  const leases = keys.flatMap((entry) => {
    const { leaseEndMs = 0 } = ledger.entry(entry.name).holder ?? {};
    return leaseEndMs > scheduler.nowMs ? [{ entry, leaseEndMs }] : [];
  });
  if (leases.length === 0) return;
  const { entry, leaseEndMs } = chance.pick(leases);
  scheduler.advance(leaseEndMs - 1 - scheduler.nowMs);
  network.call(operator, { kind: "get", api: "local", entry, assign: false });
}

/** Changes, cuts or removes a published file behind the server's back. */
function damage({ disk, chance, ledger, scheduler }: World): void {
  const ready = disk.values().filter((name) =>
    disk.rows.byName.get(name)?.status === "ready"
  );
  if (ready.length === 0) return;
  const read = [...ledger.pins.values()].filter(({ drops }) => drops === 0)
    .map(({ name }) => name).filter((name) => ready.includes(name));
  const name = chance.pick(read.length > 0 ? read : ready);
  const grant = ledger.grants.get(disk.rows.byName.get(name)?.id ?? "");
  const file = disk.value(name);
  // Spoiling it twice might mend it.
  if (!grant || isSpoilt(grant) || !file) return;
  grant.damagedMs = Math.min(grant.damagedMs, scheduler.nowMs);
  const bytes = file.bytes.slice();
  bytes[0]! ^= 1;
  const kind = chance.pick(["change", "cut", "remove"] as const);
  if (kind === "remove") disk.spoil(name, undefined);
  else disk.spoil(name, kind === "cut" ? bytes.subarray(1) : bytes);
}
