/**
 * What must hold of the disk whenever anything has changed on it.
 *
 * @module
 */

import type { MemoryNode } from "../../src/blobs/testing/memory_files.ts";
import { covers } from "../../src/table/room.ts";
import { digestOf, type SimDisk } from "./disk.ts";
import {
  type Grant,
  isLeaseOver,
  isOverdue,
  type Ledger,
  type Pin,
  type Promises,
  textOf,
} from "./ledger.ts";

type StoredRow = NonNullable<ReturnType<SimDisk["rows"]["byName"]["get"]>>;

/** What the checks look at. */
export interface DiskCheckOptions {
  readonly disk: SimDisk;
  readonly ledger: Ledger;
  readonly nowMs: () => number;
  readonly promises: Promises;
  /** Whether the manifest has failed in this run: then it may know too little. */
  readonly hadManifestFaults: () => boolean;
}

/** Thrown for what the contract does not allow. */
export class Violation extends Error {}

/** Throws a {@linkcode Violation} that says what does not hold. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Violation(what);
}

/** Follows every row from state to state, and looks at the files. */
export class DiskChecks {
  readonly #options: DiskCheckOptions;
  readonly #last = new Map<string, StoredRow | undefined>();
  /** The texts of files that did not change since they were last looked at. */
  readonly #texts = new WeakMap<Uint8Array, string>();
  /** Which process it is, and since when it may evict. */
  #process = 0;
  #recoveredMs = 0;

  /** Starts with an empty disk. */
  constructor(options: DiskCheckOptions) {
    this.#options = options;
  }

  /** A process has found out what there is. */
  recovered(process: number): void {
    this.#process = process;
    this.#recoveredMs = this.#options.nowMs();
  }

  /** Call after every change of a row: states that were passed through count. */
  rows(): void {
    const { disk, ledger, nowMs } = this.#options;
    for (const name of ledger.entries.keys()) {
      const row = disk.rows.byName.get(name);
      const last = this.#last.get(name);
      if (row === last) continue;
      this.#last.set(name, row);
      if (row?.staging) ledger.nameOfStaging.set(row.staging, name);
      this.#transition(name, last, row);
      const entry = ledger.entry(name);
      if (row?.status !== "ready") entry.readySinceMs = Infinity;
      else if (last?.status !== "ready") entry.readySinceMs = nowMs();
    }
    this.#limits();
  }

  /** Call after every event. */
  files(process: number): void {
    const { disk, ledger, nowMs } = this.#options;
    for (const name of ledger.entries.keys()) {
      const row = disk.rows.byName.get(name);
      if (row?.status === "ready") this.#ready(row);
    }
    for (const grant of ledger.grants.values()) {
      if (grant.acknowledged) this.acknowledged(grant);
    }
    for (const pin of ledger.pins.values()) {
      const { name, of, drops, expiresMs } = pin;
      const ofThis = pin.process === process;
      if (drops > 0 || expiresMs <= nowMs() || !ofThis) continue;
      const row = disk.rows.byName.get(name);
      must(
        isSpoilt(ledger.grants.get(of)) ||
          (row?.status === "ready" && row.id === of),
        `${name} is pinned by handle ${pin.id}, so that it stays`,
      );
    }
  }

  /** What was acknowledged is there, or can still be published. */
  acknowledged(grant: Grant): void {
    const { id, name, staging, goneMs, isGivenUp } = grant;
    if (goneMs < Infinity || isSpoilt(grant) || isGivenUp) return;
    const { disk } = this.#options;
    const row = disk.rows.byName.get(name);
    must(row?.id === id, `${name} keeps the acknowledged value of ${id}`);
    if (row.status === "ready") return;
    const files = [
      disk.captured(staging ?? ""),
      disk.value(name),
    ];
    must(
      files.some((file) => {
        const text = this.textOf(file);
        return text !== undefined && grant.brought.mayBe(text);
      }),
      `${name} keeps the file of ${id}, whose Done was answered`,
    );
  }

  /** What a clean stop leaves is what the original server understands. */
  stopped(): void {
    const { disk, ledger } = this.#options;
    ledger.count("clean stop");
    for (const { name, status } of disk.rows.byName.values()) {
      must(status !== "evicting", `${name} is not left evicting by a stop`);
    }
  }

  /** Whether a value's file has what its row says. */
  isWhole(name: string): boolean {
    const { disk } = this.#options;
    const { bytes } = disk.value(name) ?? {};
    const { sha256 } = disk.rows.byName.get(name)?.digest ?? {};
    return bytes !== undefined && digestOf(bytes).sha256 === sha256;
  }

  /** What a file says; `undefined`: there is none. */
  textOf(file: MemoryNode | undefined): string | undefined {
    if (file?.kind !== "file") return undefined;
    const text = this.#texts.get(file.bytes) ?? textOf(file.bytes);
    this.#texts.set(file.bytes, text);
    return text;
  }

