/**
 * What is kept, for people and their tools: looked up in the manifest, changed
 * through the engine.
 *
 * @module
 */

import type { BlobStore, Space } from "../blobs/blob_store.ts";
import type { Clock } from "../clock.ts";
import { invalidRequest, LarderError, messageOf } from "../errors.ts";
import type { Log, LogFacts } from "../log/log.ts";
import { formatEntry } from "../key_text.ts";
import {
  MAX_LISTED_BYTES,
  MAX_LISTED_ENTRIES,
  MAX_SHOWN_WORK,
} from "../limits.ts";
import type {
  EntryInfo as KeptInfo,
  Manifest,
  Page,
  PageOptions,
} from "../manifest/manifest.ts";
import type { TableCounts } from "../table/state_table.ts";
import type { EntryKey, NamespaceUsage, Quota } from "../table/types.ts";
import type { UnderWay } from "../table/under_way.ts";
import type { Engine } from "./engine.ts";
import { entryKey } from "./entry_key.ts";
import type { Evictor, EvictorStats } from "./evictor.ts";
import type { Known } from "./known.ts";
import { removeEmptyFolder } from "./empty_folders.ts";
import { troubleOf } from "./trouble.ts";
import { Removal, type Removed, type Selection } from "./removal.ts";

/** An entry, for people. */
export interface EntryInfo extends Omit<KeptInfo, "status"> {
  /** `expired`: nobody computes it any more, and nobody has taken it over. */
  readonly status: KeptInfo["status"] | "expired";
}

/** What a catalog looks into. */
export interface CatalogOptions {
  readonly engine: Engine;
  readonly manifest: Pick<Manifest, "stat" | "list" | "usagePage" | "trouble">;
  /** The folder that is served. */
  readonly root: string;
  readonly blobs: Pick<BlobStore, "removeEmpty" | "trouble">;
  /** How full the root's disk is. */
  readonly space: Known<Space | undefined>;
  /** What may be kept in all; absent: any number. */
  readonly limits: Pick<Quota, "maxBytes" | "maxEntries">;
  readonly evictor: Pick<Evictor, "sweep" | "stats">;
  readonly clock: Clock;
  /** Values that were found damaged since the start. */
  readonly damaged: () => number;
  /** Takes what is for the log. */
  readonly warn: Log;
}

/** Which page of a listing. */
export interface ListedPage {
  /** At most so many; 0: as many as there may be. */
  readonly pageSize: number;
  /** Of the page before; empty: the first one. */
  readonly token: string;
}

/** What a server is doing, and has done since the start. */
export interface Doings {
  /** In memory. */
  readonly counts: TableCounts;
  /** Taken away since the start. */
  readonly evicted: EvictorStats;
  /** Found damaged since the start. */
  readonly damaged: number;
}

/** What is kept, and what the server is doing. */
export interface Totals extends Doings {
  /** A page of them, in order of their names. */
  readonly namespaces: Page<NamespaceUsage>;
}

/** What a server is doing, on one screen. */
export interface ServerStatus extends Doings {
  /** Since when it serves. */
  readonly upMs: number;
  /** What is ready, in all. */
  readonly kept: { readonly bytes: number; readonly entries: number };
  /** What may be. */
  readonly limits: Pick<Quota, "maxBytes" | "maxEntries">;
  /** On the disk; absent where that is not known. */
  readonly space?: Space;
  /** The work that takes longest. */
  readonly underWay: readonly UnderWay[];
  /** Why no values can be kept now. */
  readonly trouble?: string;
}

/** A SHA-256 in bytes. */
const DIGEST_BYTES = 32;

/** A cursor, in hex; anything else would fail in the manifest's worker. */
const TOKEN = /^([0-9a-f]{2})*$/;

/** Looks entries up; every failure is a `LarderError`. */
export class Catalog {
  readonly #options: CatalogOptions;
  readonly #startMs: number;

  /** Holds nothing itself. */
  constructor(options: CatalogOptions) {
    this.#options = options;
    this.#startMs = options.clock.nowMs();
  }

