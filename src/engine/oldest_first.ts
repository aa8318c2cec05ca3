/**
 * Ready entries of many namespaces in one order of age.
 *
 * @module
 */

import type { AgedEntry, Manifest } from "../manifest/manifest.ts";

/** Entries of one namespace that are fetched at once: few, as there may be many namespaces. */
const PAGE = 64;

/** Which entries. */
export interface OldestFirstOptions {
  /** Whether those of a namespace are wanted. */
  readonly covered: (namespace: string) => boolean;
  /** Leaves out what was handed out at or after this time of the wall clock. */
  readonly handedBeforeMs?: number;
}

interface Source {
  readonly namespace: string;
  page: readonly AgedEntry[];
  at: number;
  cursor: string | undefined;
}

/** Yields the least recently used entries first; those that were removed meanwhile, too. */
export async function* oldestFirst(
  manifest: Pick<Manifest, "usage" | "oldest">,
  { covered, handedBeforeMs }: OldestFirstOptions,
): AsyncGenerator<AgedEntry> {
  async function fill(source: Source, isFirst: boolean): Promise<void> {
    while (source.at >= source.page.length) {
      if (!isFirst && source.cursor === undefined) return;
      isFirst = false;
      const { items, cursor } = await manifest.oldest(source.namespace, {
        limit: PAGE,
        ...handedBeforeMs !== undefined && { handedBeforeMs },
        ...source.cursor !== undefined && { cursor: source.cursor },
      });
      source.page = items;
      source.at = 0;
      source.cursor = cursor;
    }
  }

  const sources = (await manifest.usage())
    .filter(({ namespace }) => covered(namespace))
    .map(({ namespace }): Source => ({
      namespace,
      page: [],
      at: 0,
      cursor: undefined,
    }));
  await Promise.all(sources.map((source) => fill(source, true)));
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
    await fill(oldest, false);
  }
}
