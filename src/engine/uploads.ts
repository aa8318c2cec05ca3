/**
 * Values that come in pieces: each goes to a private file as it arrives, so
 * that a value of any size costs the memory of two pieces.
 *
 * @module
 */

import type { LocalFiles } from "../blobs/blob_store.ts";
import { messageOf } from "../errors.ts";
import { type Log, type LoggedCall, ofCall } from "../log/log.ts";
import type { Digest, Id } from "../table/types.ts";
import type { Budget } from "./admission.ts";
import type { Engine } from "./engine.ts";
import { toLarderError } from "./failures.ts";
import { randomStaging } from "./ids.ts";

/** What uploads are made of. */
export interface UploadsOptions {
  readonly files: Pick<LocalFiles, "append" | "hash" | "discard">;
  readonly budget: Budget;
  /** Holds an upload to the limits while it comes; absent: nobody does. */
  readonly engine?: Pick<Engine, "ask" | "giveBack" | "about">;
  /** Takes what is for the log. */
  readonly warn: Log;
}

/** What is known of a value before it comes. */
export interface Announced {
  /** How many bytes it has; 0: its client does not say. */
  readonly expected?: number | undefined;
  /** The call that it comes in. */
  readonly from?: LoggedCall | undefined;
}

/** Begins uploads. */
export class Uploads {
  readonly #options: UploadsOptions;

  /** All uploads share one budget. */
  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /**
   * An upload without a byte, for an assignment; `owner` is who shares the
   * budget fairly.
   */
  begin(owner: object, id: Id, announced: Announced = {}): Upload {
    return new Upload(this.#options, owner, { id, ...announced });
  }
}

/** One value on its way in; every failure is a `LarderError`. */
export class Upload {
  /** The private file's name, as a staging name: for the offer. */
  readonly name: string = randomStaging();
  readonly #options: UploadsOptions;
  readonly #owner: object;
  readonly #id: Id;
  readonly #expected: number;
  readonly #from: LoggedCall | undefined;
  #size = 0;
  #begun = false;
  /** Settles with the last piece. */
  #written: Promise<void> = Promise.resolve();

  /** Made by {@linkcode Uploads.begin}. */
  constructor(
    options: UploadsOptions,
    owner: object,
    { id, expected = 0, from }: Announced & { readonly id: Id },
  ) {
    this.#options = options;
    this.#owner = owner;
    this.#id = id;
    this.#expected = expected;
    this.#from = from;
  }

  /** Refuses what can never be kept before its first byte, if that is known. */
  async announce(): Promise<void> {
    if (this.#expected > 0) await this.#admit(0);
  }

  /**
   * Takes the next piece, which is consumed. Resolves when there is memory for
   * the one after it: while this one is being written if the budget says so,
   * else when it has been.
   */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#admit(bytes.length);
    const grant = this.#options.budget.takeNow(this.#owner, bytes.length);
    const before = this.#written;
    const offset = this.#size;
    this.#size += bytes.length;
    this.#begun = true;
    const { files } = this.#options;
    const writing = files.append(this.name, offset, bytes);
    // Of two that fail, the first one says why.
    writing.catch(() => {});
    this.#written = before.then(() => writing).finally(() => grant?.release());
    // Whoever waits for it hears of its failure; others need not.
    this.#written.catch(() => {});
    await this.#larder(grant ? before : this.#written);
  }

  /** Waits until the disk may take so many bytes more. */
  async #admit(more: number): Promise<void> {
    const reply = await this.#options.engine?.ask({
      kind: "piece",
      id: this.#id,
      upload: this.name,
      total: this.#size + more,
      more,
      expected: this.#expected,
      ...this.#from && { peer: this.#from },
    });
    if (reply?.kind === "error") throw reply.error;
  }

  /** The value is whole: what verifies it. */
  async finish(): Promise<Digest> {
    if (!this.#begun) await this.append(new Uint8Array());
    await this.#larder(this.#written);
    return await this.#larder(this.#options.files.hash(this.name));
  }

  /** Removes what was not published; call it at every end. Never rejects. */
  async discard(): Promise<void> {
    await this.#written.catch(() => {});
    if (!this.#begun) return;
    const { files, engine, warn } = this.#options;
    try {
      await files.discard(this.name);
    } catch (error) {
      // Where it lies is seen when the disk is looked at next.
      warn(`cannot remove an upload: ${toLarderError(error).message}`);
    }
    engine?.giveBack(this.#id, this.name);
  }

  /** The client hears what to do, the log what happened. */
  async #larder<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      const error = toLarderError(thrown);
      if (thrown !== error) {
        const { engine, warn } = this.#options;
        warn(`an upload failed: ${messageOf(thrown)}`, {
          ...engine?.about(this.#id),
          ...ofCall(this.#from),
        });
      }
      throw error;
    }
  }
}