  /** One entry; `not-found` where there is none. */
  async stat(namespace: string, key: Uint8Array): Promise<EntryInfo> {
    const entry = entryKey(namespace, key);
    const info = await this.#logged(this.#options.manifest.stat(entry), entry);
    if (info && !this.#isOver(info)) return this.#shown(info);
    throw new LarderError(
      "not-found",
      `there is no entry ${formatEntry(entry)}`,
    );
  }

  /** A page of a namespace's entries, by key. */
  async list(
    namespace: string,
    listed: ListedPage,
  ): Promise<Page<EntryInfo>> {
    entryKey(namespace, new Uint8Array());
    const { limit, ...cursor } = pageOptions(listed);
    const { manifest } = this.#options;
    const page = await this.#logged(
      manifest.list(namespace, { limit, ...cursor }),
      { namespace },
    );
    const bytes = page.items.reduce((sum, { key }) => sum + key.length, 0);
    if (bytes <= MAX_LISTED_BYTES) return this.#shownPage(page);
    const share = MAX_LISTED_BYTES / bytes;
    const fewer = Math.max(1, Math.floor(page.items.length * share));
    return this.#shownPage(
      await this.#logged(
        manifest.list(namespace, { limit: fewer, ...cursor }),
        { namespace },
      ),
    );
  }

  #shownPage(page: Page<KeptInfo>): Page<EntryInfo> {
    const items = page.items.filter((info) => !this.#isOver(info));
    return { ...page, items: items.map((info) => this.#shown(info)) };
  }

  /** It is as good as absent, until the evictor comes by. */
  #isOver({ status, expiresMs = Infinity }: KeptInfo): boolean {
    return status === "ready" && expiresMs <= this.#options.clock.wallMs();
  }

  /** The client hears that it failed, the log why. */
  async #logged<T>(work: Promise<T>, facts: LogFacts = {}): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      const cause = thrown instanceof LarderError ? thrown.cause : undefined;
      this.#options.warn(
        `a look-up failed: ${messageOf(cause ?? thrown)}`,
        facts,
      );
      throw thrown;
    }
  }

  /** The manifest does not know which leases are alive. */
  #shown(info: KeptInfo): EntryInfo {
    const isExpired = info.status === "loading" &&
      !this.#options.engine.isLive(info.name);
    return isExpired ? { ...info, status: "expired" } : info;
  }

  /**
   * What is kept, and what the server is doing.
   *
   * @param listed Which page.
   * @param isShown Whether the caller may see a namespace.
   */
  async totals(
    listed: ListedPage,
    isShown: (namespace: string) => boolean,
  ): Promise<Totals> {
    const namespaces = await this.#logged(this.#usage(listed, isShown));
    return { namespaces, ...this.#doings() };
  }

  /** A cursor is the name of a namespace: it has to be one that is shown. */
  async #usage(
    listed: ListedPage,
    isShown: (namespace: string) => boolean,
  ): Promise<Page<NamespaceUsage>> {
    const { limit, cursor } = pageOptions(listed);
    let after = cursor === undefined ? undefined : textOfHex(cursor);
    const items: NamespaceUsage[] = [];
    for (;;) {
      const page = await this.#options.manifest.usagePage({
        limit: MAX_LISTED_ENTRIES,
        ...after !== undefined && { cursor: after },
      });
      for (const usage of page.items) {
        if (!isShown(usage.namespace)) continue;
        items.push(usage);
        if (items.length < limit) continue;
        return { items, cursor: hexOfText(usage.namespace) };
      }
      after = page.cursor;
      if (after === undefined) return { items };
    }
  }

  #doings(): Doings {
    const { engine, evictor, damaged } = this.#options;
    return {
      counts: engine.counts(),
      evicted: evictor.stats,
      damaged: damaged(),
    };
  }

  /**
   * Takes an entry away, if it has this digest, where one is given; says whether
   * there was one. `in-use` while it is.
   */
  async delete(
    namespace: string,
    key: Uint8Array,
    digest: Uint8Array,
  ): Promise<boolean> {
    const entry: EntryKey = entryKey(namespace, key);
    if (digest.length !== 0 && digest.length !== DIGEST_BYTES) {
      throw invalidRequest(`a SHA-256 has ${DIGEST_BYTES} bytes`);
    }
    const { engine } = this.#options;
    const sha256 = new Uint8Array(digest).toHex();
    const reply = await engine.ask(
      sha256 === ""
        ? { kind: "evict", entry }
        : { kind: "evict", entry, sha256 },
    );
    if (reply.kind === "error") throw reply.error;
    if (reply.kind !== "ok") return false;
    await removeEmptyFolder(namespace, this.#options);
    return true;
  }

  /** What the server is doing. */
  async status(): Promise<ServerStatus> {
    const { engine, clock, limits } = this.#options;
    await this.#options.space.refresh();
    const trouble = troubleOf(this.#options);
    const { current: space } = this.#options.space;
    return {
      upMs: clock.nowMs() - this.#startMs,
      kept: engine.kept,
      limits,
      ...space && { space },
      ...this.#doings(),
      underWay: engine.underWay(MAX_SHOWN_WORK),
      ...trouble !== undefined && { trouble },
    };
  }

  /** Takes away a page of what is meant of a namespace. */
  async remove(
    namespace: string,
    selection: Selection,
    { token, dryRun }: { readonly token: string; readonly dryRun: boolean },
  ): Promise<Removed> {
    entryKey(namespace, new Uint8Array());
    const page = pageOptions({ pageSize: 0, token });
    const removal = new Removal(this.#options);
    return await this.#logged(
      removal.page(namespace, selection, { ...page, dryRun }),
    );
  }

  /** Takes away what has to go, now. */
  sweep(): Promise<EvictorStats> {
    return this.#options.evictor.sweep();
  }
}

function pageOptions({ pageSize, token }: ListedPage): PageOptions {
  const most = MAX_LISTED_ENTRIES;
  if (pageSize > most) {
    throw invalidRequest(`a page has ${most} entries at most, not ${pageSize}`);
  }
  if (!TOKEN.test(token)) {
    throw invalidRequest("the page token is none of ours");
  }
  const limit = pageSize || most;
  return token === "" ? { limit } : { limit, cursor: token };
}

function hexOfText(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

function textOfHex(hex: string): string {
  return new TextDecoder().decode(Uint8Array.fromHex(hex));
}
