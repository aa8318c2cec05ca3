/**
 * Ready entries of many namespaces in one order of age.
 *
 * @module
 */

import type { AgedEntry, Manifest } from "../manifest/manifest.ts";

/** Entries of one namespace that are fetched at once, … */
const MAX_PAGE = 64;
/** … and of all of them together: of very many namespaces one each. */
const MAX_HELD = 16_384;
/** Questions that are asked at once: the manifest's queue is for everybody. */
const QUESTIONS_AT_ONCE = 256;

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
        limit,
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
  const limit = Math.max(
    1,
    Math.min(MAX_PAGE, Math.floor(MAX_HELD / sources.length)),
  );
  for (let at = 0; at < sources.length; at += QUESTIONS_AT_ONCE) {
    const some = sources.slice(at, at + QUESTIONS_AT_ONCE);
    await Promise.all(some.map((source) => fill(source, true)));
  }
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
