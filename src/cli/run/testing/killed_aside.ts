/**
 * Sets a file or a folder aside, writes another one, and ends that; it is killed
 * before, or after, a certain call that changes the disk.
 *
 * ```sh
 * deno run --allow-all killed_aside.ts PLACE CALL before|after
 * ```
 *
 * It prints how many calls there are, if it comes that far.
 *
 * @module
 */

import { Aside } from "../aside.ts";
import { DISK, type Disk } from "../disk.ts";

const [place, at, when] = Deno.args as [string, string, string];
let calls = 0;

/** Calls until the one that is the last, and there ends this process. */
function killing<Args extends unknown[]>(
  call: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const isLast = ++calls === Number(at);
    if (isLast && when === "before") Deno.kill(Deno.pid, "SIGKILL");
    await call(...args);
    if (isLast) Deno.kill(Deno.pid, "SIGKILL");
  };
}

const disk: Disk = {
  symlink: killing(DISK.symlink),
  rename: killing(DISK.rename),
  unlink: killing(DISK.unlink),
  mkdir: killing(DISK.mkdir),
  rmdir: killing(DISK.rmdir),
};
const aside = await Aside.at(place, { disk });
await aside!.move({ mayBeFolder: true });
const isFolder = (await Deno.stat(place).catch(() => undefined))?.isDirectory;
await Deno.writeTextFile(isFolder ? `${place}/new` : place, "new");
await aside!.settle();
await aside!.release();
console.log(calls);
