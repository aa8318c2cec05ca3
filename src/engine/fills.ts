/**
 * How far the limits of a server are filled.
 *
 * @module
 */

import type { Space } from "../blobs/blob_store.ts";
import { MAX_ASSIGNMENTS, MAX_HANDLES, MAX_SHOWN_FILLS } from "../limits.ts";
import type { TableCounts } from "../table/state_table.ts";
import type { FilledQuota } from "../table/room.ts";
import type { Quota } from "../table/types.ts";

/** A limit, and how far it is filled. */
export interface Fill {
  /** The flag that sets it, or what it is of. */
  readonly limit: string;
  readonly used: number;
  readonly most: number;
  /** Otherwise it is a number of things. */
  readonly isBytes: boolean;
}

/** What there are limits of. */
export interface Filled {
  readonly kept: { readonly bytes: number; readonly entries: number };
  readonly limits: Pick<Quota, "maxBytes" | "maxEntries">;
  readonly quotas: readonly FilledQuota[];
  readonly space: Space | undefined;
  readonly counts: Pick<TableCounts, "loading" | "publishing" | "handles">;
  /** More of them, which others know. */
  readonly others: readonly Fill[];
}

/** A limit of bytes. */
export function bytesFill(limit: string, used: number, most: number): Fill {
  return { limit, used, most, isBytes: true };
}

/** A limit of a number of things. */
export function countFill(limit: string, used: number, most: number): Fill {
  return { limit, used, most, isBytes: false };
}

/** The limits that there are, a bounded number of them. */
export function fillsOf(filled: Filled): Fill[] {
  const { kept, limits: { maxBytes, maxEntries }, space, counts } = filled;
  const fills = [
    ...maxBytes === undefined
      ? []
      : [bytesFill("--max-bytes", kept.bytes, maxBytes)],
    ...maxEntries === undefined
      ? []
      : [countFill("--max-entries", kept.entries, maxEntries)],
    ...space === undefined ? [] : [
      bytesFill(
        "the root's disk",
        space.totalBytes - space.freeBytes,
        space.totalBytes,
      ),
    ],
    ...filled.others,
    countFill(
      "assignments",
      counts.loading + counts.publishing,
      MAX_ASSIGNMENTS,
    ),
    countFill("handles", counts.handles, MAX_HANDLES),
    ...filled.quotas.flatMap(({ pattern, maxBytes, usedBytes }) =>
      maxBytes === undefined
        ? []
        : [bytesFill(`quota of ${pattern}`, usedBytes, maxBytes)]
    ),
  ];
  return fills.slice(0, MAX_SHOWN_FILLS);
}
