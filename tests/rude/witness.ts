/**
 * The test's end of the process that watches the server.
 *
 * @module
 */

import { TextLineStream } from "../support/lines.ts";
import type { MemoryLap } from "./memory.ts";
import type { PoliteLap } from "./polite.ts";
import { within } from "./waiting.ts";

const PROGRAM = new URL("./witness_process.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
/** Deno starts slowly on loaded machines; a lap has two calls of 10 s. */
const LIMIT_MS = 60_000;

/** What was seen since the last lap. */
export type Lap = PoliteLap & MemoryLap;

/** A running witness. */
export class Witness implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
  }

  /** Starts to watch a RemoteCache and its launcher. */
  static async start(address: string, launcherPid: number): Promise<Witness> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--config", CONFIG, "-A", PROGRAM],
        ...[address, String(launcherPid)],
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const witness = new Witness(child);
    await witness.#line();
    return witness;
  }

  /** Ends a lap, after calls that begin now have been answered. */
  async lap(): Promise<Lap> {
    await this.#input.write(new TextEncoder().encode("lap\n"));
    return JSON.parse(await this.#line());
  }

  async #line(): Promise<string> {
    const line = await within(this.#lines.read(), "the witness", LIMIT_MS);
    if (line.done) throw new Error("the witness has gone");
    return line.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    while (!(await this.#lines.read()).done);
    await this.#child.status;
  }
}
