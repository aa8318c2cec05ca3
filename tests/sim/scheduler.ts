/**
 * What happens next is thrown for: everything that could happen lies in one
 * bag, and time moves only when the run says so. Between two events all that
 * the code under test can do by itself is done to its end, so that a seed
 * makes the same events again.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Clock, Timer } from "../../src/clock.ts";
import type { Chance } from "./chance.ts";

/** Something that may happen now. */
export interface Task {
  /** What the trace says of it. */
  readonly label: string;
  /** Who it dies with. */
  readonly owner: object;
  /** Makes it happen. */
  readonly run: () => void;
  /** A timer that is due: until it fires, time is late. */
  readonly timer?: true;
}

interface Alarm extends Task {
  readonly dueMs: number;
}

const EPOCH_MS = 1_700_000_000_000;

/** The bag, the time, and what has happened. */
export class Scheduler {
  /** Time as it really passes, since the run began. */
  nowMs = 0;
  /** Set to make the wall clock wrong. */
  wallOffsetMs = 0;
  /** Events so far. */
  events = 0;
  readonly #chance: Chance;
  #bag: Task[] = [];
  #alarms: Alarm[] = [];
  /** Who is dead does nothing any more, also what it began before it died. */
  readonly #gone = new WeakSet<object>();
  readonly #shownEvents: number;
  readonly #shown: string[] = [];
  #hash = 0x811c9dc5;

  /** Chooses by these dice; remembers so many events. */
  constructor(chance: Chance, shownEvents: number) {
    this.#chance = chance;
    this.#shownEvents = shownEvents;
  }

  /** Milliseconds since the Unix epoch, as the machine believes. */
  wallMs(): number {
    return EPOCH_MS + this.nowMs + this.wallOffsetMs;
  }

  /** Something may happen from now on. */
  add(task: Task): void {
    if (!this.#gone.has(task.owner)) this.#bag.push(task);
  }

  /** Something may happen once so much time has passed. */
  addLater(delayMs: number, task: Omit<Task, "timer">): Timer {
    const dueMs = this.nowMs + Math.max(0, delayMs);
    const alarm: Alarm = { ...task, dueMs, timer: true };
    if (!this.#gone.has(task.owner)) this.#alarms.push(alarm);
    if (delayMs <= 0) this.advance(0);
    return {
      cancel: () => {
        remove(this.#alarms, alarm);
        remove(this.#bag, alarm);
      },
    };
  }

  /** Whoever it was is gone, with all that it would have done. */
  dropOwned(owner: object): void {
    this.#gone.add(owner);
    this.#bag = this.#bag.filter((task) => task.owner !== owner);
    this.#alarms = this.#alarms.filter((alarm) => alarm.owner !== owner);
  }

  /** Whether something can happen without time passing. */
  get idle(): boolean {
    return this.#bag.length === 0;
  }

  /** Whether a timer should have fired by now. */
  get late(): boolean {
    return this.#bag.some((task) => task.timer);
  }

  /** When the next timer is due; `undefined`: never. */
  nextDueMs(): number | undefined {
    return this.#alarms.length === 0
      ? undefined
      : Math.min(...this.#alarms.map(({ dueMs }) => dueMs));
  }

  /** Makes one of the things happen that lie in the bag; of an owner's, if there are any. */
  step(owner?: object): void {
    const owned = owner && this.#bag.filter((task) => task.owner === owner);
    const task = this.#chance.pick(owned?.length ? owned : this.#bag);
    if (!task) return;
    remove(this.#bag, task);
    this.note(task.label);
    task.run();
  }

  /** Lets time pass. */
  advance(byMs: number): void {
    this.nowMs += byMs;
    const isDue = ({ dueMs }: Alarm) => dueMs <= this.nowMs;
    const due = this.#alarms.filter(isDue);
    if (due.length === 0) return;
    this.#alarms = this.#alarms.filter((alarm) => !isDue(alarm));
    this.#bag.push(...due);
  }

  /** Writes an event down. */
  note(event: string): void {
    this.events++;
    const line = `${this.nowMs} ${event}`;
    for (let i = 0; i < line.length; i++) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(i), 0x01000193);
    }
    this.#shown.push(`#${this.events} ${line}`);
    if (this.#shown.length > this.#shownEvents) this.#shown.shift();
  }

  /** The last events. */
  get story(): string {
    return this.#shown.join("\n");
  }

  /** Tells two traces apart. */
  get hash(): string {
    return `${this.events}-${(this.#hash >>> 0).toString(16)}`;
  }

  /** A process's clocks: the monotonic one starts with it. */
  clockFor(owner: object): Clock {
    const startMs = this.nowMs;
    return {
      nowMs: () => this.nowMs - startMs,
      wallMs: () => this.wallMs(),
      setTimer: (delayMs, wake) =>
        this.addLater(delayMs, { label: "timer", owner, run: wake }),
    };
  }
}

function remove<T>(items: T[], item: T): void {
  const at = items.indexOf(item);
  if (at >= 0) items.splice(at, 1);
}

/** Until all promises that could be settled are: a turn of the event loop. */
export function flush(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => resolve()));
}
