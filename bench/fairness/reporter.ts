/**
 * A client in a process of its own that tells what it did when asked.
 *
 * @module
 */

import { TextLineStream } from "../../tests/support/lines.ts";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A running client whose answers are of one kind. */
export class Reporter<Answer> implements AsyncDisposable {
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

  /** Starts a program of this folder, and waits until it is at work. */
  static async start<Answer>(
    program: "mover" | "small_client",
    args: readonly string[],
  ): Promise<Reporter<Answer>> {
    const path = new URL(`${program}.ts`, import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--config", CONFIG, "--allow-net=127.0.0.1"],
        ...[path, ...args],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reporter = new Reporter<Answer>(child);
    await reporter.#line();
    return reporter;
  }

  /** What it did until now, or since the last time. */
  async ask(): Promise<Answer> {
    await this.#input.write(new TextEncoder().encode("\n"));
    return JSON.parse(await this.#line());
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.read();
    if (done) throw new Error("A client of the fairness bench has gone");
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    while (!(await this.#lines.read()).done);
    await this.#child.status;
  }
}