  #ready(row: StoredRow): void {
    const { disk, ledger } = this.#options;
    const grant = ledger.grants.get(row.id ?? "");
    if (isSpoilt(grant)) return;
    const text = this.textOf(disk.value(row.name));
    must(text !== undefined, `${row.name} is ready, so its file is there`);
    must(
      text === grant?.published,
      `${row.name} is ready with what ${row.id} published`,
    );
  }

  #transition(
    name: string,
    last: StoredRow | undefined,
    row: StoredRow | undefined,
  ): void {
    const { disk, ledger, nowMs } = this.#options;
    const from = last?.status ?? "absent";
    const to = row?.status ?? "absent";
    const holder = ledger.grants.get(last?.id ?? "");
    const changed = `${name}: ${from} ${last?.id} -> ${to} ${row?.id}`;
    if (last && last.id !== row?.id) {
      if (from === "loading") {
        const isOver = isLeaseOver(holder, nowMs()) || holder?.isGivenUp;
        const isLate = isOverdue(holder, nowMs(), this.#options.promises);
        must(
          isOver || isLate,
          `${changed} only when the lease is over, or it took too long`,
        );
        if (!isOver) ledger.count("took too long");
        const owed = holder?.acknowledged && !isSpoilt(holder) &&
          !holder.isGivenUp;
        must(!owed, `${changed} only if its Done was not answered`);
      } else must(from === "evicting", `${changed} only after evicting`);
      if (holder) this.#gone(holder);
    }
    switch (`${from}-${to}`) {
      case "loading-ready":
        return this.#published(row!, changed);
      case "ready-evicting": {
        const { evicts, crowded } = ledger.entry(name);
        must(
          evicts + crowded > 0 || isSpoilt(holder),
          `${changed} only where somebody evicts it or it is damaged`,
        );
        const isForRoom = evicts === 0 && !isSpoilt(holder);
        if (isForRoom) this.#madeRoom(last!, changed);
        ledger.count(
          isSpoilt(holder) ? "damaged" : isForRoom ? "made room" : "evicted",
        );
        if (holder) this.#gone(holder);
        return;
      }
      case "ready-ready":
        // It was used, and its row says when.
        return must(
          last?.digest?.sha256 === row?.digest?.sha256,
          `${changed} with the same value`,
        );
      case "evicting-absent":
        return must(
          disk.value(name) === undefined,
          `${changed} only when its file is gone`,
        );
      case "ready-loading":
      case "ready-absent":
      case "evicting-loading":
      case "evicting-ready":
      case "absent-ready":
      case "absent-evicting":
        throw new Violation(`${changed} is no way an entry goes`);
      case "loading-loading":
        if (last?.id !== row?.id) ledger.count("taken over");
    }
  }

  #published({ name, id = "" }: StoredRow, changed: string): void {
    const { disk, ledger, nowMs } = this.#options;
    const grant = ledger.grants.get(id);
    must(grant !== undefined, `${changed} by somebody who was assigned`);
    must(grant.supersededMs > nowMs(), `${changed}: a superseded id publishes`);
    ledger.count("published");
    if (grant.brought.isRefused) ledger.count("published after a refusal");
    const text = this.textOf(disk.value(name));
    const fits = this.isWhole(name);
    const isBrought = text !== undefined && grant.brought.mayBe(text);
    must(
      isSpoilt(grant) || (fits && (isBrought || grant.isGivenUp)),
      `${changed} with what ${id} brought last: ${text}`,
    );
    if (!fits) return;
    grant.published = text;
    const isRestored = grant.process !== this.#process;
    grant.forced = grant.staging !== undefined &&
      (grant.acknowledged || isRestored);
    if (grant.forced && this.#options.promises.quotas.length > 0) {
      ledger.count("kept whatever its size");
    }
    // What was spoilt before is not what is published now.
    grant.damagedMs = Infinity;
  }

  /** Only where there are limits, and never of what may still be read. */
  #madeRoom({ name, id }: StoredRow, changed: string): void {
    const { ledger, promises: { quotas } } = this.#options;
    const [namespace = ""] = name.split("/");
    const isLimited = quotas.some(({ pattern }) => covers(pattern, namespace));
    must(isLimited, `${changed} only where something is limited`);
    for (const pin of ledger.pins.values()) {
      if (pin.name !== name || pin.of !== id) continue;
      must(
        !this.#outlivesRestart(pin),
        `${changed}, but ${pin.id} was handed out before the restart`,
      );
    }
  }

  /** What was handed out within a lease before a start stays for a lease after it. */
  #outlivesRestart({ process, givenMs, isPath, isWrittenLate }: Pin): boolean {
    const { ledger, nowMs, promises, hadManifestFaults } = this.#options;
    const { handleLeaseMs } = promises;
    // Its row is written once in half a lease, by the wall clock, if it can be.
    const isKnown = givenMs > ledger.jumpedMs + handleLeaseMs / 2 &&
      this.#recoveredMs > ledger.jumpedMs && !hadManifestFaults() &&
      !isWrittenLate;
    return isKnown && isPath && process !== this.#process &&
      givenMs > this.#recoveredMs - handleLeaseMs &&
      nowMs() < this.#recoveredMs + handleLeaseMs;
  }

  /** Call after every change of a row: what is kept never exceeds its limit. */
  #limits(): void {
    const { disk, ledger, promises, hadManifestFaults } = this.#options;
    // What is said to have failed is not counted, and takes room all the same.
    if (hadManifestFaults()) return;
    for (const { pattern, maxBytes = Infinity } of promises.quotas) {
      let bytes = 0;
      for (const row of disk.rows.byName.values()) {
        if (row.status !== "ready" || !covers(pattern, row.namespace)) continue;
        if (ledger.grants.get(row.id ?? "")?.forced) continue;
        bytes += row.digest?.size ?? 0;
      }
      must(
        bytes <= maxBytes,
        `${bytes} bytes of ${pattern} are kept, of ${maxBytes}`,
      );
    }
  }

  #gone(grant: Grant): void {
    const { nowMs } = this.#options;
    grant.goneMs = Math.min(grant.goneMs, nowMs());
  }
}

/** Whether we have spoilt an assignment's bytes ourselves. */
export function isSpoilt(grant: Grant | undefined): boolean {
  return grant !== undefined && grant.damagedMs < Infinity;
}
