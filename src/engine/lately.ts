/**
 * What was evicted, refused or found damaged lately, for people: alike is told
 * together, so that a thousand values that went are one line.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { keyBeginning, shownKey } from "../key_text.ts";
import { HAPPENING_MS, MAX_HAPPENINGS } from "../limits.ts";

/** What can happen. */
export type HappeningKind = "evicted" | "refused" | "damaged";

/** What has happened, and to what. */
export interface Noted {
  /** Why: one of a few words, such as `no-room`. */
  readonly reason: string;
  /** For people, where there is more to say. */
  readonly detail?: string | undefined;
  /** Absent where it was not about an entry. */
  readonly namespace?: string | undefined;
  readonly key?: Uint8Array | undefined;
  readonly bytes?: number | undefined;
}

/** What has happened, once or more often. */
export interface Happening {
  readonly kind: HappeningKind;
  readonly reason: string;
  /** Of the last one; empty: there is no more to say. */
  readonly detail: string;
  /** Empty where it was not about an entry. */
  readonly namespace: string;
  /** Of one of them, for people. */
  readonly key: string;
  /** How often, since the first of them. */
  readonly count: number;
  /** What the values took together, as far as that is known. */
  readonly bytes: number;
  /** How long ago the first one was, … */
  readonly sinceMs: number;
  /** … and the last one. */
  readonly agoMs: number;
}

interface Group {
  readonly reason: string;
  readonly namespace: string;
  readonly key: Uint8Array | undefined;
  readonly firstMs: number;
  detail: string;
  count: number;
  bytes: number;
  lastMs: number;
}

/** Remembers a bounded number of kinds of things. */
export class Lately {
  readonly #clock: Clock;
  /** Each in the order of when they happened last, the latest last. */
  readonly #groups: Readonly<Record<HappeningKind, Group[]>> = {
    damaged: [],
    refused: [],
    evicted: [],
  };

  /** Nothing has happened yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something has happened. */
  note(kind: HappeningKind, noted: Noted): void {
    const { reason, detail = "", namespace = "", bytes = 0 } = noted;
    const nowMs = this.#clock.nowMs();
    const groups = this.#groups[kind];
    const at = groups.findLastIndex((group) =>
      group.reason === reason && group.namespace === namespace
    );
    let group = groups[at];
    if (group === undefined || nowMs - group.lastMs > HAPPENING_MS) {
      const key = noted.key && keyBeginning(noted.key).slice();
      const counts = { count: 0, bytes: 0, firstMs: nowMs, lastMs: nowMs };
      group = { reason, namespace, key, detail, ...counts };
    }
    group.detail = detail;
    group.count++;
    group.bytes += bytes;
    group.lastMs = nowMs;
    if (groups.at(-1) === group) return;
    if (at >= 0) groups.splice(at, 1);
    else if (groups.length >= MAX_HAPPENINGS) groups.shift();
    groups.push(group);
  }

  /** What has happened within an hour, the latest first. */
  happenings(): Happening[] {
    const nowMs = this.#clock.nowMs();
    const kinds = Object.keys(this.#groups) as HappeningKind[];
    return kinds.flatMap((kind) =>
      this.#groups[kind].filter(({ lastMs }) => nowMs - lastMs <= HAPPENING_MS)
        .map(({ firstMs, lastMs, key, ...group }) => ({
          ...group,
          kind,
          key: key ? shownKey(key) : "",
          sinceMs: Math.round(nowMs - firstMs),
          agoMs: Math.round(nowMs - lastMs),
        }))
    ).sort((one, other) => one.agoMs - other.agoMs);
  }
}
