/**
 * Who may see what a server tells of itself by HTTP.
 *
 * @module
 */

import type { Access, Door } from "./access.ts";

/** What is known of a request. */
export interface Looking {
  /** The header, if there is one. */
  readonly authorization: string | undefined;
  /** The address of the client. */
  readonly client: string;
}

/** Somebody who may, for as long as `mayWatch` says so; or why they may not. */
export type Watcher = { readonly mayWatch: boolean } | {
  readonly status: 401 | 403;
  readonly why: string;
};

/** Says who asks at a listener. */
export function watchersBy(
  access: Access,
  door: Door,
): (looking: Looking) => Watcher {
  return ({ authorization, client }) => {
    const caller = access.whoIs(door, authorization, [], client);
    if (typeof caller === "string") return { status: 401, why: caller };
    if (caller.mayWatch) return caller;
    return caller.name === undefined
      ? { status: 401, why: "this needs a token, and there is none" }
      : { status: 403, why: "the token has no right to watch" };
  };
}
