/**
 * The npm package as one of the package managers installed it, made read-only:
 * what it does then is done without the network, a home, or npm.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { within } from "../../src/launch/testing/program.ts";
import { TextLineStream } from "../support/lines.ts";

/** Nobody: root may write whatever modes say. */
const NOBODY = 65_534;
/** Whoever fetches anything meets nobody there. */
const NO_NETWORK = "http://127.0.0.1:1";

/** An installed `larder`, and a folder of the user's to work in. */
export class Installation {
  readonly #larder: string;
  readonly #path: string;
  /** Where commands are run: its name has what names have. */
  readonly folder: string;
  readonly #home: string;

  private constructor(larder: string, path: string, folder: string) {
    this.#larder = larder;
    this.#path = path;
    this.folder = folder;
    this.#home = `${folder}/../home`;
  }

  /**
   * Makes what was installed read-only, and a folder to work in.
   *
   * @param larder The program.
   * @param base A folder in which all of it lies.
   */
  static async of(larder: string, base: string): Promise<Installation> {
    const folder = `${base}/Größe 1 µm`;
    await Deno.mkdir(`${base}/home`, { mode: 0o555 });
    await Deno.mkdir(folder);
    await run(["chmod", "-R", "a-w,a+rX", base]);
    await Deno.chmod(folder, 0o777);
    const node = (await run(["sh", "-c", "command -v node"])).trim();
    return new Installation(larder, `/usr/bin:/bin:${dirname(node)}`, folder);
  }

  /** Starts `larder` with these words, with nothing in its environment. */
  start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Deno.ChildProcess {
    const [program, ...first] = [...asNobody(), this.#larder];
    return new Deno.Command(program!, {
      args: [...first, ...args],
      cwd: this.folder,
      clearEnv: true,
      env: {
        PATH: this.#path,
        HOME: this.#home,
        HTTP_PROXY: NO_NETWORK,
        HTTPS_PROXY: NO_NETWORK,
        npm_config_registry: NO_NETWORK,
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs `larder` to its end, which is to be a good one. */
  async ok(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const { code, stdout, stderr } = await this.start(args, env).output();
    const text = new TextDecoder();
    const said = { stdout: text.decode(stdout), stderr: text.decode(stderr) };
    assert.equal(code, 0, said.stderr);
    return said;
  }

  /** Starts `larder serve`, and waits until it answers. */
  async serve(...args: string[]): Promise<Serving> {
    const child = this.start(["serve", ...args]);
    const errors = new Response(child.stderr).text();
    const lines = child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    let remote = "";
    let http = "";
    for (;;) {
      const { value: line, done } = await within("a line", lines.read());
      if (done) throw new Error(`it does not serve: ${await errors}`);
      remote = /^larder: RemoteCache on (\S+)$/.exec(line)?.[1] ?? remote;
      http = /^larder: HTTP on (\S+)$/.exec(line)?.[1] ?? http;
      if (line === "larder: ready") break;
    }
    lines.cancel();
    const pids = await descendants(child.pid);
    return new Serving(child, { remote, http }, pids, errors);
  }
}

/** A `larder serve` that answers. */
export class Serving implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #errors: Promise<string>;
  /** Where RemoteCache answers. */
  readonly remote: string;
  /** Where the status page is; empty when it is off. */
  readonly http: string;
  /** It is first; then come the launcher and the confined server. */
  readonly pids: readonly number[];

  /** Takes over a process that answers. */
  constructor(
    child: Deno.ChildProcess,
    { remote, http }: { readonly remote: string; readonly http: string },
    pids: readonly number[],
    errors: Promise<string>,
  ) {
    this.#child = child;
    this.remote = remote;
    this.http = http;
    this.pids = pids;
    this.#errors = errors;
  }

  /** The command line of the confined server. */
  async confined(): Promise<string[]> {
    const text = await Deno.readTextFile(`/proc/${this.pids.at(-1)}/cmdline`);
    return text.split("\0");
  }

  /** Sends a signal to `larder` alone; how it ends, when all have ended. */
  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    this.#child.kill(signal);
    const status = await within("the end", this.#child.status);
    // Whoever is left holds the other end of it.
    await within("the end of all", this.#errors);
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGTERM").catch(() => {});
  }
}

/** Runs a program, which must succeed; what it prints. */
export async function run(
  [program, ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program!, {
    args,
    env,
  }).output();
  const text = new TextDecoder();
  assert(success, `${program} ${args}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

function asNobody(): string[] {
  if (Deno.uid() !== 0) return [];
  return [
    "setpriv",
    `--reuid=${NOBODY}`,
    `--regid=${NOBODY}`,
    "--clear-groups",
  ];
}

/** A process, its child, and the child of that. */
async function descendants(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const [child] = (await Deno.readTextFile(path)).trim().split(/\s+/);
  return child ? [pid, ...await descendants(Number(child))] : [pid];
}
