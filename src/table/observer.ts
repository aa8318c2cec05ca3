/**
 * Who is told what became of requests: for metrics.
 *
 * @module
 */

import type { UnassignedReason } from "./types.ts";

/** Is told as it happens; it only counts, and throws nothing. */
export interface TableObserver {
  /** A Get has found a value, whose computing had taken so long. */
  found(namespace: string, savedMs: number): void;
  /** A Get has found none: it got the work, or nothing, for a reason. */
  missed(namespace: string, got: UnassignedReason | "work" | undefined): void;
  /** A Get that was told of somebody's work has been answered after this time. */
  waited(ms: number): void;
  /** A value has been published. */
  published(namespace: string, bytes: number): void;
  /** Work is nobody's any more: given back, or wanted after its lease had ended. */
  ended(how: "abandoned" | "expired"): void;
}
