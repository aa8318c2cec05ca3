/**
 * What holds of the table after every step, as code: the tests and the
 * simulation call it.
 *
 * @module
 */

import { dueMs } from "./patience.ts";
import { type Entry, isFailing, type State } from "./state.ts";

/** Throws an error that names the first invariant that does not hold. */
export function checkInvariants(s: State): void {
  for (const [name, entry] of s.entries) checkEntry(s, name, entry);
  for (const [id, entry] of s.assignments) {
    const { state } = entry;
    const held = state.kind === "loading" || state.kind === "publishing";
    must(held && state.assignment.id === id, `${id} holds its entry`);
    must(s.entries.get(entry.key.name) === entry, `${id} holds a live entry`);
    must(!s.handles.has(id), `${id} is one thing: assignment or handle`);
  }
  checkPins(s);
  for (const entry of s.awaited) {
    const { name } = entry.key;
    must(s.entries.get(name) === entry, `${name} is awaited where it lives`);
    must(!!entry.patient?.size, `${name} is awaited by somebody`);
  }
  checkRoom(s);
  checkOwners(s);
  const keyBytes = [...s.entries.values()].reduce(
    (sum, { key }) => sum + key.key.length,
    0,
  );
  must(s.keyBytes === keyBytes, "the bytes of the keys are counted");
  for (const [name, entry] of s.resting) {
    must(s.entries.get(name) === entry, `${name} rests where it lives`);
    const { state } = entry;
    must(
      state.kind === "ready" && state.pins === 0 &&
        state.reading === undefined && state.verifying === undefined,
      `${name} rests because nobody uses it`,
    );
  }
  must(s.resting.size <= s.maxResting, "resting entries are bounded");
  must(s.handles.size <= s.maxHandles, "handles are bounded");
  for (const ticket of s.waits.keys()) {
    const wait = s.waits.get(ticket);
    const waits = wait?.live === true && wait.request.ticket === ticket;
    must(waits, `${ticket} waits`);
  }
  for (const wait of s.stranded) {
    must(wait.live && s.draining && !s.leaving, "only a stop strands anybody");
  }
  must(s.woken.length === 0 && s.again.length === 0, "the step has ended");
  must(s.effects.length === 0, "the effects have been handed over");
}

function checkEntry(s: State, name: string, entry: Entry): void {
  const { state, key, waits } = entry;
  must(key.name === name, `${name} is filed under its name`);
  if (state.kind === "loading" || state.kind === "publishing") {
    must(
      s.assignments.get(state.assignment.id) === entry,
      `${name} is found by its assignment's id`,
    );
  }
  if (entry.patient?.size) checkPatience(s, name, entry);
  const live = waits.filter((wait) => wait.live);
  for (const wait of live) {
    must(
      s.waits.get(wait.request.ticket) === wait,
      `${name}'s waits are registered`,
    );
  }
  if (live.length === 0) return;
  // Whoever waits, waits for something that is under way.
  const underWay = state.kind === "asking" || state.kind === "evicting" ||
    (state.kind === "loading" && state.probe !== undefined) ||
    (state.kind === "publishing" && isFailing(state.taken)) ||
    (state.kind === "ready" &&
      (state.reading !== undefined || state.verifying !== undefined));
  must(underWay, `${name} has waits, so something is under way`);
}

/** Room is kept for live leases and what is being published, and nothing else. */
function checkRoom(s: State): void {
  const { room: { reservations }, assignments, proposals } = s;
  let kept = 0;
  for (const [id, { state }] of assignments) {
    if (reservations.has(id)) kept++;
    const isLive = state.kind === "loading" && state.deadlineMs > s.nowMs;
    must(!isLive || reservations.has(id), `there is room kept for ${id}`);
  }
  must(
    reservations.size === kept + proposals,
    "there is room kept for assignments, and for nothing else",
  );
  for (const entry of s.short) {
    const { state, key: { name } } = entry;
    must(s.entries.get(name) === entry, `${name} waits where it lives`);
    const waits = state.kind === "publishing" && state.short !== undefined;
    must(waits, `${name} waits for room`);
  }
  for (const waits of s.wanting.values()) {
    must(waits.size > 0, "somebody wants room");
    for (const wait of waits) must(wait.live, "waits for room are live");
  }
  for (const wait of s.arriving) must(wait.live, "pieces that wait are live");
}

/** Live leases and what is proposed count as their owners', and nothing else. */
function checkOwners(s: State): void {
  let counted = 0;
  for (const [id, { state }] of s.assignments) {
    if (s.work.has(id)) counted++;
    const isLive = state.kind === "loading" && state.deadlineMs > s.nowMs;
    must(!isLive || s.work.has(id), `${id} counts as its owner's`);
  }
  must(s.work.size === counted + s.proposals, "no other work counts");
  const named = [...s.handles.values()].filter(({ by }) => by !== undefined);
  must(s.namedHandles.size === named.length, "named handles are counted");
}

/** Whoever waits for a holder is woken when its lease ends. */
function checkPatience(s: State, name: string, entry: Entry): void {
  const { kind } = entry.state;
  must(kind === "loading" || kind === "publishing", `${name} has a holder`);
  must(s.awaited.has(entry), `${name} is known to be awaited`);
  must(s.awaitedDueMs <= dueMs(s, entry), `${name}'s waits are woken in time`);
  for (const wait of entry.patient ?? []) {
    must(
      wait.live && wait.staysAt === entry &&
        s.waits.get(wait.request.ticket) === wait,
      `${name}'s patient waits are live`,
    );
  }
}

function checkPins(s: State): void {
  const pins = new Map<string, number>();
  for (const { name, generation } of s.handles.values()) {
    const pinned = `${name} ${generation}`;
    pins.set(pinned, (pins.get(pinned) ?? 0) + 1);
  }
  for (const { state, key: { name } } of s.entries.values()) {
    if (state.kind !== "ready") continue;
    const held = pins.get(`${name} ${state.generation}`) ?? 0;
    must(state.pins === held, `${name} has as many pins as handles`);
  }
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`invariant broken: ${what}`);
}
