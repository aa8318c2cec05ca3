/**
 * The real server in a process of its own, as `deno task serve` starts it.
 *
 * @module
 */

import { fileURLToPath, pathToFileURL } from "node:url";
import { parseCommandLine } from "../../src/launch/arguments.ts";
import { currentBootId } from "../../src/launch/boot_id.ts";
import {
  confinedArguments,
  thisInstallation,
} from "../../src/launch/permissions.ts";
import { TextLineStream } from "./lines.ts";
import { serveWords } from "./serve_words.ts";

const LAUNCHER = fileURLToPath(
  new URL("../../src/main/launcher.ts", import.meta.url),
);
const CONFINED = fileURLToPath(
  new URL("../../src/main/confined.ts", import.meta.url),
);
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
/** A server that does not answer by then has failed; loaded machines are slow. */
const START_LIMIT_MS = 60_000;

/** How to start a server. */
export interface StartOptions {
  /** More arguments; the addresses default to picked ports. */
  readonly args?: readonly string[];
  /** Starts the confined server alone, with what --print-command says, and the boot id. */
  readonly confined?: boolean;
  /** What is added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program that starts another one, and its first words: setpriv. */
  readonly through?: readonly string[];
  /** Starts this module alone, instead of the launcher, with these words first. */
  readonly program?: readonly string[];
}

/** A running server. */
export class ServerProcess implements AsyncDisposable {
  /** Where LocalCache answers; empty when it is off. */
  local = "";
  /** Where RemoteCache answers; empty when it is off. */
  remote = "";
  /** Where metrics are; empty when they are off. */
  http = "";
  /** What the server wrote to stderr until now. */
  stderr = "";
  /** Whether the process has ended. */
  hasEnded = false;
  readonly root: string;
  readonly #child: Deno.ChildProcess;
  readonly #alone: boolean;
  readonly #stderrDone: Promise<void>;

  private constructor(
    root: string,
    child: Deno.ChildProcess,
    { alone }: { alone: boolean },
  ) {
    this.root = root;
    this.#alone = alone;
    this.#child = child;
    this.#stderrDone = this.#readErrors();
    child.status.then(() => this.hasEnded = true);
  }

  /** Starts the launcher and waits until the server answers. */
  static async start(
    root: string,
    { args = [], confined = false, program, env = {}, through = [] }:
      StartOptions = {},
  ): Promise<ServerProcess> {
    const words = serveWords(root, args);
    const all = confined ? await confinedWords(words) : [
      ...["run", "--quiet", "--config", CONFIG, "-A"],
      ...program ? [...program, ...words, "--confined"] : [LAUNCHER, ...words],
    ];
    const [command, ...first] = [...through, Deno.execPath()];
    const child = new Deno.Command(command!, {
      args: [...first, ...all],
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const server = new ServerProcess(root, child, {
      alone: confined || program !== undefined,
    });
    await server.#waitUntilReady();
    return server;
  }

  /** How the process ends: the launcher, or the server without one. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The process id of the confined server. */
  async serverPid(): Promise<number> {
    if (this.#alone) return this.pid;
    const path = `/proc/${this.pid}/task/${this.pid}/children`;
    const children = (await Deno.readTextFile(path)).trim().split(/\s+/);
    return Number(children[0]);
  }

  /** Asks the server to stop; resolves to the exit code. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.#child.kill(signal);
    const { code } = await this.#child.status;
    await this.#stderrDone;
    return code;
  }

  /** Kills launcher and server at once, as an outage does. */
  async kill(): Promise<void> {
    const server = await this.serverPid();
    this.#child.kill("SIGKILL");
    if (!this.#alone) Deno.kill(server, "SIGKILL");
    await this.#child.status;
    while (isAlive(server)) await new Promise((done) => setTimeout(done, 5));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
    } catch {
      // It has been stopped or killed already.
    }
  }

  async #waitUntilReady(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), START_LIMIT_MS);
    const lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    const reader = lines.getReader();
    for (;;) {
      const { value: line, done } = await reader.read();
      if (done) {
        clearTimeout(timer);
        await this.#stderrDone;
        throw new Error(`the server did not start:\n${this.stderr}`);
      }
      const [, api, address] = line.match(
        /^larder: (LocalCache|RemoteCache|HTTP) on (.+)$/,
      ) ?? [];
      if (api === "LocalCache") this.local = address!;
      if (api === "RemoteCache") this.remote = address!;
      if (api === "HTTP") this.http = address!;
      if (line.startsWith("larder: ready")) break;
    }
    clearTimeout(timer);
    // Whatever else it prints must not fill the pipe.
    void (async () => {
      while (!(await reader.read()).done);
    })();
  }

  async #readErrors(): Promise<void> {
    const text = this.#child.stderr.pipeThrough(new TextDecoderStream());
    for await (const chunk of text) this.stderr += chunk;
  }
}

/** What `deno` is given to start the confined server alone. */
export async function confinedWords(
  words: readonly string[],
): Promise<string[]> {
  const invocation = await parseCommandLine(
    [...words, "--print-command"],
    Deno.cwd,
  );
  if (invocation.kind !== "print-command") throw new TypeError(words.join(" "));
  const installation = thisInstallation(pathToFileURL(CONFINED));
  const bootId = await currentBootId();
  return confinedArguments(invocation.config, installation, {
    ...bootId !== undefined && { bootId },
  });
}

/** Whether a process may still hold its files: a zombie has let go of them. */
function isAlive(pid: number): boolean {
  const folder = `/proc/${pid}/task`;
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => {
      const stat = Deno.readTextFileSync(`${folder}/${name}/stat`);
      return stat.slice(stat.lastIndexOf(")") + 2)[0];
    }).some((state) => state !== "Z" && state !== "X");
  } catch {
    return false;
  }
}
