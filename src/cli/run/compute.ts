/**
 * Runs a command whose output is to be kept, and publishes it.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../errors.ts";
import type { Held } from "../../client/tier.ts";
import { OK } from "../exit_codes.ts";
import { ProgressLine } from "../output.ts";
import { archive, type FileHeader, headerLine } from "./archive.ts";
import { runCommand } from "./child.ts";
import type { Interrupts } from "./interrupts.ts";
import type { Plan } from "./plan.ts";
import type { Reporter } from "./report.ts";

/** What a run is made of, beside its work. */
export interface ComputeOptions {
  readonly plan: Plan;
  readonly interrupts: Interrupts;
  readonly reporter: Reporter;
  /** Whether what failed is kept too. */
  readonly keepsFailures: boolean;
  /** An empty folder, for what the command says. */
  readonly folder: string;
}

/** How a command ended, and the files that hold what it said. */
interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs it, and publishes what came of it.
 *
 * @returns The command's exit code, whether it could be kept or not.
 */
export async function compute(
  held: Held,
  options: ComputeOptions,
): Promise<number> {
  const { plan, interrupts, reporter, keepsFailures, folder } = options;
  const said = { stdout: join(folder, "out"), stderr: join(folder, "err") };
  const code = await runCommand(plan.command, interrupts, said);
  const { received } = interrupts;
  if (received || (code !== OK && !keepsFailures)) {
    await held.abandon(received ?? `exit code ${code}`);
    reporter.report("failed", { code });
    return code;
  }
  try {
    const bytes = await publish(held, { code, ...said }, options);
    reporter.report("computed", { code, bytes });
  } catch (error) {
    await held.abandon("it could not be published");
    reporter.warn(`not kept: ${messageOf(error)}`);
  }
  return code;
}

/** How many bytes were published. */
async function publish(
  held: Held,
  ran: Ran,
  { plan, interrupts, reporter }: ComputeOptions,
): Promise<number> {
  const files: FileHeader[] = [];
  for (const path of plan.outs) {
    const file = await outFile(path, ran.code);
    if (file) files.push(file);
  }
  const [stdout, stderr] = await Promise.all(
    [ran.stdout, ran.stderr].map(async (path) => ({
      path,
      size: await stat(path).then(({ size }) => size, () => 0),
    })),
  ) as [FileHeader, FileHeader];
  const line = headerLine({
    larder_run: 1,
    exit_code: ran.code,
    stdout: stdout.size,
    stderr: stderr.size,
    files,
  });
  const parts = [stdout, stderr, ...files];
  const total = parts.reduce((sum, { size }) => sum + size, line.length);
  using progress = new ProgressLine("larder: storing", {
    isOn: !reporter.isQuiet,
  });
  const published = held.publish(archive(line, parts), {
    onProgress: (state) => progress.transfer({ ...state, total }),
  });
  await Promise.race([published, interrupts.rejected()]);
  return total;
}

async function outFile(
  path: string,
  code: number,
): Promise<FileHeader | undefined> {
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
