/**
 * What `larder.v1.Cache` is made of beside the engine.
 *
 * @module
 */

import type { Budget } from "../engine/admission.ts";
import type { Catalog } from "../engine/catalog.ts";
import type { Pieces } from "../engine/pieces.ts";
import type { Uploads } from "../engine/uploads.ts";
import { LarderError } from "../errors.ts";
import type { Log } from "../log/log.ts";

/** What the service needs to know beside the engine. */
export interface CacheServiceOptions {
  /** What assigned clients are told. */
  readonly heartbeatIntervalMs: number;
  /** Where things lie; absent where clients are on other machines. */
  readonly paths?: Paths;
  /** For replies that are no values. */
  readonly budget: Budget;
  readonly pieces: Pieces;
  readonly uploads: Uploads;
  readonly catalog: Catalog;
  /** Of the server. */
  readonly version: string;
  /** Takes what is for the log. */
  readonly log: Log;
}

/** Where things lie, absolute. */
export interface Paths {
  /** A published blob. */
  readonly path: (name: string) => string;
  /** A staging file. */
  readonly stagingPath: (staging: string) => string;
}

/** What only a client on the same machine can be given. */
export function localPaths({ paths }: CacheServiceOptions): Paths {
  if (paths) return paths;
  const message = "this is the server's remote listener, which hands over " +
    "bytes and no paths: give its address as remote, or that of the local " +
    "listener as local";
  throw new LarderError("not-local", message);
}
