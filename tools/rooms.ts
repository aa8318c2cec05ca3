/**
 * Where a file lives.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Tests, and what only they use, may import what they like. */
export const TESTS: RegExp = /_test\.ts$|\/testing\//;

/** A file's path within the repository: `src/rpc/edge.ts`. */
export function pathOf(file: string): string {
  const path = file.startsWith("file:") ? fileURLToPath(file) : file;
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
}

/** `src/rpc/edge.ts` is in `rpc`, `src/limits.ts` in `limits`. */
export function roomOf(path: string): string {
  const parts = path.split("/");
  if (parts[0] !== "src") return parts[0]!;
  return parts[1]!.replace(/(_test)?\.ts$/, "");
}
