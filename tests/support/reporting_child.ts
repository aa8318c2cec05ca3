/**
 * A child process that tells what it did when asked, and both ends of how it
 * does: a line in asks, a line of JSON out tells.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { TextLineStream } from "./lines.ts";
import { within } from "./waiting.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
/** Deno starts slowly on loaded machines; a witness makes two calls of 10 s. */
const LIMIT_MS = 60_000;

/** How to start a child. */
export interface ReportingChildOptions {
  /** What it is called when it fails. */
  readonly name: string;
  /** What it may do, as flags of Deno. */
  readonly permissions: readonly string[];
  /** Its arguments. */
  readonly args: readonly string[];
}

/** A running child whose answers are of one kind. */
export class ReportingChild<Answer> implements AsyncDisposable {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(name: string, child: Deno.ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
  }

  /** Starts a program, and waits for the line that says that it is at work. */
  static async start<Answer>(
    program: URL,
    { name, permissions, args }: ReportingChildOptions,
  ): Promise<ReportingChild<Answer>> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--config", CONFIG, ...permissions],
        ...[fileURLToPath(program), ...args],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const child = new ReportingChild<Answer>(name, process);
    await child.#line();
    return child;
  }

  /** What it did until now, or since the last time. */
  async ask(): Promise<Answer> {
    await this.#input.write(new TextEncoder().encode("\n"));
    return JSON.parse(await this.#line());
  }

  async #line(): Promise<string> {
    const line = await within(this.#lines.read(), this.#name, LIMIT_MS);
    if (line.done) throw new Error(`${this.#name} has gone`);
    return line.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    while (!(await this.#lines.read()).done);
    await this.#child.status;
  }
}

/** The child's end: says that it is at work, and answers as long as one asks. */
export async function answerLines(
  report: () => object | Promise<object>,
): Promise<never> {
  console.log("ready");
  const lines = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const _ of lines) console.log(JSON.stringify(await report()));
  // Our parent has gone, or wants us to.
  Deno.exit(0);
}
