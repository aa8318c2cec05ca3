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
  readonly refusals: Map<string, number>;
  readonly handshakes: Map<string, number>;
  readonly blobTimes: Times = new Times();
  readonly manifestTimes: Times = new Times();

  /** Each quota is a label, each limit of calls, and each reason to end a handshake. */
  constructor({ quotas, refusals, handshakes }: {
    readonly quotas: readonly { readonly pattern: string }[];
    readonly refusals: readonly string[];
    readonly handshakes: readonly string[];
  }) {
    this.refusals = zeros(refusals);
    this.handshakes = zeros(handshakes);
    this.namespaces = new NamespaceTallies(
      quotas.map(({ pattern }) => pattern),
    );
  }

  /** A call was refused by a limit. */
  readonly onRefused = (limit: string): void => count(this.refusals, limit);

  /** A client was not let in by TLS. */
  readonly onRefusedHandshake = (reason: string): void =>
    count(this.handshakes, reason);
}

/** Each is there from the beginning, so that rates are right. */
function zeros(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name) => [name, 0]));
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
