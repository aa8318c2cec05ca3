/**
 * Ready entries in the order of their age.
 *
 * @module
 */

import type { AgedEntry, Manifest } from "../manifest/manifest.ts";
import { covers, EVERYTHING } from "../table/scope.ts";

/** Entries that are fetched at once: half a millisecond of the manifest's time. */
const MAX_PAGE = 256;
/** Bytes of keys that are held, of all namespaces together. */
const MAX_HELD_KEY_BYTES = 8 * 1024 * 1024;
/**
 * Of so many namespaces each is asked by itself, at the price of a question and
 * a page for each; of more all entries are looked through, in one order.
 */
const MAX_ASKED = 64;

/** Which entries. */
export interface OldestFirstOptions {
  /** Whose: `*`, `a.b.*` or a namespace. */
  readonly pattern: string;
  /** Leaves out what was handed out at or after this time of the wall clock. */
  readonly handedBeforeMs?: number;
}

interface Source {
  readonly pattern: string;
  page: readonly AgedEntry[];
  at: number;
  /** Of the next page; absent after the last. */
  cursor?: string;
  isLast: boolean;
}

/** Yields the least recently used entries first; those that were removed meanwhile, too. */
export async function* oldestFirst(
  manifest: Pick<Manifest, "usage" | "oldest">,
  { pattern, handedBeforeMs }: OldestFirstOptions,
): AsyncGenerator<AgedEntry> {
  const patterns = await askedFor(manifest, pattern);
  const options = {
    limit: MAX_PAGE,
    keyBytes: Math.floor(MAX_HELD_KEY_BYTES / patterns.length),
    ...handedBeforeMs !== undefined && { handedBeforeMs },
  };
  async function fill(source: Source): Promise<void> {
    while (source.at >= source.page.length && !source.isLast) {
      const { items, cursor } = await manifest.oldest(source.pattern, {
        ...options,
        ...source.cursor !== undefined && { cursor: source.cursor },
      });
      source.page = items;
      source.at = 0;
      source.isLast = cursor === undefined;
      if (cursor !== undefined) source.cursor = cursor;
    }
  }

  const sources = patterns.map((pattern): Source => ({
    ...{ pattern, page: [], at: 0, isLast: false },
  }));
  await Promise.all(sources.map(fill));
  for (;;) {
    let oldest: Source | undefined;
    for (const source of sources) {
      const head = source.page[source.at];
      if (!head) continue;
      const best = oldest?.page[oldest.at];
      if (!best || head.accessedMs < best.accessedMs) oldest = source;
    }
    if (!oldest) return;
    yield oldest.page[oldest.at++]!;
    await fill(oldest);
  }
}

/**
 * What is asked for, one question each: a few namespaces may have few entries
 * among very many, which need not be looked through for them.
 */
async function askedFor(
  manifest: Pick<Manifest, "usage">,
  pattern: string,
): Promise<readonly string[]> {
  if (pattern === EVERYTHING || !pattern.endsWith(".*")) return [pattern];
  const covered = (await manifest.usage()).filter(({ namespace }) =>
    covers(pattern, namespace)
  );
  if (covered.length > MAX_ASKED) return [pattern];
  return covered.map(({ namespace }) => namespace);
}
