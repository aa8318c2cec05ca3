/** `larder run`. @module */

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { hasCode } from "../../client/cache_error.ts";
import type { Claim, Held } from "../../client/tier.ts";
import { type Command, NAMESPACE_OPTION, QUIET_OPTION } from "../command.ts";
import { OK } from "../exit_codes.ts";
import { formatSize, toHex } from "../format.ts";
import { ProgressLine, reasonOf, say } from "../output.ts";
import { archive, type FileHeader, headerLine } from "../run/archive.ts";
import { codeOf, runCommand } from "../run/child.ts";
import { Interrupts } from "../run/interrupts.ts";
import { type Plan, planOf } from "../run/plan.ts";
import { restore } from "../run/restore.ts";
import { addressesOf, Server } from "../server.ts";
import type { Words } from "../words.ts";

/** Runs a command once, wherever it is asked for. */
export const run: Command = {
  name: "run",
  usage: "--ns NS --key-file FILE... [--out PATH...] -- COMMAND",
  summary: "run a command once, and have its output again the next time",
  details: [
    "What is kept: the exit code, stdout, stderr, and the files named with --out.",
    "The key is the command with its arguments, the names and contents of the",
    "key files, --key, --env, and the names of the outs. The command has no stdin.",
    "Without a server the command is run, and nothing is kept.",
  ],
  options: [
    NAMESPACE_OPTION,
    {
      name: "key-file",
      argument: "FILE",
      help: "a file that the output depends on; may be repeated",
    },
    {
      name: "key",
      argument: "TEXT",
      help: "something else that it depends on, such as the version of a " +
        "compiler; may be repeated",
    },
    {
      name: "env",
      argument: "NAME",
      help: "an environment variable that it depends on; may be repeated",
    },
    {
      name: "out",
      argument: "PATH",
      help: "a file that the command writes; may be repeated",
    },
    {
      name: "timeout",
      argument: "D",
      help: "wait no longer than this (30s, 5m) for somebody who runs the " +
        "same, then run it here without keeping it (default: wait)",
    },
    {
      name: "cache-failures",
      help: "keep it also when the exit code is not 0",
    },
    QUIET_OPTION,
  ],
  async run(words) {
    const plan = await planOf(words);
    const waitMs = words.durationMs("timeout");
    const addresses = addressesOf(words);
    using interrupts = new Interrupts();
    await using server = await Server.at(addresses);
    const runner = new Runner(plan, words, interrupts);
    const claim = await runner.claim(server, waitMs);
    if (interrupts.received) return codeOf(interrupts.received);
    return await runner.settle(claim);
  },
};

class Runner {
  readonly #plan: Plan;
  readonly #interrupts: Interrupts;
  readonly #isQuiet: boolean;
  readonly #isJson: boolean;
  readonly #keepsFailures: boolean;

  constructor(plan: Plan, words: Words, interrupts: Interrupts) {
    this.#plan = plan;
    this.#interrupts = interrupts;
    this.#isQuiet = words.has("quiet");
    this.#isJson = words.has("json");
    this.#keepsFailures = words.has("cache-failures");
  }

