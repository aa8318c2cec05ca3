/**
 * Local and remote clients that publish, read and hold on to files until the
 * server is killed under them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { status } from "@grpc/grpc-js";
import {
  type GetReply,
  LocalClient,
  RemoteClient,
} from "../support/clients.ts";
import type { Known, Ledger, Work } from "./ledger.ts";
import { randomSize, valueOf } from "./values.ts";

/** What calls fail with when the server dies. */
const OUTAGE: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.INTERNAL,
]);
const NAMESPACES = ["crash", "crash.deep.er", "_other"];
const CALLERS = 10;
const CONTENDED = 6;

/** A handle that a client holds. */
export interface Held {
  readonly known: Known;
  readonly id: string;
  readonly path: string;
}

/** Where a load runs. */
export interface LoadOptions {
  readonly local: string;
  readonly remote: string;
  readonly ledger: Ledger;
  readonly random: () => number;
  /** Begins the names of its keys. */
  readonly name: string;
}

/** One round's clients. */
export class Load implements Disposable {
  readonly local: LocalClient;
  readonly remote: RemoteClient;
  /** The entries that were asked for. */
  readonly touched = new Set<Known>();
  /** The work that was under way when the server was killed. */
  readonly unfinished: Work[] = [];
  /** Handles that were not dropped. */
  readonly held: Held[] = [];
  readonly #options: LoadOptions;
  readonly #contended: Known[] = [];
  #killed = false;
  #keys = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.local = new LocalClient(options.local);
    this.remote = new RemoteClient(options.remote);
  }

  /** Runs until `kill` has killed the server; rejects on any other failure. */
  async run(kill: () => Promise<void>): Promise<void> {
    for (let i = 0; i < CONTENDED; i++) {
      this.#contended.push(this.#newEntry(true));
    }
    const callers = Array.from({ length: CALLERS }, () => this.#call());
    const failed = Promise.all(callers).then(() =>
      assert.fail("the clients have ended")
    );
    await Promise.race([failed, this.#pause(20 + 400 * this.#random())]);
    failed.catch(() => {});
    this.#killed = true;
    await kill();
    await Promise.all(callers);
  }

  /** Publishes what its client computes; the client may have been told nothing. */
  async publish(work: Work): Promise<void> {
    const { ledger } = this.#options;
    ledger.tries(work);
    if (work.path !== undefined && !work.sent) {
      await writeFile(work.path, work.value);
    }
    work.sent = true;
    if (work.path !== undefined) await this.local.done(work.id);
    else await this.remote.set(work.id, work.value);
    ledger.acknowledge(work);
  }

  /** What a Get was answered, read and compared where there is something. */
  async look(
    known: Known,
    { hold = false }: { readonly hold?: boolean } = {},
  ): Promise<GetReply & { readonly work?: Work }> {
    const api = this.#random() < 0.5 ? "local" : "remote";
    const reply = await this[api].get(known.namespace, known.key);
    const { assign, ready } = reply;
    if (assign) return { ...reply, work: this.#work(known, api, assign) };
    if (ready instanceof Uint8Array) {
      this.#options.ledger.compare(known, ready);
    } else if (ready) {
      const handle = { known, id: ready.id, path: ready.path };
      await this.compareHeld(handle);
      if (hold) this.held.push(handle);
      else await this.local.drop(ready.id);
    }
    return reply;
  }

  /** Reads the file that a handle pins. */
  async compareHeld({ known, path }: Held): Promise<void> {
    this.#options.ledger.compare(known, await Deno.readFile(path));
  }

  [Symbol.dispose](): void {
    this.local.close();
    this.remote.close();
  }

  async #call(): Promise<void> {
    while (!this.#killed) {
      try {
        await this.#act();
      } catch (error) {
        const { code } = error as { code?: number };
        const dies = this.#killed && code !== undefined && OUTAGE.has(code);
        if (!dies) throw error;
      }
    }
  }

  async #act(): Promise<void> {
    const what = this.#random();
    if (what < 0.25) return await this.#read();
    const known = what < 0.45
      ? this.#pick(this.#contended)
      : this.#newEntry(false);
    this.touched.add(known);
    const { work, entryStatus } = await this.look(known);
    if (!work) return await this.#pause(entryStatus === "loading" ? 5 : 0);
    // Some take their time, and do something else meanwhile.
    if (this.#random() < 0.1) return void this.unfinished.push(work);
    try {
      if (this.#random() < 0.3) await this[work.api].heartbeat(work.id);
      await this.publish(work);
    } catch (error) {
      const { code } = error as { code?: number };
      const lost = known.contended && code === status.INVALID_ARGUMENT;
      if (lost) return;
      this.unfinished.push(work);
      throw error;
    }
  }

  async #read(): Promise<void> {
    const known = this.#pick(this.#options.ledger.entries);
    if (known.kept === undefined) return await this.#pause(1);
    const hold = this.#random() < 0.3;
    const { entryStatus } = await this.look(known, { hold });
    // On a slow disk a Done is answered before its value is ready.
    assert(
      ["loading", "ready"].includes(entryStatus),
      `${known.key} was kept, and is ${entryStatus}`,
    );
  }

  #work(
    known: Known,
    api: "local" | "remote",
    { id, path }: { readonly id: string; readonly path?: string },
  ): Work {
    const value = valueOf(
      ++this.#options.ledger.attempts,
      randomSize(this.#random),
    );
    const place = api === "local" ? { path: path! } : {};
    return { api, known, id, value, sent: false, ...place };
  }

  #newEntry(contended: boolean): Known {
    const { ledger, name } = this.#options;
    const namespace = this.#pick(NAMESPACES);
    return ledger.add(namespace, `${name}.${this.#keys++}`, contended);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }

  get #random(): () => number {
    return this.#options.random;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
