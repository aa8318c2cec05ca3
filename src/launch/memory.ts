/**
 * How the memory of the confined server is managed: what its two allocators are
 * told so that garbage goes back to the system.
 *
 * @module
 */

import type { Config } from "../config.ts";

/**
 * What the C library's allocator is told. By default it keeps an arena for each
 * thread and, once a large block was freed, cuts all that is smaller from the
 * arenas: keys and values between small objects leave holes, and memory creeps up
 * for hours. With these, all from 32 KiB on is mapped, and given back. Lists and
 * long keys that nobody reads take 60 MB less so; a hit of 1 MiB takes as long.
 */
export const CONFINED_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "32768",
  MALLOC_TRIM_THRESHOLD_: "262144",
};

/**
 * Megabytes of each V8 heap. What lives there is bounded, and small: some 30 MB
 * under load. A heap that may have 1,024 MB or more is let grow to four times
 * what lives before it is collected, a smaller one to twice that; and buffers
 * that are dead, which are no part of the heap, are freed only then.
 */
const MAX_HEAP_MB = 1_000;
/** Connections for which that suffices by far: some 15 KB of heap each. */
const CONNECTIONS_PER_MB = 20;
/**
 * Of young objects, of each heap: by default they take 60 MB before anything is
 * collected. With 8 instead of 4, 8,000 long keys cost 20 MB more, and nothing is
 * faster.
 */
const MAX_YOUNG_MB = 4;

/** The flag of `deno run` that says how V8 manages its heaps. */
export function heapFlag({ maxConnections }: Config): string {
  const maxHeapMb = Math.max(
    MAX_HEAP_MB,
    Math.ceil(maxConnections / CONNECTIONS_PER_MB),
  );
  return `--v8-flags=--max-old-space-size=${maxHeapMb},` +
    `--max-semi-space-size=${MAX_YOUNG_MB}`;
}
