/**
 * Fetches and translates what the server is made of, in a process that ends.
 *
 * The confined server may fetch nothing. And who translates TypeScript, as it has to
 * be once after a clone was made or changed, keeps 35 MiB for it until it ends.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { StartError } from "../errors.ts";
import type { Installation } from "./permissions.ts";
import type { StopRequests } from "./stop_requests.ts";

/** Programs of their own: whoever starts them imports nothing of them. */
const WORKERS: readonly URL[] = [
  new URL("../../workers/blob_worker.ts", import.meta.url),
  new URL("../../workers/manifest_worker.ts", import.meta.url),
];

/**
 * Has Deno complete its cache; where it is complete already, this takes a moment.
 *
 * @param installation What is served with.
 * @param stop Ends it early.
 * @throws {StartError} When modules are missing.
 */
export async function completeModules(
  { deno, denoConfig, main }: Installation,
  stop: StopRequests,
): Promise<void> {
  const workers = WORKERS.map((url) => fileURLToPath(url));
  const child = new Deno.Command(deno, {
    args: ["cache", "--quiet", `--config=${denoConfig}`, main, ...workers],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ended = await Promise.race([child.output(), stop.requested]);
  if (!ended) return child.kill();
  // Ctrl-C has ended it as well.
  if (ended.success || stop.isRequested) return;
  const why = new TextDecoder().decode(ended.stderr).trim();
  throw new StartError(1, `the server's modules are not complete: ${why}`);
}
