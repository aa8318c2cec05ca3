/**
 * What systemd does for a service with sockets: makes them, keeps them, and starts
 * the confined server with them, again and again.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { within } from "../../src/launch/testing/program.ts";
import { TextLineStream } from "../support/lines.ts";
import { confinedWords } from "../support/server_process.ts";

const PARENT = fileURLToPath(new URL("parent.py", import.meta.url));
const SERVICE = /^larder: (LocalCache|RemoteCache|HTTP) on (.+)$/;

/** What it was told by a server that answers. */
export interface Answering {
  /** Its process id. */
  readonly pid: number;
  /** Where it says that it answers, by service. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** Keeps sockets, and what is started with them. */
export class Parent implements AsyncDisposable {
  /** The ports of the sockets; 0 where they have none. */
  ports: readonly number[] = [];
  /** What was written to stderr until now. */
  stderr = "";
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stderrDone: Promise<void>;
  #pid: number | undefined;

  private constructor(places: readonly string[]) {
    this.#child = new Deno.Command("python3", {
      args: [PARENT, ...places],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#stderrDone = this.#readErrors();
  }

  /** Makes sockets: `NAME=tcp:HOST`, `NAME=unix:PATH`, or `NAME=udp:HOST`. */
  static async of(...places: string[]): Promise<Parent> {
    const parent = new Parent(places);
    const { ports } = await parent.#next("ports") as { ports: number[] };
    parent.ports = ports;
    return parent;
  }

  /** Starts a program. */
  async start(command: readonly string[]): Promise<number> {
    const line = new TextEncoder().encode(`${JSON.stringify(command)}\n`);
    await this.#stdin.write(line);
    const { pid } = await this.#next("pid") as { pid: number };
    return this.#pid = pid;
  }

  /** Starts the confined server, and waits until it answers. */
  async serve(root: string, ...args: string[]): Promise<Answering> {
    const pid = await this.start(await serverCommand(root, ...args));
    const addresses = new Map<string, string>();
    for (;;) {
      const line = await this.#line();
      const [, service, address] = SERVICE.exec(line) ?? [];
      if (service !== undefined) addresses.set(service, address!);
      if (line === "larder: ready") return { pid, addresses };
      if (line.startsWith("{")) {
        throw new Error(`it did not start: ${line}\n${this.stderr}`);
      }
    }
  }

  /** The exit code of what was started; below 0 a signal has ended it. */
  async ended(): Promise<number> {
    const { ended } = await this.#next("ended") as { ended: number };
    this.#pid = undefined;
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of [this.#pid, this.#child.pid]) {
      if (pid === undefined) continue;
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await this.#stdin.abort().catch(() => {});
    await this.#lines.cancel();
    await this.#child.status;
    await this.#stderrDone;
  }

  async #next(key: string): Promise<Record<string, unknown>> {
    for (;;) {
      const line = await this.#line();
      if (line.startsWith(`{"${key}"`)) return JSON.parse(line);
    }
  }

  async #line(): Promise<string> {
    const { value, done } = await within("a line", this.#lines.read());
    if (done) throw new Error(`no more lines: ${this.stderr}`);
    return value;
  }

  async #readErrors(): Promise<void> {
    const text = this.#child.stderr.pipeThrough(new TextDecoderStream());
    for await (const chunk of text) this.stderr += chunk;
  }
}

/** The command that starts the confined server. */
export async function serverCommand(
  root: string,
  ...args: string[]
): Promise<string[]> {
  return [Deno.execPath(), ...await confinedWords(["serve", root, ...args])];
}
