/**
 * The messages of both services as JavaScript sees them. Ids are decimal
 * strings: a uint64 does not fit a number.
 *
 * @module
 */

/** `google.protobuf.Empty`. */
export type Empty = Record<string, never>;

/** `GetRequest` of both services. */
export interface GetRequest {
  readonly namespace: string;
  readonly key: Uint8Array;
  readonly assign: boolean;
}

/** `HeartbeatRequest`, `DoneRequest` and `DropRequest`. */
export interface IdRequest {
  readonly id: string;
}

/** `remote.SetRequest`. */
export interface SetRequest {
  readonly id: string;
  readonly value: Uint8Array;
}

/** `local.GetReply`: one of its fields. */
export type LocalGetReply =
  | { readonly unassigned: Empty }
  | {
    readonly assign: {
      readonly id: string;
      readonly path: string;
      readonly heartbeatIntervalMs: string;
    };
  }
  | { readonly loading: Empty }
  | { readonly ready: { readonly id: string; readonly path: string } };

/** `remote.GetReply`: one of its fields. */
export type RemoteGetReply =
  | { readonly unassigned: Empty }
  | {
    readonly assign: {
      readonly id: string;
      readonly heartbeatIntervalMs: string;
    };
  }
  | { readonly loading: Empty }
  | { readonly ready: Uint8Array };
