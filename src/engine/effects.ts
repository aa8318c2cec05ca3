/**
 * Runs the table's effects on the stores, and says what became of them as
 * commands for the table.
 *
 * @module
 */

import type { BlobCache } from "../blobs/blob_cache.ts";
import type {
  BlobError,
  BlobStore,
  CapturedFile,
  LocalFiles,
  Stored,
} from "../blobs/blob_store.ts";
import type { Clock } from "../clock.ts";
import { LarderError, messageOf } from "../errors.ts";
import { formatEntry } from "../key_text.ts";
import { EVICTIONS_AT_ONCE } from "../limits.ts";
import type { Log, LogFacts } from "../log/log.ts";
import type { Expected, Manifest } from "../manifest/manifest.ts";
import type {
  Asked,
  Digest,
  Effect,
  EntryKey,
  Id,
  Result,
  Row,
  Stamp,
} from "../table/types.ts";
import type { AccessLog } from "./access_log.ts";
import { AtMost } from "./at_most.ts";
import { isDamage, isMissing, toLarderError } from "./failures.ts";
import { isPossibleId } from "./ids.ts";

/** Everything but what belongs to a request, which the engine does itself. */
export type Work = Exclude<
  Effect,
  { kind: "reply" | "notice" | "admit" | "dismiss" | "make-room" }
>;
type Of<K extends Work["kind"]> = Work & { kind: K };

/** Where effects go to, and where their results come out. */
export interface EffectRunnerOptions {
  readonly manifest: Manifest;
  readonly blobs: BlobStore;
  readonly cache: BlobCache;
  readonly clock: Clock;
  readonly uses: AccessLog;
  /** Takes a result; never called while an effect is being started. */
  readonly feed: (result: Result) => void;
  /** Takes what is for the log. */
  readonly warn: Log;
  /** What the log says of the entry of that name. */
  readonly about: (name: string) => LogFacts;
  /** Is told of what was found damaged. */
  readonly onDamaged: (facts: LogFacts) => void;
}

/** Runs effects; every effect with a result feeds exactly one. */
export class EffectRunner {
  readonly #manifest: Manifest;
  readonly #blobs: BlobStore;
  readonly #cache: BlobCache;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #uses: AccessLog;
  readonly #feed: (result: Result) => void;
  readonly #warn: Log;
  readonly #about: (name: string) => LogFacts;
  readonly #onDamaged: (facts: LogFacts) => void;
  readonly #removals = new AtMost(EVICTIONS_AT_ONCE);

  constructor(options: EffectRunnerOptions) {
    this.#manifest = options.manifest;
    this.#blobs = options.blobs;
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#startMs = options.clock.nowMs();
    this.#uses = options.uses;
    this.#feed = options.feed;
    this.#warn = options.warn;
    this.#about = options.about;
    this.#onDamaged = options.onDamaged;
  }

