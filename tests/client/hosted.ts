/**
 * Scenarios that run side by side in one process of each runtime: to start a
 * process costs more than what most of them do.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { TextLineStream } from "../support/lines.ts";

const HOST = fileURLToPath(new URL("./programs/host.mjs", import.meta.url));

/** The process of each runtime, while something runs in it, or it is kept. */
const hosts = new Map<string, Host>();
let isKept = false;

/** From now on processes stay for what comes next, until this is disposed of. */
export function keepHosts(): AsyncDisposable {
  isKept = true;
  return {
    async [Symbol.asyncDispose]() {
      isKept = false;
      const all = [...hosts.values()];
      hosts.clear();
      await Promise.all(all.map((host) => host.end()));
    },
  };
}

/**
 * Runs a program beside others; what it says, line by line, until it has ended.
 * It is told when the next line is asked for: what it said was acted upon.
 *
 * @param command As for a process of its own: the program's name ends in `.mjs`.
 */
export async function* hosted(
  command: readonly string[],
): AsyncGenerator<string> {
  const at = command.findIndex((word) => word.endsWith(".mjs"));
  const runtime = command.slice(0, at);
  const name = runtime.join(" ");
  let host = hosts.get(name);
  if (!host) hosts.set(name, host = new Host(runtime));
  const guest = host.start(command.slice(at));
  let isWhole = false;
  try {
    for await (const line of guest.lines) {
      yield line;
      host.tell(guest.id);
    }
    isWhole = true;
  } finally {
    host.remove(guest.id, isWhole);
    if (host.isEmpty && !(isKept && host.isWhole)) {
      hosts.delete(name);
      await host.end();
    }
  }
}

class Host {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #guests = new Map<string, ReadableStreamDefaultController<string>>();
  readonly #read: Promise<void>;
  #lastId = 0;
  /** Whether all that ran here was listened to until its end. */
  isWhole = true;

  constructor(runtime: readonly string[]) {
    const [program, ...args] = [...runtime, HOST];
    this.#process = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#read = this.#readLines();
  }

  /** Whether nothing runs here. */
  get isEmpty(): boolean {
    return this.#guests.size === 0;
  }

  /** Starts a program with its words. */
  start(words: readonly string[]): {
    readonly id: string;
    readonly lines: ReadableStream<string>;
  } {
    const id = `${++this.#lastId}`;
    const lines = new ReadableStream<string>({
      start: (controller) => void this.#guests.set(id, controller),
    });
    this.#send([id, ...words]);
    return { id, lines };
  }

  /** Lets a program go on that waits until what it said was acted upon. */
  tell(id: string): void {
    this.#send([id]);
  }

  #send(words: readonly string[]): void {
    const line = `${JSON.stringify(words)}\n`;
    // A process that has gone is noticed where it is read.
    this.#input.write(new TextEncoder().encode(line)).catch(() => {});
  }

  /** Nobody looks any more at what a program says. */
  remove(id: string, isWhole: boolean): void {
    this.#guests.delete(id);
    this.isWhole &&= isWhole;
  }

  /** Waits until it ends by itself; kills it where somebody was not waited for. */
  async end(): Promise<void> {
    if (!this.isWhole) this.#kill();
    await this.#input.close().catch(() => {});
    await this.#read;
    const { code } = await this.#process.status;
    if (this.isWhole) assert.equal(code, 0);
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  async #readLines(): Promise<void> {
    const lines = this.#process.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const [, id, said] = /^(\d+) (.*)$/.exec(line) ?? [];
      const guest = this.#guests.get(id ?? "");
      if (said === "end") guest?.close();
      else guest?.enqueue(said!);
    }
    const { code, signal } = await this.#process.status;
    const how = `with code ${code}, ${signal ?? "no signal"}`;
    const error = new Error(`the process of all scenarios has ended, ${how}`);
    for (const guest of this.#guests.values()) guest.error(error);
  }
}
