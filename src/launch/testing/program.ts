/**
 * Runs a program as its own process group and waits for what it prints.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** The real command line with a fake server. */
export const FAKE_PROGRAM: string = fileURLToPath(
  new URL("./fake_program.ts", import.meta.url),
);

/** No event of these tests takes longer on a machine that is busy. */
const LIMIT_MS = 30_000;

/** The permissions of the launcher, as in the task `serve`. */
export const LAUNCHER_FLAGS: readonly string[] = [
  "run",
  "--quiet",
  "--no-prompt",
  "--ignore-env",
  "--allow-read",
  "--allow-write",
  "--allow-run",
];

/** Fails instead of hanging. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what}: nothing for ${LIMIT_MS} ms`)),
    LIMIT_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lines as they arrive; each is handed out once. */
class Lines {
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #echo: string[] = [];
  #rest = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream
      .pipeThrough(
        new TextDecoderStream() as TransformStream<Uint8Array, string>,
      )
      .getReader();
  }

  /** Waits for a line that matches; skips what does not. */
  async next(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        this.#echo.push(line);
        const match = pattern.exec(line);
        if (match) return match;
        continue;
      }
      const piece = await within(`${pattern}`, this.#reader.read());
      if (piece.done) {
        throw new Error(`no ${pattern} in ${JSON.stringify(this.#echo)}`);
      }
      this.#rest += piece.value;
    }
  }

  /** Everything that has not been handed out, when the stream has ended. */
  async toEnd(): Promise<string> {
    for (;;) {
      const piece = await within("end of output", this.#reader.read());
      if (piece.done) return this.#rest;
      this.#rest += piece.value;
    }
  }
}

/** A program that runs; killed, with its whole group, when it is disposed of. */
export class Program implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  /** Its standard output. */
  readonly stdout: Lines;
  /** Its standard error. */
  readonly stderr: Lines;

  /** Starts `deno` with these arguments. */
  constructor(args: readonly string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
      env: { NO_COLOR: "1" },
    }).spawn();
    this.stdout = new Lines(this.#process.stdout);
    this.stderr = new Lines(this.#process.stderr);
  }

  /** Starts the real launcher with the fake server. */
  static launch(...args: string[]): Program {
    return new Program([...LAUNCHER_FLAGS, FAKE_PROGRAM, "serve", ...args]);
  }

  /** The process's id, which is also its group's. */
  get pid(): number {
    return this.#process.pid;
  }

  /** How it ended. */
  exit(): Promise<Deno.CommandStatus> {
    return within("exit", this.#process.status);
  }

  /** Signals the process alone. */
  kill(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  /** Signals the whole group, as a terminal does. */
  killGroup(signal: Deno.Signal): void {
    Deno.kill(-this.pid, signal);
  }

  /** Ends whatever is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.killGroup("SIGKILL");
    } catch {
      // Nothing is left.
    }
    await this.#process.status;
    await Promise.allSettled([this.stdout.toEnd(), this.stderr.toEnd()]);
  }
}

/** A fresh folder that goes when it is disposed of. */
export async function temporaryFolder(): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const path = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "larder-" }),
  );
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
