/**
 * The messages of `larder.v1.Cache` as JavaScript sees them. Every uint64 comes
 * as a decimal string: it does not fit a number. What leaves may be a number
 * where it does.
 *
 * @module
 */

/** `FetchRequest`. */
export interface FetchRequest {
  readonly namespace: string;
  readonly key: Uint8Array;
  readonly assign: boolean;
  readonly wait: boolean;
  readonly path: boolean;
  readonly offset: string;
  readonly length: string;
  readonly head: boolean;
  readonly fromDisk: boolean;
  readonly ttlMs: string;
}

/** `FetchReply`: one of its fields. */
export type FetchReply =
  | {
    readonly waiting: { readonly holder: string; readonly computingMs: number };
  }
  | {
    readonly assigned: {
      readonly id: string;
      readonly heartbeatIntervalMs: number;
      readonly path?: string;
    };
  }
  | { readonly unassigned: { readonly reason: string } }
  | {
    readonly ready: {
      readonly size: number;
      readonly sha256: Uint8Array;
      readonly handle?: string;
      readonly path?: string;
      readonly computedMs?: number;
      readonly ttlMs?: number;
      readonly value?: Uint8Array;
    };
  }
  | { readonly chunk: Uint8Array };

/** `FetchReply.chunk`. */
export const CHUNK_FIELD = 5;

/** `PublishBegin`. */
export interface PublishBegin {
  readonly id: string;
  readonly path: boolean;
  readonly expectedSize: string;
}

/** `PublishEnd`. */
export interface PublishEnd {
  readonly size: string;
  readonly sha256: Uint8Array;
}

/** `PublishRequest`: at most one of its fields. */
export interface PublishRequest {
  readonly begin?: PublishBegin;
  readonly chunk?: Uint8Array;
  readonly end?: PublishEnd;
}

/** `PublishValueRequest`. */
export interface PublishValueRequest {
  readonly id: string;
  readonly value: Uint8Array;
  readonly sha256: Uint8Array;
}

/** `PublishReply`. */
export interface PublishReply {
  readonly size: number;
  readonly sha256: Uint8Array;
}

/** `AbandonRequest`. */
export interface AbandonRequest {
  readonly id: string;
  readonly reason: string;
}

/** `ReleaseRequest`. */
export interface ReleaseRequest {
  readonly handle: string;
}

/** `StatRequest`. */
export interface EntryRequest {
  readonly namespace: string;
  readonly key: Uint8Array;
}

/** `DeleteRequest`. */
export interface DeleteRequest extends EntryRequest {
  readonly sha256: Uint8Array;
}

/** `RemoveRequest`. */
export interface RemoveRequest {
  readonly namespace: string;
  readonly prefix: Uint8Array;
  readonly olderThanMs: string;
  readonly unreadForMs: string;
  readonly dryRun: boolean;
  readonly pageToken: string;
}

/** `WatchRequest`. */
export interface WatchRequest {
  readonly intervalMs: number;
}

/** `UsageRequest`. */
export interface UsageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** `ListRequest`. */
export interface ListRequest extends UsageRequest {
  readonly namespace: string;
}

/** `EntryInfo.Status`, but for the one that never comes. */
export const STATUS = {
  loading: 1,
  ready: 2,
  evicting: 3,
  expired: 4,
} as const;

/** `EntryInfo`; what is not known is left out. */
export interface EntryInfoMessage extends EntryRequest {
  readonly status: number;
  readonly size?: number;
  readonly sha256?: Uint8Array;
  readonly createdMs?: number;
  readonly accessedMs?: number;
  readonly expiresMs?: number;
  readonly computedMs?: number;
}
