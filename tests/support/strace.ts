/**
 * `strace`, attached to a process that runs: it sees every system call, and can
 * kill the process as it makes one, or let the call fail.
 *
 * @module
 */

/** What the tracer is to do. */
export interface TracerOptions {
  /** Everything after `strace`, but for whom to trace. */
  readonly args: readonly string[];
  /** All threads of the process, also new ones; else only the one. */
  readonly follow?: boolean;
}

/** A tracer at work; it lets go when it is disposed of. */
export class Tracer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #stderr: Promise<void>;

  private constructor(process: Deno.ChildProcess, stderr: Promise<void>) {
    this.#process = process;
    this.#stderr = stderr;
  }

  /** Attaches to a process or thread; every call from then on is seen. */
  static async attach(
    id: number,
    { args, follow = false }: TracerOptions,
  ): Promise<Tracer> {
    const process = new Deno.Command("strace", {
      args: [...follow ? ["-f"] : [], ...args, "-p", `${id}`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const attached = Promise.withResolvers<void>();
    const stderr = (async () => {
      let said = "";
      const text = process.stderr.pipeThrough(new TextDecoderStream());
      for await (const piece of text) {
        said += piece;
        if (said.includes("attached")) attached.resolve();
      }
      attached.reject(new Error(said.trim()));
    })();
    await attached.promise;
    return new Tracer(process, stderr);
  }

  /** Lets go; the process runs on. Fails when there is nothing to let go of. */
  async stop(): Promise<void> {
    this.#process.kill("SIGINT");
    await this.#ended();
  }

  /** Lets go, if what it traced has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGINT");
    } catch {
      // What it traced has ended, and so has it.
    }
    await this.#ended();
  }

  async #ended(): Promise<void> {
    await this.#process.status;
    await this.#stderr;
  }
}

/** Why nothing can be traced here: a test prints it and skips. */
export async function whyNoTracer(): Promise<string | undefined> {
  let sleeper: Deno.ChildProcess | undefined;
  try {
    sleeper = new Deno.Command("sleep", { args: ["20"] }).spawn();
    const args = ["-o", "/dev/null"];
    await using _ = await Tracer.attach(sleeper.pid, { args });
    return undefined;
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    return missing ? "no strace" : `strace cannot attach: ${error}`;
  } finally {
    sleeper?.kill("SIGKILL");
    await sleeper?.status;
  }
}

/** A thread of a process by its name. */
export function threadId(pid: number, name: string): number {
  for (const [id, found] of threadNames(pid)) if (found === name) return id;
  throw new Error(`process ${pid} has no thread ${name}`);
}

/** The threads of a process, and what they are called. */
export function threadNames(pid: number): Map<number, string> {
  const names = new Map<number, string>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${name}/comm`;
    try {
      names.set(Number(name), Deno.readTextFileSync(path).trim());
    } catch {
      // A thread that has ended.
    }
  }
  return names;
}
