/**
 * A simulated client: it computes what is missing as the common client does,
 * or with worse manners.
 *
 * @module
 */

import type { Submission } from "../../src/engine/engine.ts";
import type { Api, Assignment, EntryKey, Id } from "../../src/table/types.ts";
import type { MemoryNode } from "../../src/blobs/testing/memory_files.ts";
import type { Chance } from "./chance.ts";
import { digestOf, type SimDisk } from "./disk.ts";
import { type Ledger, textOf } from "./ledger.ts";
import type { Caller, Network, Outcome } from "./network.ts";
import type { Scheduler } from "./scheduler.ts";

/** How a client differs from the common one. */
export type Manners =
  | "common"
  /** Says Set or Done again and again, also with another value. */
  | "stubborn"
  /** Uses ids and handles that others were told, or that are over. */
  | "meddling"
  /** Sends heartbeats for ever and publishes nothing. */
  | "wedged"
  /** Says Done before its file is whole, and goes on writing. */
  | "hasty"
  /** Leaves no file, or no regular one; drops twice, or never. */
  | "careless";

/** What a client lives in. */
export interface ClientOptions {
  readonly name: string;
  readonly api: Api;
  readonly manners: Manners;
  /** Speaks larder.v1: waits for whoever has the work, and may give it back. */
  readonly patient: boolean;
  /** Another user of the machine than the server. */
  readonly isOther: boolean;
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly disk: SimDisk;
  readonly ledger: Ledger;
  readonly keys: readonly EntryKey[];
  readonly heartbeatIntervalMs: number;
}

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 60_000;
const POLLS = 6;
/** What a patient client gives a call: below and above any lease. */
const PATIENCE_MS = [1_000, 20_000, 200_000] as const;
/** Below and above a lease, and what is told to remote clients at all. */
const COMPUTE_MS = [0, 10, 300, 1_900, 3_999, 4_001, 9_000] as const;
/** Who is not the server's user. */
const OTHER_USER = 1_001;
/** So often whoever is refused says it again, at most. */
const MAX_TRIES = 4;
/** Of another user's file: most let the server read it. */
const OTHERS_MODES = [0o644, 0o644, 0o644, 0o600] as const;
/** What whoever has a path does after the first Done. */
const AGAIN = { done: 3, write: 4, send: 2, spoil: 1 } as const;
const VALUE_BYTES = [12, 60, 99, 101, 180, 290, 400] as const;

/** A file that is being written. */
interface Writing {
  readonly file: MemoryNode;
  /** What it will be. */
  readonly rest: Uint8Array;
}

/** A client process. */
export class Client implements Caller {
  readonly name: string;
  alive = true;
  readonly #options: ClientOptions;
  #values = 0;

