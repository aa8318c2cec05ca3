/**
 * What a server counts when somebody wants to know: nothing where nobody does.
 *
 * @module
 */

import { CallTallies } from "./call_tallies.ts";
import { NamespaceTallies } from "./namespace_tallies.ts";
import type { Counted } from "./server_metrics.ts";
import { Times } from "./times.ts";

/** Counts from the first call on. */
export class Observation implements Counted {
  readonly calls: CallTallies = new CallTallies();
  readonly namespaces: NamespaceTallies;
  readonly refusals = new Map([
    ["manyCalls", 0],
    ["unfinished", 0],
    ["callerCalls", 0],
    ["callerUpload", 0],
  ]);
  readonly handshakes: Map<string, number>;
  readonly blobTimes: Times = new Times();
  readonly manifestTimes: Times = new Times();

  /** Each quota is a label, and each reason to end a handshake. */
  constructor(
    quotas: readonly { readonly pattern: string }[],
    handshakes: readonly string[] = [],
  ) {
    this.handshakes = new Map(handshakes.map((reason) => [reason, 0]));
    this.namespaces = new NamespaceTallies(
      quotas.map(({ pattern }) => pattern),
    );
  }

  /** A call was refused by a limit. */
  readonly onRefused = (limit: string): void => {
    this.refusals.set(limit, (this.refusals.get(limit) ?? 0) + 1);
  };

  /** A client was not let in by TLS. */
  readonly onRefusedHandshake = (reason: string): void => {
    this.handshakes.set(reason, (this.handshakes.get(reason) ?? 0) + 1);
  };
}
