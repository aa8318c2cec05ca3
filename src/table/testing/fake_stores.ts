/**
 * Test-only: rows, values and clients' files in maps, and what an effect of the
 * table does to them. Bytes are text in hex, and are their own digest.
 *
 * @module
 */

import { type ErrorCode, LarderError } from "../../errors.ts";
import type { Asked, Digest, Effect, Result, Row } from "../types.ts";

/** Effects that the stores do, and report back on. */
export type Work = Exclude<
  Effect,
  {
    kind:
      | "reply"
      | "notice"
      | "discard"
      | "admit"
      | "dismiss"
      | "make-room"
      | "superseded"
      | "renewed";
  }
>;

/** What goes wrong; `silent`: only what is told of it, all has been done. */
export type Fault = "none" | "failed" | "silent";

type Of<K extends Work["kind"]> = Extract<Work, { readonly kind: K }>;
type Question = Of<"find" | "claim" | "reassign" | "abandon">;
type Step = Of<
  "put" | "capture" | "hash" | "record" | "install" | "persist"
>;

interface Staged {
  /** Absent: no regular file. */
  bytes?: string;
  changedMs: number;
}

/** The manifest and the disk of a {@linkcode FakeEngine}. */
export class FakeStores {
  readonly rows = new Map<string, Row>();
  readonly blobs = new Map<string, string>();
  /** What clients write. */
  readonly staged = new Map<string, Staged>();
  /** What is out of their reach. */
  readonly captured = new Map<string, string>();

  /** Does what the effect says; `undefined`: nobody is to be told. */
  run(effect: Work, fault: Fault, nowMs: number): Result | undefined {
    // That is done before, whatever becomes of the row.
    if ("discards" in effect) this.discard(effect.discards);
    if (fault === "failed") {
      const result = failed(effect);
      // Nothing was done: what was to go is there as before.
      return result?.kind === "evicted" ? { ...result, stays: true } : result;
    }
    const result = this.#run(effect, nowMs);
    return fault === "silent" ? failed(effect) : result;
  }

  /** Removes a client's file, wherever it is. */
  discard(staging: string): void {
    this.staged.delete(staging);
    this.captured.delete(staging);
  }

  /** What recovery does with files that no row owns. */
  sweepFiles(): void {
    const rows = [...this.rows.values()];
    for (const staging of [...this.staged.keys(), ...this.captured.keys()]) {
      const isOwned = rows.some((row) =>
        row.status === "loading" && row.staging === staging
      );
      if (!isOwned) this.discard(staging);
    }
  }

  #run(effect: Work, nowMs: number): Result | undefined {
    switch (effect.kind) {
      case "find":
      case "claim":
      case "reassign":
      case "abandon": {
        const { entry: { name }, token } = effect;
        return { kind: "asked", name, token, asked: this.#ask(effect) };
      }
      case "find-id": {
        const { ticket, id } = effect;
        const row = [...this.rows.values()].find((row) =>
          row.id === id && row.status !== "evicting"
        );
        return { kind: "found-id", ticket, ...row && { row } };
      }
      case "complete": {
        const { entry: { name }, id, digest } = effect;
        const row = this.rows.get(name);
        if (row?.status === "ready" && row.id === undefined) {
          this.rows.set(name, { ...row, id, digest });
        }
        return undefined;
      }
      case "probe": {
        const { name, token, staging } = effect;
        const file = this.staged.get(staging);
        const changed = file && { changedAgoMs: nowMs - file.changedMs };
        return { kind: "probed", name, token, ...changed };
      }
      case "used":
        return undefined;
      case "read":
      case "verify":
        return this.#look(effect);
      case "evict": {
        const { entry: { name }, token, id } = effect;
        const row = this.rows.get(name);
        // Somebody else's value is not taken away.
        if (row?.status === "ready" && row.id !== id) return failed(effect);
        this.blobs.delete(name);
        this.rows.delete(name);
        return { kind: "evicted", name, token };
      }
      case "sweep": {
        const { name, token } = effect;
        this.blobs.delete(name);
        return { kind: "evicted", name, token };
      }
      default:
        return this.#publish(effect, nowMs);
    }
  }