  /** Lives until its work is done, or until it is killed. */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.name = options.name;
    this.#live();
  }

  /** It gets no further. */
  kill(): void {
    this.alive = false;
    this.#options.scheduler.dropOwned(this);
    this.#options.network.gone(this);
  }

  async #live(): Promise<void> {
    const { chance, keys, manners } = this.#options;
    for (let left = 1 + chance.below(4); left > 0; left--) {
      await this.#compute(chance.pick(keys));
      if (manners === "meddling") await this.#meddle();
      await this.#sleep(chance.pick([0, 100, 2_000]));
    }
  }

  /** Asks for a value, waits for it, or makes it. */
  async #compute(entry: EntryKey): Promise<void> {
    const { chance, api, patient } = this.#options;
    const waits = patient && { patient } as const;
    const assign = chance.happens(0.85);
    let backoffMs = FIRST_BACKOFF_MS;
    for (let polls = 0; polls < POLLS; polls++) {
      const get = { kind: "get", api, entry, assign, ...waits } as const;
      const reply = await this.#call(get);
      if (reply.kind === "assigned") return await this.#work(reply.assignment);
      if (reply.kind === "handle") return await this.#use(reply.id);
      if (!["loading", "no reply"].includes(reply.kind)) return;
      await this.#sleep(backoffMs);
      backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
    }
  }

  async #work(assignment: Assignment): Promise<void> {
    const { chance, manners, patient } = this.#options;
    const { id, staging } = assignment;
    const beat = { goesOn: chance.happens(0.8) };
    if (manners === "wedged") return await this.#beat(id, { goesOn: true });
    this.#beat(id, beat);
    await this.#sleep(chance.pick(COMPUTE_MS));
    beat.goesOn = false;
    if (patient && chance.happens(0.2)) {
      return void await this.#call({ kind: "abandon", id });
    }
    if (staging === undefined || patient && chance.happens(0.5)) {
      return await this.#again(() => this.#send(id));
    }
    await this.#deliver(id, staging);
  }

  /** Heartbeats until one fails: the common client sends none after that. */
  async #beat(id: Id, beat: { goesOn: boolean }): Promise<void> {
    while (beat.goesOn) {
      await this.#sleep(this.#options.heartbeatIntervalMs);
      if (!beat.goesOn) return;
      const reply = await this.#call({ kind: "heartbeat", id });
      if (reply.kind !== "ok") return;
    }
  }

  /** Sends a new value: in pieces, or as one. */
  async #send(id: Id): Promise<Outcome> {
    const value = this.#value(id);
    if (!this.#options.patient) {
      return await this.#call({ kind: "set", id, value });
    }
    const offer = { kind: "offer", id, upload: "", digest: digestOf(value) };
    return await this.#call(offer as Submission, value);
  }

  /** Writes a local assignment's file, and says that it is done. */
  async #deliver(id: Id, staging: string): Promise<void> {
    const { manners, chance, patient } = this.#options;
    if (manners === "careless" && chance.happens(0.5)) {
      if (chance.happens(0.5)) this.#spoil(id, staging);
    } else if (manners === "hasty") {
      const { file, rest } = this.#begin(id, staging);
      this.#goOn(id, staging, { file, rest });
    } else {
      const { file, rest } = this.#begin(id, staging);
      await this.#sleep(chance.pick([0, 5, 600]));
      this.#finish(id, staging, { file, rest });
    }
    await this.#again(async (isFirst) => {
      const how = isFirst ? "done" : chance.weighted(AGAIN);
      if (how === "send") return await this.#send(id);
      if (how === "write") this.#stage(id, staging, this.#value(id));
      if (how === "spoil") this.#spoil(id, staging);
      const waits = patient && { patient: true } as const;
      return await this.#call({ kind: "done", id, ...waits });
    });
  }

  /** Puts something at a path that is no file. */
  #spoil(id: Id, staging: string): void {
    const { disk, ledger } = this.#options;
    disk.stage(staging);
    ledger.grants.get(id)?.brought.spoilt();
  }

  /** Puts a new file at a path, in the place of whatever lies there. */
  #stage(id: Id, staging: string, bytes: Uint8Array): MemoryNode {
    const { chance, disk, ledger, isOther } = this.#options;
    const file = disk.stage(staging, bytes, {
      ...isOther && { uid: OTHER_USER, mode: chance.pick(OTHERS_MODES) },
      otherNames: chance.happens(0.1) ? 1 : 0,
    });
    ledger.grants.get(id)?.brought.wrote(textOf(bytes));
    return file;
  }

  /** Half a file, and what it will be. */
  #begin(id: Id, staging: string): Writing {
    const rest = this.#value(id);
    const half = rest.slice(0, rest.length >> 1);
    return { file: this.#stage(id, staging, half), rest };
  }

  /** Goes on writing when it has said that it is done. */
  async #goOn(id: Id, staging: string, writing: Writing): Promise<void> {
    await this.#sleep(this.#options.chance.pick([0, 0, 1, 100]));
    this.#finish(id, staging, writing);
  }

  /** Writes the rest to an open file, wherever it lies by now. */
  #finish(id: Id, staging: string, { file, rest }: Writing): void {
    const { disk, ledger, scheduler } = this.#options;
    const grant = ledger.grants.get(id);
    if (grant && disk.isOurs(file)) {
      // It spoils its own value, under its readers' eyes or on the way there.
      grant.damagedMs = Math.min(grant.damagedMs, scheduler.nowMs);
      scheduler.note(`  ${this.name} spoils ${grant.name.slice(0, 8)}`);
    }
    disk.write(file, rest);
    const text = textOf(rest);
    const isStaged = disk.stagedFile(staging) === file;
    if (isStaged) grant?.brought.wrote(text);
    else grant?.brought.wentOn(text);
    if (grant && !isStaged && !disk.isOurs(file)) grant.nameless = file;
  }

  /** Says it once; again where it was refused, or as often as a stubborn one does. */
  async #again(
    publish: (isFirst: boolean) => Promise<Outcome>,
  ): Promise<void> {
    const { chance, manners } = this.#options;
    const times = manners === "stubborn" ? 1 + chance.below(MAX_TRIES) : 1;
    let isRefused = false;
    for (let tries = 0; tries < (isRefused ? MAX_TRIES : times); tries++) {
      const published = publish(tries === 0);
      // Sometimes without waiting for the last one's answer.
      isRefused = chance.happens(0.7) && (await published).kind === "error";
      await this.#sleep(chance.pick([0, 1, 700, 5_000]));
    }
  }

  /** Reads a file, then lets it go. */
  async #use(id: Id): Promise<void> {
    const { chance, manners } = this.#options;
    await this.#sleep(chance.pick([0, 50, 3_000, 20_000]));
    if (chance.happens(0.2)) await this.#call({ kind: "heartbeat", id });
    await this.#sleep(chance.pick([0, 50, 3_000]));
    const careless = manners === "careless";
    if (careless && chance.happens(0.5)) return;
    await this.#call({ kind: "drop", id });
    if (careless) await this.#call({ kind: "drop", id });
  }

  /** Does something with an id that is not its own, or not any more. */
  async #meddle(): Promise<void> {
    const { chance, ledger } = this.#options;
    const ids = [...ledger.grants.keys(), ...ledger.pins.keys(), "999999999"];
    const id = chance.pick(ids);
    const kind = chance.pick(
      [
        "set",
        "done",
        "heartbeat",
        "abandon",
      ] as const,
    );
    await this.#call(
      kind === "set" ? { kind, id, value: this.#value(id) } : { kind, id },
    );
  }

  /** A value that nobody else will ever write. */
  #value(id: Id): Uint8Array {
    const { chance } = this.#options;
    const size = chance.pick(VALUE_BYTES);
    const text = `${id} by ${this.name} ${++this.#values} `.padEnd(size, "x");
    return new TextEncoder().encode(text);
  }

  #call(submission: Submission, value?: Uint8Array): Promise<Outcome> {
    const { network, patient, chance } = this.#options;
    return network.call(this, submission, {
      ...patient && { timeoutMs: chance.pick(PATIENCE_MS) },
      ...value && { value },
    });
  }

  #sleep(ms: number): Promise<void> {
    const { scheduler } = this.#options;
    const label = `${this.name} wakes`;
    return new Promise((resolve) =>
      scheduler.addLater(ms, { label, owner: this, run: resolve })
    );
  }
}