  /** Starts an effect. */
  run(effect: Work): void {
    switch (effect.kind) {
      case "used":
        return this.#uses.note(effect.entry);
      case "read":
        return this.#read(effect);
      case "verify":
        return this.#verify(effect);
      case "find":
        return this.#ask(effect, this.#manifest.find(effect.entry));
      case "claim":
        return this.#ask(effect, this.#claim(effect));
      case "reassign":
        return this.#ask(effect, this.#reassign(effect));
      case "abandon":
        return this.#ask(effect, this.#abandon(effect));
      case "find-id":
        return this.#findId(effect.ticket, effect.id);
      case "probe":
        return this.#probe(effect);
      case "discard":
        return void this.#discard(effect.staging);
      case "renewed":
        return this.#renewed(effect.entry, effect.id);
      case "complete":
        return this.#complete(effect.entry, effect.id, effect);
      case "put":
        return this.#publishStep(
          effect,
          this.#blobs.put(effect.name, effect.value),
          stored,
        );
      case "capture":
        return this.#publishStep(
          effect,
          this.#local().capture(effect.staging, {
            mostBytes: effect.mostBytes,
            again: effect.again ?? false,
            first: effect.first ?? false,
          }),
          captured,
        );
      case "hash":
        return this.#publishStep(
          effect,
          this.#local().hash(effect.staging, effect.size),
          hashed,
        );
      case "install":
        return this.#publishStep(
          effect,
          this.#local().install(effect.staging, effect.name),
          installed,
        );
      case "record":
        return this.#rowStep(
          effect,
          this.#manifest.record(effect.entry, effect.id, effect.digest),
          "recorded",
        );
      case "persist":
        return this.#rowStep(
          effect,
          this.#manifest.publish(effect.entry, effect.id, effect.digest),
          "persisted",
        );
      case "evict":
        return this.#evict(effect);
      case "sweep":
        return this.#sweep(effect);
      case "superseded": {
        const { entry, computedMs: ms, peer: client, call } = effect;
        return this.#warn(
          "work goes to another client: it has been computed for more than " +
            "--max-compute-time",
          {
            ...named(entry),
            ms,
            ...client !== undefined && { client },
            ...call !== undefined && { call },
          },
        );
      }
    }
  }

  #local(): LocalFiles {
    const { local } = this.#blobs;
    if (local) return local;
    throw new LarderError("storage-failed", "This store has no local files");
  }

  /** Feeds the result of a promise that belongs to a named entry. */
  #then<T, R extends Result["kind"]>(
    of: { readonly name: string; readonly token: number },
    promise: Promise<T>,
    ok: (value: T) => Unnamed<R>,
    failed: (error: unknown) => Unnamed<Result["kind"]>,
  ): void {
    promise.then(
      (value) => this.#feedOf(of, ok(value)),
      (error) => this.#feedOf(of, failed(error)),
    );
  }

  /** The result was made for this: a copy would be one more object. */
  #feedOf(
    { name, token }: { readonly name: string; readonly token: number },
    result: Unnamed<Result["kind"]>,
  ): void {
    this.#feed(Object.assign(result, { name, token }) as Result);
  }

  #ask(
    effect: { readonly entry: EntryKey; readonly token: number },
    promise: Promise<true | Row | undefined>,
  ): void {
    const { entry: { name }, token } = effect;
    const feed = (asked: Asked) =>
      this.#feed({ kind: "asked", name, token, asked });
    promise.then(
      (found) =>
        feed(
          found === true
            ? { kind: "assigned" }
            : found
            ? { kind: "row", row: found, wallMs: this.#clock.wallMs() }
            : { kind: "none" },
        ),
      (error) => feed({ kind: "failed", error: this.#logged(error) }),
    );
  }

  /**
   * A cache that cannot keep a value says so at Get, not at Set: while the disk
   * takes no values, no work is given out. What is there is found as ever.
   */
  #claim({ entry, assignment }: Of<"claim">): Promise<true | Row> {
    const { trouble } = this.#blobs;
    if (!trouble) {
      return this.#manifest.claim(entry, assignment).then((row) => row ?? true);
    }
    return this.#manifest.find(entry).then((row) => {
      if (!row) throw noWork(trouble);
      return row;
    });
  }

  async #reassign(
    { entry, from, assignment }: Of<"reassign">,
  ): Promise<true | Row | undefined> {
    const { trouble } = this.#blobs;
    if (trouble) throw noWork(trouble);
    const expected = { status: "loading", id: from } as const;
    return await this.#manifest.reassign(entry, expected, assignment);
  }

  /**
   * Its holder is not heard meanwhile: where the row stays, the file must not go
   * that comes next.
   */
  async #abandon(
    { entry, id, discards }: Of<"abandon">,
  ): Promise<Row | undefined> {
    if (discards !== undefined) await this.#discard(discards);
    const expected: Expected = { status: "loading", id };
    if (await this.#manifest.remove(entry, expected)) return undefined;
    return await this.#manifest.find(entry);
  }

  #findId(ticket: number, id: Id): void {
    if (!isPossibleId(id)) {
      return queueMicrotask(() => this.#feed({ kind: "found-id", ticket }));
    }
    this.#manifest.findId(id).then(
      (row) => this.#feed({ kind: "found-id", ticket, ...(row && { row }) }),
      (thrown) => {
        const error = this.#logged(thrown);
        this.#feed({ kind: "found-id", ticket, error });
      },
    );
  }

  #probe(effect: Of<"probe">): void {
    this.#then(
      effect,
      this.#local().probe(effect.staging),
      (changedAgoMs) =>
        changedAgoMs === undefined
          ? { kind: "probed" }
          : { kind: "probed", changedAgoMs },
      // What cannot be looked at does not keep the work from the next client.
      (error) => {
        this.#logged(error, effect.name);
        return { kind: "probed" };
      },
    );
  }

  async #discard(staging: string): Promise<void> {
    await this.#blobs.local?.discard(staging).catch((error) =>
      this.#warn(`cannot remove staging file ${staging}: ${messageOf(error)}`)
    );
  }

  #complete(entry: EntryKey, id: Id, { digest }: Of<"complete">): void {
    // A row that stays incomplete is completed on its next first use.
    this.#manifest.complete(entry, id, digest).catch((error) =>
      this.#warn(
        `cannot write down the size of a value: ${messageOf(error)}`,
        named(entry),
      )
    );
  }

  #renewed(entry: EntryKey, id: Id): void {
    // Its lease is renewed all the same, until the next start.
    this.#manifest.renewed(entry, id).catch((error) =>
      this.#warn(
        `cannot note a heartbeat: ${messageOf(error)}`,
        this.#about(entry.name),
      )
    );
  }

  #read(effect: Of<"read">): void {
    const { entry, token, generation, digest } = effect;
    const { name } = entry;
    this.#uses.note(entry);
    this.#cache.read(name, generation, digest).then((value) => {
      this.#feed({ kind: "read", name, token, value });
      // By now it has been lent to all who get it.
      this.#cache.giveBack(value);
    }, (error) => {
      this.#feed({ ...this.#unreadable(error, name), name, token } as Result);
    });
  }

  #verify({ entry, token, digest, stamp, hand }: Of<"verify">): void {
    const verifying = this.#blobs.verify(entry.name, digest, stamp);
    const handing = hand ? this.#uses.hand(entry) : undefined;
    if (!hand) this.#uses.note(entry);
    this.#then(
      { name: entry.name, token },
      Promise.all([verifying, handing]),
      ([{ digest, stamp }]) => ({
        kind: "verified",
        digest,
        stamp,
        ...(hand ? { handed: true } : {}),
      }),
      (error) => this.#unreadable(error, entry.name),
    );
  }

  #unreadable(
    thrown: unknown,
    name: string,
  ): Unnamed<"damaged" | "unreadable"> {
    if (isDamage(thrown)) {
      const facts = this.#about(name);
      this.#onDamaged(facts);
      this.#warn(`${messageOf(thrown)}: the entry is removed`, facts);
      return { kind: "damaged" };
    }
    return { kind: "unreadable", error: this.#logged(thrown, name) };
  }

  #publishStep<T, R extends Result["kind"]>(
    effect: { readonly name: string; readonly token: number },
    promise: Promise<T>,
    ok: (value: T) => Unnamed<R>,
  ): void {
    this.#then(effect, promise, ok, (error) => ({
      kind: "publish-failed",
      error: this.#logged(error, effect.name),
      ...isMissing(error) && { missing: true },
    }));
  }

  #rowStep(
    { entry, token }: { readonly entry: EntryKey; readonly token: number },
    promise: Promise<boolean>,
    kind: "recorded" | "persisted",
  ): void {
    const { name } = entry;
    const failed = (thrown: unknown, lost = false) => {
      const error = this.#logged(thrown, name);
      this.#feed({ kind: "publish-failed", name, token, error, lost });
    };
    promise.then(
      (held) =>
        held
          ? this.#feed({ kind, name, token })
          : failed(new LostRow(entry), true),
      failed,
    );
  }

  #evict(effect: Of<"evict">): void {
    const { entry: { name }, token } = effect;
    this.#cache.forget(name);
    this.#then(
      { name, token },
      this.#takeAway(effect),
      () => ({ kind: "evicted" }),
      (thrown) => {
        const stays = thrown instanceof NotMarked;
        const error = this.#logged(stays ? thrown.cause : thrown, name);
        return { kind: "evicted", error, ...stays && { stays } };
      },
    );
  }

  /** Persist Evicting, then the file, then the row: a crash in between is finished at start. */
  async #takeAway({ entry, id, damaged }: Of<"evict">): Promise<void> {
    let held = id;
    let marked = await this.#mark(entry, id);
    if (!marked && id !== undefined) {
      // A row of the original server that could not be completed.
      held = undefined;
      marked = await this.#mark(entry, undefined);
    }
    if (!marked) {
      const row = await this.#manifest.find(entry);
      if (!row) return;
      if (row.status !== "evicting") throw new LostRow(entry);
      held = row.id;
    }
    // Marked are all at once, so that nobody finds them any more.
    await this.#removals.run(() =>
      damaged
        ? this.#blobs.quarantine(entry.name)
        : this.#blobs.remove(entry.name)
    );
    await this.#manifest.remove(entry, { status: "evicting", id: held });
  }

  async #mark(entry: EntryKey, id: Id | undefined): Promise<boolean> {
    try {
      return await this.#manifest.evict(entry, id);
    } catch (cause) {
      throw new NotMarked("the row is as it was", { cause });
    }
  }

  #sweep({ name, token }: Of<"sweep">): void {
    this.#then(
      { name, token },
      // What has changed since the start may have been published meanwhile.
      this.#blobs.sweep(name, this.#clock.nowMs() - this.#startMs),
      (): Unnamed<"evicted"> => ({ kind: "evicted" }),
      (error) => ({ kind: "evicted", error: this.#logged(error, name) }),
    );
  }

  /** Maps a failure for the client, and tells the log what the client is not told. */
  #logged(thrown: unknown, name?: string): LarderError {
    const error = toLarderError(thrown);
    if (error.code !== "no-file") {
      const facts = name === undefined ? {} : this.#about(name);
      this.#warn(messageOf(error.cause ?? error), facts);
    }
    return error;
  }
}

