/**
 * A server, its disk, its clients, the network between them, and the model
 * that watches all of them.
 *
 * @module
 */

import { entryKey } from "../../src/engine/entry_key.ts";
import type { Api, EntryKey } from "../../src/table/types.ts";
import { Chance } from "./chance.ts";
import { Client, type Manners } from "./client.ts";
import { digestOf, SimDisk } from "./disk.ts";
import { DiskChecks } from "./disk_checks.ts";
import { Faults } from "./faults.ts";
import { Ledger, textOf } from "./ledger.ts";
import { type Caller, Network } from "./network.ts";
import type { Observer, Underway } from "./observer.ts";
import { ReplyChecks } from "./reply_checks.ts";
import { flush, Scheduler } from "./scheduler.ts";
import { type Figures, ServerProcess, someFigures } from "./server.ts";

/** Operations that take an entry away, or find out whether somebody does. */
const LEAVING = ["evict", "remove", "quarantine", "sweep", "find"];
const MANNERS: readonly Manners[] = [
  "common",
  "common",
  "common",
  "stubborn",
  "meddling",
  "wedged",
  "hasty",
  "careless",
];

/** Of those who try again where publishing fails. */
const OBSTINATE: readonly Manners[] = ["common", "stubborn"];
const APIS: readonly Api[] = ["local", "remote"];
const LOCAL: readonly Api[] = ["local"];

/** Everything there is in a run. */
export class World {
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly figures: Figures;
  readonly disk: SimDisk;
  readonly ledger = new Ledger();
  readonly network: Network;
  readonly keys: readonly EntryKey[];
  /** Who asks in nobody's name. */
  readonly operator: Caller = { name: "operator", alive: true };
  /** What the contract does not allow; the run ends with it. */
  violation: unknown;
  server: ServerProcess | undefined;
  clients: Client[] = [];
  readonly #diskChecks: DiskChecks;
  readonly #replyChecks: ReplyChecks;
  #processes = 0;
  #boots = 1;
  #clients = 0;
  #ids = 0;
  #stagings = 0;
  #stops = 0;
  /** Nothing went wrong since the stop began. */
  #cleanStop = false;

