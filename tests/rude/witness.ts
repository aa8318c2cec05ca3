/**
 * The test's end of the process that watches the server.
 *
 * @module
 */

import { ReportingChild } from "../support/reporting_child.ts";
import type { MemoryLap } from "./memory.ts";
import type { PoliteLap } from "./polite.ts";
import { POLITE_PAUSE_MS } from "./scale.ts";

const PROGRAM = new URL("./witness_process.ts", import.meta.url);

/** What was seen since the last lap. */
export type Lap = PoliteLap & MemoryLap;

/** A running witness. */
export class Witness implements AsyncDisposable {
  readonly #child: ReportingChild<Lap>;

  private constructor(child: ReportingChild<Lap>) {
    this.#child = child;
  }

  /** Starts to watch a RemoteCache and its launcher. */
  static async start(address: string, launcherPid: number): Promise<Witness> {
    return new Witness(
      await ReportingChild.start(PROGRAM, {
        name: "the witness",
        permissions: ["-A"],
        args: [address, String(launcherPid), String(POLITE_PAUSE_MS)],
      }),
    );
  }

  /** Ends a lap, after calls that begin now have been answered. */
  lap(): Promise<Lap> {
    return this.#child.ask();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
