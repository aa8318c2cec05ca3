/**
 * What SIGHUP asks for: the files of TLS and of rights are looked at again where
 * there are any. A terminal that closes says the same signal: then, and where
 * there are no such files, it asks for a stop.
 *
 * @module
 */

import type { Config } from "../config.ts";
import { FILE_KEYS } from "../config/settings.ts";
import type { StopRequests } from "./stop_requests.ts";

/** Decides what a hangup is. */
export class Hangups {
  /** Looks at the files again; nothing until there is a server. */
  reload: () => void = () => {};
  readonly #stop: StopRequests;
  readonly #reloads: boolean;

  /**
   * @param stop Where a stop is asked for.
   * @param options What is served; `hasTerminal`: a closing terminal is to stop
   * this process.
   */
  constructor(
    stop: StopRequests,
    { config, hasTerminal }: {
      readonly config: Config;
      readonly hasTerminal: boolean;
    },
  ) {
    this.#stop = stop;
    this.#reloads = !hasTerminal &&
      FILE_KEYS.some((key) => config[key] !== undefined);
  }

  /** SIGHUP has come. */
  arrive(): void {
    if (this.#reloads) this.reload();
    else this.#stop.request();
  }
}

/** Whether this process talks to a terminal. */
export function isOnTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr]
    .some((stream) => stream.isTerminal());
}
