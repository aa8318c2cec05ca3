/**
 * A client in a process of its own, which can be killed or frozen.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { TextLineStream } from "../support/lines.ts";
import { within } from "../support/waiting.ts";

const PROGRAM = fileURLToPath(new URL("./killed_process.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const START_LIMIT_MS = 30_000;

/** A client that is at what it was told to do. */
export class ClientProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#lines = child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
  }

  /** Starts it with its arguments, and waits until it says that it has begun. */
  static async start(args: readonly string[]): Promise<ClientProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--config", CONFIG, "-A", PROGRAM, ...args],
      stdout: "piped",
    }).spawn();
    const client = new ClientProcess(child);
    await within(client.#lines.read(), "a client process", START_LIMIT_MS);
    return client;
  }

  /** Lets it do nothing more; its connections stay. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  /** Kills it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    while (!(await this.#lines.read()).done);
    await this.#child.status;
  }
}
