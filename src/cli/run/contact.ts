/**
 * Which of the server's addresses answer at all, found out at once: a command
 * that could have been run must not wait for one silence after another.
 *
 * @module
 */

import type { Entry } from "../../client/backend.ts";
import { asCacheError, CacheError } from "../../client/cache_error.ts";
import { Channel } from "../../client/channel.ts";
import { loadService } from "../../client/services.ts";
import { afterSilence } from "../../client/patience.ts";
import { messageOf, StartError } from "../../errors.ts";
import type { Addresses, Listener } from "../addresses.ts";
import { securityOf } from "../security.ts";
import { quicklyExplained } from "../who_answers.ts";

/** What all of them together are given. */
export const CONTACT_MS = 2_000;
/** Never reached: the silence comes first. */
const TIMEOUT_MS = 10_000;

/** A server that may answer. */
export interface Contact {
  /** Where it does; `undefined`: nowhere. */
  readonly addresses: Addresses | undefined;
  /** Why not, if it does not. */
  readonly reason: string;
}

/**
 * Asks all addresses at the same time. The local one is waited for, within the
 * time that all have: it hands over files.
 *
 * @param entry What is asked about; nothing changes by that.
 */
export async function contactOf(
  addresses: Addresses,
  entry: Entry,
  { signal, ms = CONTACT_MS }: {
    readonly signal: AbortSignal;
    /** For how long. */
    readonly ms?: number;
  },
): Promise<Contact> {
  const { local, remote } = addresses;
  const late = new AbortController();
  const stop = afterSilence(ms, () =>
    late.abort(
      new CacheError("unavailable", `no answer within ${CONTACT_MS / 1000} s`),
    ));
  const ended = AbortSignal.any([signal, late.signal]);
  const ask = (kind: Listener["kind"]) => {
    const address = addresses[kind];
    if (address === undefined) return undefined;
    return reasonAgainst({ kind, address }, entry, ended);
  };
  const tried = [ask("local"), ask("remote")];
  try {
    // Whether the other one answers matters only if this one is away.
    if (local !== undefined && await tried[0] === undefined) {
      return { addresses, reason: "" };
    }
    if (remote !== undefined && await tried[1] === undefined) {
      return { addresses: { remote }, reason: "" };
    }
    const reasons = [await tried[0], await tried[1]];
    const reason = reasons.filter((each) => each !== undefined).join("; ");
    return { addresses: undefined, reason };
  } finally {
    stop();
    late.abort();
  }
}

/** Why an address is none to talk to; `undefined`: something answers there. */
async function reasonAgainst(
  listener: Listener,
  entry: Entry,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { kind, address } = listener;
  let channel: Channel;
  try {
    channel = new Channel(address, securityOf(listener));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return `${address}: ${error.message}`;
  }
  const { Stat } = loadService("larder/v1/cache.proto", "larder.v1.Cache");
  try {
    await channel.unary(Stat!, entry, { signal, timeoutMs: TIMEOUT_MS });
    return undefined;
  } catch (thrown) {
    const error = asCacheError(thrown, address);
    // An original, and one that has no such entry, answer as well.
    if (error.code !== "unavailable") return undefined;
    const message = messageOf(
      await quicklyExplained(error, { [kind]: address }),
    );
    return message.includes(address) ? message : `${address}: ${message}`;
  } finally {
    channel.close();
  }
}
