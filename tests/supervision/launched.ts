/**
 * The real server under its launcher, in a process group of its own and with
 * the launcher's real permissions.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { LAUNCHER_FLAGS, Program } from "../../src/launch/testing/program.ts";

const LAUNCHER = fileURLToPath(
  new URL("../../src/main/launcher.ts", import.meta.url),
);
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** A launcher with its server. */
export class Launched implements AsyncDisposable {
  /** The launcher; its group is what a terminal would signal. */
  readonly program: Program;
  /** Where LocalCache answers. */
  local = "";
  /** Where RemoteCache answers. */
  remote = "";

  private constructor(program: Program) {
    this.program = program;
  }

  /** Starts the launcher; `ready` waits for its server. */
  static spawn(root: string, ...flags: string[]): Launched {
    const addresses = ["-l", "-r"].flatMap((name) =>
      flags.includes(name) ? [] : [name, "127.0.0.1:0"]
    );
    return new Launched(
      new Program([
        ...LAUNCHER_FLAGS,
        `--config=${CONFIG}`,
        LAUNCHER,
        "serve",
        root,
        ...addresses,
        ...flags,
      ]),
    );
  }

  /** Starts the launcher and waits until its server answers. */
  static async start(root: string, ...flags: string[]): Promise<Launched> {
    const launched = Launched.spawn(root, ...flags);
    await launched.ready();
    return launched;
  }

  /** Waits until a server answers, and reads where. */
  async ready(): Promise<void> {
    const { stdout } = this.program;
    this.local = (await stdout.next(/LocalCache on (.+)$/))[1]!;
    this.remote = (await stdout.next(/RemoteCache on (.+)$/))[1]!;
    await stdout.next(/^larder: ready$/);
  }

  /** What it complained of until its end: not what a stop waited for. */
  async complaints(): Promise<string> {
    const stderr = await this.program.stderr.toEnd();
    return stderr.replace(
      /^(\S+ info {2}stopp(ing|ed)|larder: still stopping)\b.+\n/gm,
      "",
    );
  }

  /** The process id of the server. */
  async serverPid(): Promise<number> {
    const { pid } = this.program;
    const path = `/proc/${pid}/task/${pid}/children`;
    return Number((await Deno.readTextFile(path)).trim().split(" ")[0]);
  }

  /** Signals the server until it dies; returns the launcher's line about it. */
  async killServer(signal: Deno.Signal): Promise<string> {
    const pid = await this.serverPid();
    Deno.kill(pid, signal);
    // V8 swallows the first SIGSEGV from outside: it might be WebAssembly's.
    const timer = setInterval(() => {
      try {
        if (signal === "SIGSEGV") Deno.kill(pid, signal);
      } catch {
        // It has died.
      }
    }, 20);
    try {
      return (await this.program.stderr.next(/the server died/)).input;
    } finally {
      clearInterval(timer);
    }
  }

  /** Stops gracefully; the exit code. */
  async stop(): Promise<number> {
    this.program.kill("SIGTERM");
    return (await this.program.exit()).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}
