/**
 * The ready entries that the bench reads: the server is seeded with them, the
 * floor answers by their namespaces.
 *
 * @module
 */

/** A ready entry. */
export interface Entry {
  /** Names the entry to the floor as well. */
  readonly namespace: string;
  /** The same for all. */
  readonly key: string;
  /** Of the value, in bytes. */
  readonly size: number;
}

/** The small value. */
export const HIT_1_KIB: Entry = {
  namespace: "hit_1_kib",
  key: "hit",
  size: 1_024,
};
/** The large value. */
export const HIT_1_MIB: Entry = {
  namespace: "hit_1_mib",
  key: "hit",
  size: 1_048_576,
};
