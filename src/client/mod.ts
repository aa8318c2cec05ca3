/**
 * The client library: computes a value once, on whichever machine asks first.
 *
 * @module
 */

export type {
  Body,
  CallOptions,
  Entry,
  FetchRequest,
  Holder,
} from "./backend.ts";
export { Cache, type ConnectOptions } from "./cache.ts";
export type { SecurityOptions } from "./security.ts";
export { CacheBase } from "./cache_base.ts";
export type {
  Deleted,
  Removed,
  Selection,
  StoredEntry,
  TierCatalog,
} from "./catalog.ts";
export { CatalogBase, type InvalidateOptions } from "./catalog_base.ts";
export { CacheError, type CacheErrorCode } from "./cache_error.ts";
export type {
  ClaimOptions,
  Compute,
  Generated,
  GenerateOptions,
  GetOptions,
  ProduceOptions,
  SetOptions,
  TransferOptions,
  WriteOptions,
} from "./call_options.ts";
export type { Bounds } from "./call_signal.ts";
export * from "./codecs/mod.ts";
export {
  canonicalJson,
  flexbuffersKey,
  keyBytes,
  type KeyInput,
  type KeyObject,
} from "./keys.ts";
export { memory, type MemoryOptions } from "./memory_tier.ts";
export { StoredError } from "./stored_error.ts";
export type {
  Claim,
  Held,
  OnOutage,
  Origin,
  Outage,
  PublishOptions,
  Tier,
} from "./tier.ts";
export { TieredCache, type TieredOptions } from "./tiered_cache.ts";
export type {
  OnceReadable,
  OnProgress,
  Progress,
  Source,
  TransferEvents,
} from "./transfer.ts";