function stored({ digest, stamp }: Stored): Unnamed<"stored"> {
  return { kind: "stored", digest, stamp };
}

function captured(file: CapturedFile): Unnamed<"captured"> {
  return { kind: "captured", ...file };
}

function hashed(digest: Digest): Unnamed<"hashed"> {
  return { kind: "hashed", digest };
}

function installed(stamp: Stamp): Unnamed<"installed"> {
  return { kind: "installed", stamp };
}

/** What the log says of an entry that the table may not know. */
function named({ namespace, key }: EntryKey): LogFacts {
  return { namespace, key };
}

/** The line is the same each time, whatever the name of the file that failed. */
function noWork({ message }: BlobError): LarderError {
  const [reason] = message.split(": ");
  return new LarderError("storage-failed", "The cache cannot keep values now", {
    cause: new Error(
      `no work is given out while the disk takes no values (${reason})`,
    ),
  });
}

/** A result without what says which entry it belongs to. */
type Unnamed<K extends Result["kind"]> = K extends Result["kind"]
  ? Omit<Result & { kind: K }, "name" | "token" | "ticket">
  : never;

/** The manifest could not write down that a value is to go. */
class NotMarked extends Error {}

/** The manifest's row is not the one this publish is about. */
class LostRow extends LarderError {
  constructor(entry: EntryKey) {
    super(
      "invalid-assignment-id",
      `invalid assignment id: ${
        formatEntry(entry)
      } was given to another client`,
      { cause: new Error("a value came too late: its work went to another") },
    );
  }
}
