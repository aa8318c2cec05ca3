/**
 * Commands of `larder` that are run one after the other in one process: for the
 * tests of what they do and say, and not of the process that they are.
 *
 * @module
 */

import { denoCommand } from "../client/support.ts";
import { type Ended, type Host, withShell } from "./support.ts";

const PROGRAM = new URL("./larder_host.ts", import.meta.url);
const NEWLINE = "\n".charCodeAt(0);
/** An exit code and a newline. */
const ANSWER_BYTES = 16;

/** A command that is run in the process. */
export interface HostedCommand {
  /** The words after `larder`. */
  readonly args: readonly string[];
  /** Where it is run. */
  readonly folder: string;
  /** What is added to its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A process for the commands of test files. */
export class HostedLarder implements Host {
  readonly #connection: Deno.UnixConn;
  readonly #output: readonly [Deno.FsFile, Deno.FsFile];
  #isBusy = false;

  private constructor(
    connection: Deno.UnixConn,
    output: readonly [Deno.FsFile, Deno.FsFile],
  ) {
    this.#connection = connection;
    this.#output = output;
  }

  /**
   * Starts it: at the top of a test file, as it is for all of its tests. It ends
   * with them.
   *
   * @param program What starts it, but for the socket's path.
   */
  static async start(
    program: readonly string[] = denoCommand(PROGRAM),
  ): Promise<HostedLarder> {
    const folder = await Deno.makeTempDir({ prefix: "larder-host-" });
    const [out, err] = [`${folder}/out`, `${folder}/err`];
    const path = `${folder}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    // Files, so that what the commands start can write there as well.
    const child = new Deno.Command("sh", {
      args: [
        ...["-c", 'exec "$@" >>"$0/out" 2>>"$0/err"', folder],
        ...[...program, path],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    child.unref();
    const ended = child.status.then(({ code }) => {
      throw new Error(`the process of all commands has ended with ${code}`);
    });
    const connection = await Promise.race([listener.accept(), ended]);
    ended.catch(() => {});
    const files = await Promise.all([Deno.open(out), Deno.open(err)]);
    Deno.removeSync(folder, { recursive: true });
    return new HostedLarder(connection, files as [Deno.FsFile, Deno.FsFile]);
  }

  /** Whether a command is running: another one would have to wait for it. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Runs a command to its end. */
  async run(command: HostedCommand): Promise<Ended> {
    this.#isBusy = true;
    try {
      const line = new TextEncoder().encode(`${JSON.stringify(command)}\n`);
      for (let at = 0; at < line.length;) {
        at += await this.#connection.write(line.subarray(at));
      }
      const code = await this.#answer();
      const [bytes, errors] = this.#output.map(newIn);
      const text = new TextDecoder();
      const stdout = text.decode(bytes);
      return { code, stdout, stderr: text.decode(errors), bytes: bytes! };
    } finally {
      this.#isBusy = false;
    }
  }

  async #answer(): Promise<number> {
    const answer = new Uint8Array(ANSWER_BYTES);
    for (let length = 0; answer[length - 1] !== NEWLINE;) {
      const read = await this.#connection.read(answer.subarray(length));
      if (read === null) {
        throw new Error("the process of all commands has gone");
      }
      length += read;
    }
    return Number.parseInt(new TextDecoder().decode(answer));
  }
}

/** What has come to a file since it was last read. */
function newIn(file: Deno.FsFile): Uint8Array {
  const at = file.seekSync(0, Deno.SeekMode.Current);
  const bytes = new Uint8Array(file.statSync().size - at);
  for (let length = 0; length < bytes.length;) {
    length += file.readSync(bytes.subarray(length)) ?? 0;
  }
  return bytes;
}

/** Those of all test files that share an isolate: one file after the other. */
const started: Promise<HostedLarder>[] = [];

/**
 * {@linkcode withShell} for all tests of a file, with processes for the commands
 * that they run to their ends.
 *
 * @param count How many processes: of so many commands at the same time none
 * has to be started.
 */
export async function hostedShells(count = 1): Promise<typeof withShell> {
  while (started.length < count) started.push(HostedLarder.start());
  const hosts = await Promise.all(started);
  return (body, args) => withShell(body, args, hosts);
}