  #ask(effect: Question): Asked {
    const { entry } = effect;
    const row = this.rows.get(entry.name);
    if (effect.kind === "find") {
      return row ? { kind: "row", row } : { kind: "none" };
    }
    if (effect.kind === "claim") {
      if (row) return { kind: "row", row };
    } else {
      const from = effect.kind === "reassign" ? effect.from : effect.id;
      if (!row) return { kind: "none" };
      if (row.status !== "loading" || row.id !== from) {
        return { kind: "row", row };
      }
    }
    if (effect.kind === "abandon") {
      this.rows.delete(entry.name);
      return { kind: "none" };
    }
    const { assignment } = effect;
    this.rows.set(entry.name, { ...entry, status: "loading", ...assignment });
    return { kind: "assigned" };
  }

  #look(effect: Of<"read" | "verify">): Result {
    const { entry: { name }, token } = effect;
    const bytes = this.blobs.get(name);
    const isWrong = effect.digest && effect.digest.sha256 !== bytes;
    if (bytes === undefined || isWrong) return { kind: "damaged", name, token };
    if (effect.kind === "read") {
      return { kind: "read", name, token, value: unhex(bytes) };
    }
    const { digest, stamp } = describe(bytes);
    const handed = effect.hand && { handed: true } as const;
    return { kind: "verified", name, token, digest, stamp, ...handed };
  }

  #publish(effect: Step, nowMs: number): Result {
    const { token } = effect;
    const name = nameOf(effect) ?? "";
    const row = this.rows.get(name);
    switch (effect.kind) {
      case "put": {
        const bytes = hex(effect.value);
        this.blobs.set(name, bytes);
        return { kind: "stored", name, token, ...describe(bytes) };
      }
      case "capture": {
        const { staging, again = false } = effect;
        const file = again ? undefined : this.staged.get(staging);
        if (file) {
          this.discard(staging);
          if (file.bytes === undefined) return unpublished(effect, "no-file");
          this.captured.set(staging, file.bytes);
        }
        const bytes = this.captured.get(staging);
        if (bytes === undefined) return missing(effect);
        const { digest } = describe(bytes);
        const { size } = digest;
        if (size > effect.mostBytes) {
          this.captured.delete(staging);
          if (!this.staged.has(staging)) {
            this.staged.set(staging, { changedMs: nowMs, bytes });
          }
          return { kind: "captured", name, token, size, givenBack: true };
        }
        const hashed = size < 3 && { digest };
        return { kind: "captured", name, token, size, ...hashed };
      }
      case "hash": {
        const { digest } = describe(this.captured.get(effect.staging)!);
        return { kind: "hashed", name, token, digest };
      }
      case "install": {
        const bytes = this.captured.get(effect.staging)!;
        this.captured.delete(effect.staging);
        this.blobs.set(name, bytes);
        const { stamp } = describe(bytes);
        return { kind: "installed", name, token, stamp };
      }
      case "record":
      case "persist": {
        const { id, digest } = effect;
        if (row?.status !== "loading" || row.id !== id) {
          return unpublished(effect, "invalid-assignment-id");
        }
        if (effect.kind === "record") {
          this.rows.set(name, { ...row, digest });
          return { kind: "recorded", name, token };
        }
        const { namespace, key, owner } = row;
        this.rows.set(name, {
          ...{ name, namespace, key, status: "ready", id, digest },
          ...owner !== undefined && { owner },
        });
        return { kind: "persisted", name, token };
      }
    }
  }
}

/** Which entry it is about; looking an id up is about none. */
function nameOf(effect: Work): string | undefined {
  if (effect.kind === "find-id") return undefined;
  return "name" in effect ? effect.name : effect.entry.name;
}

/** What is told of an effect that failed. */
function failed(effect: Work): Result | undefined {
  switch (effect.kind) {
    case "used":
    case "complete":
      return undefined;
    case "find-id": {
      const { ticket } = effect;
      return { kind: "found-id", ticket, error: fail("manifest-failed") };
    }
    case "probe":
      return { kind: "probed", name: effect.name, token: effect.token };
  }
  const { token } = effect;
  const name = nameOf(effect) ?? "";
  switch (effect.kind) {
    case "find":
    case "claim":
    case "reassign":
    case "abandon": {
      const asked = { kind: "failed", error: fail("manifest-failed") } as const;
      return { kind: "asked", name, token, asked };
    }
    case "read":
    case "verify":
      return { kind: "unreadable", name, token, error: fail("storage-failed") };
    case "evict":
    case "sweep":
      return { kind: "evicted", name, token, error: fail("storage-failed") };
    default:
      return unpublished(effect, "storage-failed");
  }
}

/** What is told of a step of publishing that failed. */
function unpublished(
  effect: Step,
  code: ErrorCode,
): Result & { kind: "publish-failed" } {
  const { token } = effect;
  const name = nameOf(effect) ?? "";
  const isLost = code === "invalid-assignment-id" && { lost: true };
  return { kind: "publish-failed", name, token, error: fail(code), ...isLost };
}

/** What is told of a file that is not there. */
function missing(effect: Step): Result {
  return { ...unpublished(effect, "no-file"), missing: true };
}

function fail(code: ErrorCode): LarderError {
  return new LarderError(code, `Injected: ${code}`);
}

function describe(bytes: string): {
  digest: Digest;
  stamp: { size: number; mtimeMs: number; ino: string };
} {
  const size = bytes.length / 2;
  return {
    digest: { size, sha256: bytes },
    stamp: { size, mtimeMs: 0, ino: bytes },
  };
}

/** What an offer says of its bytes. */
export function digestOf(bytes: string): Digest {
  return describe(bytes).digest;
}

/** Bytes as text, so that they compare. */
export function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/** The bytes that the text stands for. */
export function unhex(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}