  /** Nobody is there yet, and nothing serves. */
  constructor(seed: number, shownEvents: number) {
    this.chance = new Chance(seed);
    this.scheduler = new Scheduler(this.chance, shownEvents);
    this.figures = someFigures(this.chance);
    this.faults = new Faults(this.chance, this.figures.refuses);
    const nowMs = () => this.scheduler.nowMs;
    const disk = this.disk = new SimDisk(() => this.scheduler.wallMs());
    const { ledger, figures, scheduler, faults } = this;
    this.keys = Array.from(
      { length: 1 + this.chance.below(5) },
      (_, index) => entryKey(index % 2 ? "b.c" : "a", Uint8Array.of(index)),
    );
    for (const { name } of this.keys) ledger.entry(name);
    const checks = this.#diskChecks = new DiskChecks({
      disk,
      ledger,
      nowMs,
      promises: figures,
      hadManifestFaults: () => faults.ofManifest > 0,
    });
    this.#replyChecks = new ReplyChecks({
      ledger,
      disk,
      checks,
      nowMs,
      promises: figures,
      hadManifestFaults: () => faults.ofManifest > 0,
      // A store that is closed in a stop refuses what comes too late.
      hadFaults: () => faults.injected > 0 || this.#stops > 0,
      isMemoryTaken: () => (this.server?.budget.usedBytes ?? 0) > 0,
      isLate: () => this.scheduler.late,
    });
    this.network = new Network({
      scheduler,
      faults,
      checks: this.#replyChecks,
      server: () => this.server,
      watch: (check) => this.watch(check),
    });
  }

  /** Runs a check, and remembers what it throws. */
  watch(check: () => void): void {
    try {
      check();
    } catch (violation) {
      this.violation ??= violation;
    }
  }

  /** Starts the server, unless it is there. */
  start(): void {
    if (this.server) return;
    const { scheduler, disk, faults, chance, figures, ledger } = this;
    this.#processes++;
    ledger.restarted(scheduler.nowMs, figures);
    this.server = new ServerProcess({
      scheduler,
      disk,
      faults,
      chance,
      figures,
      boot: this.#boots,
      observer: this.#observer(),
      newId: () => String(++this.#ids),
      newStaging: () => `s${++this.#stagings}`,
      events: {
        recovered: () => this.#diskChecks.recovered(this.#processes),
        serving: () => ledger.serving(scheduler.nowMs),
        evicting: (name) => void ledger.entry(name).crowded++,
        evicted: (name) => void ledger.entry(name).crowded--,
      },
      onExit: (process, why) => {
        if (why === "done" && this.#cleanStop) {
          this.watch(() => this.#diskChecks.stopped());
        }
        this.#down(process);
      },
    });
  }

  /** SIGKILL; the launcher starts the next one. */
  kill(): void {
    const { server } = this;
    if (!server) return;
    server.kill();
    this.#down(server);
  }

  /** The power fails, for the server and for whoever is on its machine. */
  cutPower(): void {
    const { disk, ledger, figures, chance } = this;
    for (const client of this.clients) client.kill();
    this.kill();
    this.#boots++;
    disk.cut(chance);
    for (const { brought, staging } of ledger.grants.values()) {
      const file = staging === undefined ? undefined : disk.stagedFile(staging);
      // What its client did not sync is what it wrote, for all that anybody knows.
      if (file) brought.wrote(textOf(file.bytes));
    }
    for (const grant of ledger.grants.values()) {
      // The file that its client was writing may be gone.
      grant.writingUntilMs = 0;
      if (grant.nameless && disk.isOurs(grant.nameless)) {
        grant.damagedMs = Math.min(grant.damagedMs, this.scheduler.nowMs);
      }
      const row = disk.rows.byName.get(grant.name);
      const isReady = row?.status === "ready" && row.id === grant.id;
      const file = disk.value(grant.name);
      const text = this.#diskChecks.textOf(file);
      const isAsHashed = isReady && file?.bytes !== undefined &&
        digestOf(file.bytes).sha256 === row.digest?.sha256;
      // What was spoilt before its row was ready did not count as published.
      if (isAsHashed && text !== undefined) grant.published ??= text;
      const isWhole = isReady && text !== undefined &&
        this.#diskChecks.isWhole(grant.name);
      // The cut may have undone what we, or its client, had spoilt.
      if (isWhole) {
        grant.damagedMs = Infinity;
        grant.published = text;
      }
      const mayBeLost = figures.durability === "relaxed" &&
        (isReady || grant.acknowledged);
      if (isWhole || !mayBeLost) continue;
      ledger.count("lost in a power cut");
      grant.damagedMs = Math.min(grant.damagedMs, this.scheduler.nowMs);
    }
  }

  /** SIGTERM. */
  stop(): void {
    if (this.server?.phase !== "serving") return;
    this.#stops++;
    this.#cleanStop = this.faults.stopped;
    this.ledger.drainingMs = this.scheduler.nowMs;
    this.server.stop();
  }

  /** One more client. */
  addClient(): void {
    const { refuses } = this.figures;
    const patient = this.chance.happens(0.4);
    const api = this.chance.pick(refuses ? LOCAL : APIS);
    this.clients.push(
      new Client({
        ...this,
        name: `c${++this.#clients}`,
        api: patient && api === "remote" ? "stream" : api,
        patient,
        isOther: this.figures.isShared && this.chance.happens(0.6),
        manners: this.chance.pick(refuses ? OBSTINATE : MANNERS),
        heartbeatIntervalMs: this.figures.heartbeatIntervalMs,
      }),
    );
  }

  /** After every event: does all that can be done, then looks at everything. */
  async settle(): Promise<void> {
    await flush();
    const { server } = this;
    this.watch(() => {
      this.#diskChecks.rows();
      this.#diskChecks.files(server?.number ?? 0);
      if (!server || server.phase === "stopped") return;
      server.engine.check();
      if (!this.scheduler.late) this.#replyChecks.waits();
    });
  }

  #down(process: ServerProcess): void {
    if (this.server !== process) return;
    this.server = undefined;
    this.#replyChecks.ended();
    this.network.down(process);
    this.scheduler.addLater(this.chance.pick([0, 100, 1_000]), {
      label: "the server starts",
      owner: this,
      run: () => this.start(),
    });
  }

  #observer(): Observer {
    const { ledger, scheduler } = this;
    const entryOf = ({ about }: Underway) => {
      const name = ledger.nameOfStaging.get(about) ??
        ledger.grants.get(about)?.name ?? about;
      return ledger.entries.get(name);
    };
    return {
      process: this.#processes,
      called: (operation) => {
        const entry = entryOf(operation);
        if (!entry) return;
        const { kind } = operation;
        if (kind === "claim" || kind === "reassign") {
          this.watch(() => this.#replyChecks.assigning(entry.name));
        }
        entry.activeMs = scheduler.nowMs;
        if (kind === "touch") entry.touch.calledMs = scheduler.nowMs;
        if (LEAVING.includes(operation.kind)) entry.leavingMs = scheduler.nowMs;
      },
      began: (operation) => {
        const entry = entryOf(operation);
        if (!entry) return;
        entry.underway++;
        if (operation.kind === "verify") entry.lookingMs = scheduler.nowMs;
        if (LEAVING.includes(operation.kind)) entry.leaving++;
      },
      ended: (operation) => {
        const entry = entryOf(operation);
        if (!entry) return;
        entry.activeMs = scheduler.nowMs;
        entry.underway = Math.max(0, entry.underway - 1);
        if (operation.kind === "verify") entry.lookedMs = entry.lookingMs;
        if (operation.kind === "touch") entry.touch.endedMs = scheduler.nowMs;
        if (!LEAVING.includes(operation.kind)) return;
        entry.leaving = Math.max(0, entry.leaving - 1);
        entry.leavingMs = scheduler.nowMs;
      },
      changed: () => this.watch(() => this.#diskChecks.rows()),
      unsynced: (path) => {
        for (const grant of ledger.grants.values()) {
          // A capture is removed then, also one whose Done was answered.
          if (!path.endsWith(`-${grant.staging}`)) continue;
          grant.damagedMs = Math.min(grant.damagedMs, scheduler.nowMs);
        }
      },
      probed: (staging, changedMs) => {
        const { leaseTimeoutMs } = this.figures;
        for (const grant of ledger.grants.values()) {
          if (grant.staging !== staging) continue;
          grant.writingUntilMs = changedMs + leaseTimeoutMs;
          // It may have rested on the disk, and begins anew.
          grant.surelySinceMs = scheduler.nowMs;
        }
      },
    };
  }
}
