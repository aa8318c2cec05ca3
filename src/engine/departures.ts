/**
 * Entries that are being taken away: room is there as soon as the table has
 * been told of them, and their files follow.
 *
 * @module
 */

import type { LarderError } from "../errors.ts";
import { EVICTIONS_AT_ONCE, MAX_CHOSEN, MAX_CHOSEN_BYTES } from "../limits.ts";
import type { AgedEntry } from "../manifest/manifest.ts";
import { covers, type Excess, wholeBlocks } from "../table/scope.ts";
import type { Engine } from "./engine.ts";

/** How much is gone, or is going. */
export interface Freed {
  /** Why they go. */
  readonly why: Exclude<EvictionReason, "ttl">;
  /** Of each a whole number of these counts. */
  readonly blockBytes: number;
  bytes: number;
  entries: number;
}

/** Room is needed, nobody has used it for too long, or its time to live is over. */
export type EvictionReason = "room" | "age" | "ttl";

/** Takes entries away, and knows those that are not gone yet. */
export class Departures {
  readonly #engine: Engine;
  readonly #onGone: (entry: AgedEntry, why: Freed["why"]) => void;
  /** By name. */
  readonly #going = new Map<string, AgedEntry>();
  #bytes = 0;
  #onChange: PromiseWithResolvers<void> | undefined;
  #onDone: PromiseWithResolvers<void> | undefined;
  /** The engine takes nothing away any more: it is stopping. */
  isStopped = false;
  /** Nothing can be taken away: the last one could not be, for this reason. */
  blocked: LarderError | undefined;

  /** `onGone` is told of each that has gone. */
  constructor(
    engine: Engine,
    onGone: (entry: AgedEntry, why: Freed["why"]) => void,
  ) {
    this.#engine = engine;
    this.#onGone = onGone;
  }

  /** Whether an entry is on its way. */
  has(name: string): boolean {
    return this.#going.has(name);
  }

  /** Takes an entry away, if nobody uses it; `freed` counts it until it stays. */
  take(entry: AgedEntry, freed: Freed): void {
    const { name, namespace, key, size = 0 } = entry;
    this.#going.set(name, entry);
    this.#bytes += size;
    const bytes = wholeBlocks(size, freed.blockBytes);
    freed.bytes += bytes;
    freed.entries++;
    // Refused at once, as a rule, if at all: then the next one goes instead.
    this.#engine.evict({ name, namespace, key }, (reply) => {
      this.#going.delete(name);
      this.#bytes -= size;
      this.#wake();
      if (reply.kind === "ok") {
        this.blocked = undefined;
        return this.#onGone(entry, freed.why);
      }
      freed.bytes -= bytes;
      freed.entries--;
      if (reply.kind !== "error") return;
      // The others would be refused just so, and no quota is to blame.
      if (reply.error.code === "stopping") this.isStopped = true;
      if (concernsAll(reply.error)) this.blocked = reply.error;
    });
  }

  /**
   * Resolves when another one may be chosen: more of them while somebody waits.
   * Where nothing could be taken away, one is tried alone.
   */
  async whenFree(): Promise<void> {
    if (this.blocked) await this.whenDone();
    while (this.#isFull) {
      this.#onChange ??= Promise.withResolvers();
      await this.#onChange.promise;
    }
  }

  /** Resolves when all have gone. */
  whenDone(): Promise<void> {
    if (this.#going.size === 0) return Promise.resolve();
    this.#onDone ??= Promise.withResolvers();
    return this.#onDone.promise;
  }

  /** Of an excess, what the table still counts: it looks it up first. */
  counted(
    { pattern, blockBytes }: Excess,
  ): Pick<Freed, "bytes" | "entries"> {
    const counted = { bytes: 0, entries: 0 };
    for (const { name, namespace, size = 0 } of this.#going.values()) {
      if (!covers(pattern, namespace) || this.#engine.isEvicting(name)) {
        continue;
      }
      counted.bytes += wholeBlocks(size, blockBytes);
      counted.entries++;
    }
    return counted;
  }

  get #isFull(): boolean {
    const { size } = this.#going;
    if (size < EVICTIONS_AT_ONCE) return false;
    if (!this.#engine.isRoomAwaited) return true;
    return size >= MAX_CHOSEN || this.#bytes >= MAX_CHOSEN_BYTES;
  }

  #wake(): void {
    this.#onChange?.resolve();
    this.#onChange = undefined;
    if (this.#going.size > 0) return;
    this.#onDone?.resolve();
    this.#onDone = undefined;
  }
}

/** Whether a value stays for a reason for which all others would. */
export function concernsAll({ code }: LarderError): boolean {
  return code === "storage-full" || code === "manifest-failed";
}
