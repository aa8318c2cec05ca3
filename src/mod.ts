/**
 * Larder: a cache server for expensive, repeatable computations.
 *
 * @module
 */

export {
  BlobError,
  type BlobErrorCode,
  type BlobStore,
  type CapturedFile,
  type Leftovers,
  type LocalFiles,
  type Measured,
  type Range,
  type Space,
  type Stored,
} from "./blobs/blob_store.ts";
export * from "./client/mod.ts";
export { type Clock, FakeClock, systemClock, type Timer } from "./clock.ts";
export { type ErrorCode, LarderError, StartError } from "./errors.ts";
export type { Log, LogFacts, LogFormat, LogLevel } from "./log/log.ts";
export * from "./manifest/manifest.ts";
export type { TableObserver } from "./table/observer.ts";
export type * from "./table/types.ts";
