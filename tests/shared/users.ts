/**
 * Other users of the machine, and a server that has no more rights than one.
 *
 * @module
 */

import { join } from "node:path";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { type Ended, run } from "../confinement/support.ts";

/** Numbers that no distribution gives to anybody. */
export const ALICE = 41_001;
export const BOB = 41_002;
/** A group in which nobody is unless a test says so. */
export const GROUP = 41_900;

/**
 * Words that start a server as root without root's powers: it may read and write
 * what belongs to root, as any user what is theirs, and nothing else.
 *
 * @param groups Of which its user is a member.
 */
export function powerless(...groups: number[]): string[] {
  return [
    ...["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
    groups.length > 0 ? `--groups=${groups}` : "--clear-groups",
  ];
}

/** Words that start a program as another user. */
export function as(uid: number, ...groups: number[]): string[] {
  return [
    ...["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--inh-caps=-all"],
    groups.length > 0 ? `--groups=${groups}` : "--clear-groups",
  ];
}

/** Runs a line of the shell as another user; `$1` and so on are the words. */
export function shellAs(
  who: readonly string[],
  line: string,
  ...words: string[]
): Promise<Ended> {
  return runProgram([...who, "sh", "-c", line, "sh", ...words]);
}

/** Runs a program to its end, in a folder that everybody may be in. */
export function runProgram(
  [program, ...args]: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<Ended> {
  return run(program!, args, { cwd: "/", ...options });
}

/** A folder that others may pass through, which is removed afterwards. */
export async function withSharedFolder(
  run: (folder: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  await Deno.chmod(folder.path, 0o711);
  await run(folder.path);
}

/** The permission bits of what lies at a path of the root. */
export function modeOf(root: string, name = ""): string {
  const { mode } = Deno.lstatSync(join(root, name));
  return ((mode ?? 0) & 0o7777).toString(8);
}

/** Whether there can be other users here: only root can start programs as one. */
function canBeOthers(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  return [as(ALICE), powerless()].every(([program, ...args]) => {
    try {
      const { success } = new Deno.Command(program!, {
        args: [...args, "true"],
        cwd: "/",
      }).outputSync();
      return success;
    } catch {
      return false;
    }
  });
}

const ignore = !canBeOthers();

/** A test that needs other users; elsewhere it is shown as ignored. */
export function othersTest(name: string, fn: () => Promise<void>): void {
  const why = ignore ? " (ignored: only root can be other users)" : "";
  Deno.test({ name: name + why, ignore, fn });
}
