/**
 * An echo server in a process of its own: tests of what is fatal need one to
 * lose, and tests of memory need one to measure.
 *
 * Run as a program it serves, prints its port, and answers each line of its
 * standard input with a line of numbers.
 *
 * @module
 */
import type { Cures, DropReason, TransportOptions } from "../options.ts";
import { callsServed, listen } from "./echo_service.ts";
import { createHardenedServer } from "../transport.ts";
import { curesOff } from "./cures_off.ts";

/** What a child serves with. */
export interface ChildOptions {
  /** Its limits. */
  options?: Omit<TransportOptions, "warn" | "isContended" | "serverOptions">;
  /** Cures to switch off, beside those of the command line. */
  cures?: Partial<Cures>;
  /** File descriptors that it may have; default: those of the test. */
  descriptors?: number;
}

/** What a child says of itself. */
export interface ChildStatus {
  /** Who lost a connection or a call, and why. */
  drops: DropReason[];
  /** Resident memory. */
  rssBytes: number;
  /** Calls that reached a handler. */
  callsServed: number;
}

/** A server in another process. */
export class ChildServer {
  /** Where it listens. */
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #dead = false;

  private constructor(
    process: Deno.ChildProcess,
    lines: ReadableStreamDefaultReader<string>,
    port: number,
  ) {
    this.#process = process;
    this.#lines = lines;
    this.#input = process.stdin.getWriter();
    this.port = port;
    process.status.then(() => this.#dead = true);
  }

  /**
   * Starts a server.
   *
   * @param options What it serves with.
   * @returns The server, listening.
   */
  static async start(
    { options, cures, descriptors }: ChildOptions = {},
  ): Promise<ChildServer> {
    const limit = descriptors === undefined ? "" : `ulimit -n ${descriptors};`;
    const off = { ...cures, ...curesOff() };
    const process = new Deno.Command("sh", {
      args: [
        ...["-c", `${limit} exec "$0" "$@"`, Deno.execPath()],
        ...["run", "--quiet", "--allow-all", import.meta.url],
        JSON.stringify({ options, cures: off }),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const lines = process.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(splitLines())
      .getReader();
    const { value } = await lines.read();
    if (value === undefined) throw new Error("The child server did not start");
    return new ChildServer(process, lines, Number(value));
  }

  /** Whether the process has ended, which no client should achieve. */
  get dead(): boolean {
    return this.#dead;
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    await this.#process.status;
  }

  /**
   * Asks the child about itself.
   *
   * @returns What it says.
   */
  async status(): Promise<ChildStatus> {
    await this.#input.write(new Uint8Array([10]));
    const { value } = await this.#lines.read();
    if (value === undefined) throw new Error("The child server has ended");
    return JSON.parse(value);
  }

  /**
   * Waits until a number of calls has reached the handlers.
   *
   * @param calls How many.
   * @returns The child's status then.
   */
  async served(calls: number): Promise<ChildStatus> {
    for (;;) {
      const status = await this.status();
      if (status.callsServed >= calls) return status;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#dead) this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#input.close().catch(() => {});
    await this.#lines.cancel().catch(() => {});
  }
}

function splitLines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) controller.enqueue(line);
    },
  });
}

if (import.meta.main) {
  const { options, cures } = JSON.parse(Deno.args[0] ?? "{}") as
    & ChildOptions
    & { cures: Partial<Cures> };
  const drops: DropReason[] = [];
  const server = createHardenedServer(
    {
      ...options,
      warn: (message) => console.error(message),
      onDrop: (reason) => drops.push(reason),
    },
    cures,
  );
  console.log(await listen(server));
  for await (const _ of Deno.stdin.readable) {
    const status: ChildStatus = {
      drops,
      rssBytes: Deno.memoryUsage().rss,
      callsServed: callsServed(),
    };
    console.log(JSON.stringify(status));
  }
}
