/**
 * The command line in a process of its own, as people start it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { denoCommand } from "../client/support.ts";
import { withRoot } from "../support/root.ts";
import { type Answering, whileServedHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/waiting.ts";
import { CacheClient } from "../v1/client.ts";
import type { HostedCommand } from "./hosted_larder.ts";

/** The configuration of the repository, whose tasks are ours. */
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/**
 * Runs `deno task` as somebody in a shell does. These tests may run under npx,
 * which says in INIT_CWD where it was called; a task would believe it.
 */
export const TASK: readonly string[] = [
  ...["env", "-u", "INIT_CWD", Deno.execPath()],
  ...["task", "--quiet", "--config", CONFIG],
];
const CACHE = Deno.env.get("XDG_CACHE_HOME") ||
  `${Deno.env.get("HOME")}/.cache`;
const DENO_DIR = Deno.env.get("DENO_DIR") ?? `${CACHE}/deno`;
const MAIN = new URL("../../src/main.ts", import.meta.url);
/** A command that has not written its file by then will not; loaded machines are slow. */
const WRITTEN_LIMIT_MS = 30_000;
/** How often a file is looked at: often enough, and next to no work. */
const LOOK_MS = 10;

/** What runs commands without a process for each. */
export interface Host {
  /** Whether a command is running: another one would have to wait for it. */
  readonly isBusy: boolean;
  /** Runs a command to its end, and is busy from the call on. */
  run(command: HostedCommand): Promise<Ended>;
}

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The bytes of stdout. */
  readonly bytes: Uint8Array;
}

/** How to run it. */
export interface RunOptions {
  /** What it reads; by default nothing. */
  readonly stdin?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Another way to start it: the program of the npm package. */
  readonly program?: readonly string[];
}

/** The words that start the command line. */
export function larderCommand(...args: string[]): string[] {
  return denoCommand(MAIN, ...args);
}

/** A folder with a server, and the commands that are run in it. */
export class Shell<Server extends Answering = Answering> {
  readonly folder: string;
  readonly server: Server;
  readonly #hosts: readonly Host[];

  /** Works in `folder`, with `server`; `hosts` run what needs no process. */
  constructor(folder: string, server: Server, hosts: readonly Host[] = []) {
    this.folder = folder;
    this.server = server;
    this.#hosts = hosts;
  }

  /** Where the server is, and nothing else that a command looks at. */
  get env(): Record<string, string> {
    return {
      LARDER_REMOTE: this.server.remote,
      LARDER_LOCAL: "",
      // The notes of a test are not those of whoever runs it; Deno's are.
      DENO_DIR,
      XDG_STATE_HOME: "/dev/null",
      XDG_CACHE_HOME: "/dev/null",
    };
  }

  /** The same in a folder below. */
  below(name: string): Shell<Server> {
    return new Shell(`${this.folder}/${name}`, this.server, this.#hosts);
  }

  /** Starts `larder` with these words. */
  start(
    args: readonly string[],
    { env = {}, program = larderCommand(), stdin }: RunOptions = {},
  ): Deno.ChildProcess {
    const [command, ...first] = program;
    return new Deno.Command(command!, {
      args: [...first, ...args],
      cwd: this.folder,
      env: { ...this.env, ...env },
      stdin: stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs `larder` to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const { env = {}, program, stdin } = options;
    // What LARDER says is looked at once in a process.
    const isAlone = program || stdin || "LARDER" in env;
    const host = this.#hosts.find(({ isBusy }) => !isBusy);
    if (host && !isAlone) {
      const { folder } = this;
      return await host.run({ args, folder, env: { ...this.env, ...env } });
    }
    const child = this.start(args, options);
    if (options.stdin) {
      const writer = child.stdin.getWriter();
      await writer.write(options.stdin);
      await writer.close();
    }
    const { code, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    return {
      code,
      stdout: text.decode(stdout),
      stderr: text.decode(stderr),
      bytes: stdout,
    };
  }

  /** Runs `larder`, which must end with 0; what it printed. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** Runs `larder` with --json; what it printed. */
  async json(...args: string[]): Promise<Record<string, unknown>> {
    return JSON.parse(await this.ok(...args, "--json"));
  }

  /** Writes a file of the folder. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    const path = `${this.folder}/${name}`;
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
  }

  /** Reads a file of the folder. */
  read(name: string): Promise<string> {
    return Deno.readTextFile(`${this.folder}/${name}`);
  }

  /** Waits until the server knows of so much work that is under way. */
  async untilLoading(count: number): Promise<void> {
    using client = new CacheClient(this.server.remote);
    await until(async () => {
      const { loading } = await client.call<{ loading: string }>("Usage");
      return loading === `${count}`;
    });
  }

  /** Waits until a command has written `text` to a file of the folder. */
  async wrote(name: string, text: string): Promise<void> {
    const endMs = performance.now() + WRITTEN_LIMIT_MS;
    for (;;) {
      const content = await this.read(name).catch((error: Error) => error.name);
      if (content === text) return;
      if (performance.now() > endMs) {
        throw new Error(
          `${name} is not ${JSON.stringify(text)} after ` +
            `${WRITTEN_LIMIT_MS} ms, but ${JSON.stringify(content)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/** Kills a process that is not this one's child, and waits for its end. */
export async function endProcess(pid: number | string): Promise<void> {
  Deno.kill(Number(pid), "SIGKILL");
  await untilEnded(pid);
}

/** Waits for the end of a process that is not this one's child. */
export async function untilEnded(pid: number | string): Promise<void> {
  await until(async () => {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`)
      .catch(() => ") Z");
    return /^\) [ZX]/.test(stat.slice(stat.lastIndexOf(")")));
  });
}

/**
 * Runs a test in a fresh folder, with a server in the test's own process.
 *
 * @param hosts They run the commands that {@linkcode Shell.run} is given; when all
 * are busy, or there is none, a command has a process of its own.
 */
export async function withShell(
  body: (shell: Shell) => Promise<void>,
  args: readonly string[] = [],
  hosts: readonly Host[] = [],
): Promise<void> {
  await using folder = await temporaryFolder();
  await withRoot((root) =>
    whileServedHere(
      root,
      (server) => body(new Shell(folder.path, server, hosts)),
      args,
    )
  );
}

/** The same with a server that can be stopped, or killed. */
export async function withShellAndProcess(
  body: (shell: Shell<ServerProcess>) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  await using folder = await temporaryFolder();
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root, { args });
    await body(new Shell(folder.path, server));
  });
}