  /** Asks for the output, or the work; `undefined`: there is neither. */
  async claim(
    server: Server,
    waitMs: number | undefined,
  ): Promise<Claim | undefined> {
    const { signal } = this.#interrupts;
    const late = new AbortController();
    const timer = waitMs === undefined ? undefined : setTimeout(
      () => late.abort(new Error("somebody else runs it for too long")),
      waitMs,
    );
    try {
      const request = { ...this.#plan.entry, assign: true, wait: true };
      return await server.cache.ask(request, {
        signal: AbortSignal.any([signal, late.signal]),
      });
    } catch (error) {
      // A namespace that is none is a mistake, and better found at once.
      if (hasCode(error, "invalid")) throw error;
      if (!signal.aborted) {
        this.#warn(`running without the cache: ${reasonOf(error)}`);
      }
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Comes to an exit code. */
  async settle(claim: Claim | undefined): Promise<number> {
    const folder = await mkdtemp(join(tmpdir(), "larder-run-"));
    try {
      if (claim?.kind === "ready") {
        const code = await this.#restore(claim, folder);
        if (code !== undefined) return code;
      }
      if (claim?.kind === "assigned") {
        await using held = claim.held;
        return await this.#compute(held, folder);
      }
      if (claim?.kind === "unassigned") {
        this.#warn(`running without the cache: ${claim.reason}`);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const code = await runCommand(this.#plan.command, this.#interrupts);
    this.#report("uncached", { code });
    return code;
  }

  async #restore(
    { body }: Extract<Claim, { kind: "ready" }>,
    folder: string,
  ): Promise<number | undefined> {
    try {
      const code = await restore(body.chunks(), this.#plan.outs, folder);
      this.#report("hit", { code, bytes: body.size });
      return code;
    } catch (error) {
      this.#warn(`running it again: ${reasonOf(error)}`);
      return undefined;
    } finally {
      await body.release();
    }
  }

  async #compute(held: Held, folder: string): Promise<number> {
    const said = { stdout: join(folder, "out"), stderr: join(folder, "err") };
    const { command } = this.#plan;
    const code = await runCommand(command, this.#interrupts, said);
    const { received } = this.#interrupts;
    if (received || (code !== OK && !this.#keepsFailures)) {
      await held.abandon(received ?? `exit code ${code}`);
      this.#report("failed", { code });
      return code;
    }
    try {
      const bytes = await this.#publish(held, code, said);
      this.#report("computed", { code, bytes });
    } catch (error) {
      await held.abandon("it could not be published");
      this.#warn(`not kept: ${reasonOf(error)}`);
    }
    return code;
  }

  async #publish(
    held: Held,
    code: number,
    said: { readonly stdout: string; readonly stderr: string },
  ): Promise<number> {
    const files: FileHeader[] = [];
    for (const path of this.#plan.outs) {
      const file = await this.#outFile(path, code);
      if (file) files.push(file);
    }
    const [stdout, stderr] = await Promise.all(
      [said.stdout, said.stderr].map(async (path) => ({
        path,
        size: await stat(path).then(({ size }) => size, () => 0),
      })),
    ) as [FileHeader, FileHeader];
    const line = headerLine({
      larder_run: 1,
      exit_code: code,
      stdout: stdout.size,
      stderr: stderr.size,
      files,
    });
    const parts = [stdout, stderr, ...files];
    const total = parts.reduce((sum, { size }) => sum + size, line.length);
    using progress = new ProgressLine("larder: storing", {
      isOn: !this.#isQuiet,
    });
    const published = held.publish(archive(line, parts), {
      onProgress: (state) => progress.transfer({ ...state, total }),
    });
    await Promise.race([published, this.#interrupted()]);
    return total;
  }

  async #outFile(path: string, code: number): Promise<FileHeader | undefined> {
    try {
      const info = await stat(path);
      if (!info.isFile()) throw new Error(`${path} is not a file`);
      return { path, mode: info.mode & 0o777, size: info.size };
    } catch (error) {
      // What has failed need not have come that far.
      if (code !== OK) return undefined;
      throw error;
    }
  }

  #interrupted(): Promise<never> {
    const { signal } = this.#interrupts;
    return new Promise((_, reject) => {
      const give = () => reject(signal.reason);
      if (signal.aborted) give();
      signal.addEventListener("abort", give, { once: true });
    });
  }

  #warn(message: string): void {
    const { namespace } = this.#plan.entry;
    say(`${namespace} ${this.#shortKey()}: ${message}`);
  }

  #report(
    source: "hit" | "computed" | "failed" | "uncached",
    { code, bytes }: { readonly code: number; readonly bytes?: number },
  ): void {
    const { namespace, key } = this.#plan.entry;
    if (this.#isJson) {
      const keyHex = toHex(key);
      process.stderr.write(
        JSON.stringify({
          source,
          namespace,
          key_hex: keyHex,
          exit_code: code,
          ...bytes === undefined ? {} : { bytes },
        }) + "\n",
      );
      return;
    }
    if (this.#isQuiet) return;
    const what = {
      hit: `hit ${namespace} ${this.#shortKey()}`,
      computed: `computed ${namespace} ${this.#shortKey()}`,
      failed: `exit code ${code}, not kept: ${namespace} ${this.#shortKey()}`,
      uncached: `computed ${namespace} ${this.#shortKey()}, not kept`,
    }[source];
    const size = bytes === undefined ? "" : ` ${formatSize(bytes)}`;
    say(`${what}${size}${source === "computed" ? " stored" : ""}`);
  }

  #shortKey(): string {
    return `${toHex(this.#plan.entry.key).slice(0, 8)}…`;
  }
}
