/**
 * Folders that a machine needs to work: an old out stands aside while a command
 * runs, and what is killed then must not leave the machine without them.
 *
 * @module
 */

import { dirname } from "node:path";

/** What no file is written into by a build: neither these nor what stands in them. */
const SYSTEM: ReadonlySet<string> = new Set([
  ...["/bin", "/boot", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32"],
  ...["/proc", "/sbin", "/sys", "/usr", "/var"],
  ...["/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec"],
  ...["/usr/libx32", "/usr/sbin", "/usr/share", "/var/lib"],
  // macOS.
  ...["/Applications", "/Library", "/System", "/Users"],
  ...["/private", "/private/etc", "/private/var"],
]);

/** Others put folders of their own into these, but nobody moves them away. */
const SHARED: ReadonlySet<string> = new Set([
  ...["/dev", "/media", "/mnt", "/nix", "/opt", "/root", "/run", "/snap"],
  ...["/srv", "/tmp", "/Volumes", "/private/tmp"],
]);

/** Why an out at a place would take away what a machine needs, if so. */
export function neededByMachine(
  place: string,
  { isPattern }: { readonly isPattern: boolean },
): string | undefined {
  // Of a pattern, the folder below which its files are.
  if (SYSTEM.has(place) || (!isPattern && SHARED.has(place))) {
    return isPattern
      ? `it means files in ${place}, which this machine needs`
      : "this machine needs it";
  }
  const folder = dirname(place);
  if (isPattern || !SYSTEM.has(folder)) return undefined;
  return `it stands in ${folder}, which this machine needs`;
}
