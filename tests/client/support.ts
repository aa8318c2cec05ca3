/**
 * What the tests of the client library have in common.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Cache, type ConnectOptions } from "../../src/client/mod.ts";
import { TextLineStream } from "../support/lines.ts";
import { withRoot } from "../support/root.ts";
import { type Answering, whileServedHere } from "../support/server_here.ts";
import { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/waiting.ts";

/** Runs a test against a server with a root of its own, in this process. */
export async function withServerHere(
  run: (server: Answering) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  await withRoot((root) => whileServedHere(root, run, args));
}

/**
 * Runs a test against a server that can be stopped, or killed: a client does not see
 * whether there is a launcher.
 */
export async function withServer(
  run: (server: ServerProcess) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  await withRoot(async (root) => {
    const options = { args, confined: true };
    await using server = await ServerProcess.start(root, options);
    await run(server);
  });
}

/** The same with the launcher, which starts the server again when it has died. */
export async function withLauncher(
  run: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root);
    await run(server);
  });
}

/**
 * A client that has heard of its server: one that has never answered gets 2 s,
 * which a busy machine may take, whatever the patience is.
 */
export async function acquainted(options: ConnectOptions): Promise<Cache> {
  const cache = await Cache.connect(options);
  const answers = () =>
    cache.stat("tests.acquainted", "k").then(() => true, () => false);
  await until(answers);
  return cache;
}

/** Starts a server on the root and the addresses of one that has gone. */
export function startAgain(
  { root, local, remote }: Pick<ServerProcess, "root" | "local" | "remote">,
  more: readonly string[] = [],
): Promise<ServerProcess> {
  const args = ["-l", local, "-r", remote, ...more];
  return ServerProcess.start(root, { args, confined: true });
}

/** A promise from outside: the tests say when a computation ends. */
export function gate<T = void>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}

/** A child process that prints lines. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  /** Starts `command`; what it writes to stderr is shown. */
  constructor(
    command: readonly string[],
    { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
  ) {
    const [program, ...args] = command;
    this.#process = new Deno.Command(program!, {
      args,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#process.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** The next line; `undefined`: there is none any more. */
  async line(): Promise<string | undefined> {
    return (await this.#lines.read()).value;
  }

  /** All lines to come, and how the process ended. */
  async end(): Promise<{ lines: string[]; code: number }> {
    const lines: string[] = [];
    for (let line; (line = await this.line()) !== undefined;) lines.push(line);
    const { code } = await this.#process.status;
    return { lines, code };
  }

  /** Kills it as an outage does. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {});
    await this.#lines.cancel();
  }
}

/** The command that runs a TypeScript program of the repository. */
export function denoCommand(program: URL, ...args: string[]): string[] {
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  return [
    ...[Deno.execPath(), "run", "--quiet", "--allow-all", "--config", config],
    ...[fileURLToPath(program), ...args],
  ];
}
