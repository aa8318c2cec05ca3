/**
 * What the stores show to whoever watches a run.
 *
 * @module
 */

/** A store operation that is under way. */
export interface Underway {
  /** Its method. */
  readonly kind: string;
  /** The entry's name, a staging name or an id; empty where it is about none. */
  readonly about: string;
}

/** Watches the stores of one process. */
export interface Observer {
  /** Which process: 1 is the first. */
  readonly process: number;
  /** An operation is called; it may be refused. */
  called(operation: Underway): void;
  /** It was not. */
  began(operation: Underway): void;
  /** It is about to answer. */
  ended(operation: Underway): void;
  /** Something may have changed on the disk. */
  changed(): void;
  /** A sync of this file failed: whoever wrote it has to write it again. */
  unsynced(path: string): void;
  /** The engine is told when a staging file changed. */
  probed(staging: string, changedMs: number): void;
}
