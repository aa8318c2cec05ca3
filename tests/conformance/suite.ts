/**
 * What a suite is.
 *
 * @module
 */

import type { ServerKind } from "./servers.ts";
import type { GoTool } from "./tools.ts";

/** What became of a suite's cases. */
export interface Outcome {
  readonly passed: number;
  /** Of these `output` tells. */
  readonly failed: number;
  /** What the suite said. */
  readonly output: string;
}

/** A suite of cases. */
export interface Suite {
  /** For people, and for `--only`. */
  readonly name: string;
  /** The program that runs it. */
  readonly tool: GoTool;
  /** How many cases there are: fewer are no pass. */
  readonly cases: number;
  /** What is judged; a suite without starts servers of its own. */
  readonly server?: ServerKind;
  /**
   * Runs all of them; the port is that of its server, and the socket the path of
   * its local listener, where it has one.
   */
  run(program: string, port: number, socket: string): Promise<Outcome>;
}
