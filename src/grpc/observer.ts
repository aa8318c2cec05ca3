/**
 * Who is told how calls ended: for metrics, and a log of them.
 *
 * @module
 */

import type { StatusCode } from "./status.ts";

/** Which call it was: the number of its stream, on a connection. */
export interface CallPlace {
  readonly id: number;
  readonly connection: { readonly peer: string };
}

/** Is told of the calls of a method; it only counts, and throws nothing. */
export interface MethodObserver {
  /**
   * Its head has come: name, value, name, value … `ended` will follow. Absent
   * where nobody wants to know.
   */
  began?(fields: readonly string[], place: CallPlace): void;
  /** Answered with a status, or ended without one; how long after its head came. */
  ended(code: StatusCode, tookMs: number, place: CallPlace): void;
}

/** Gives the observer of a method by its path; empty: of calls that name none. */
export type Observe = (path: string) => MethodObserver;
