/**
 * How the heaps of the confined server are managed, so that garbage goes back to
 * the system.
 *
 * @module
 */

import type { Config } from "../config.ts";

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
