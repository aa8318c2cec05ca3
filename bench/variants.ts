/**
 * Servers that are measured beside a usual one and take more than flags: one that
 * asks for tokens, or of an earlier commit.
 *
 * @module
 */

import { sha256Hex } from "../workers/digest.ts";
import { type ServerProcess, startLarder } from "./server_process.ts";

/** The token that a server of `startGuarded` knows; it guards nothing. */
export const BENCH_TOKEN = "a-token-of-the-bench-43-letters-as-others-are";

const repository = new URL("..", import.meta.url);

/** A server that asks who calls; without a token everybody may all, as they seed. */
export function startGuarded(folder: string): Promise<ServerProcess> {
  const file = `${folder}/access.toml`;
  Deno.writeTextFileSync(
    file,
    `[[token]]
name = "bench"
sha256 = "${sha256Hex(BENCH_TOKEN)}"
read = ["*"]
write = ["bench.*", "bench"]
`,
  );
  return startLarder(`${folder}/guarded`, {
    kind: "guarded",
    flags: ["--access", file],
  });
}

/** A server of an earlier commit of this repository. */
export async function startEarlier(
  folder: string,
  commit: string,
): Promise<ServerProcess> {
  const sources = `${folder}/earlier-sources`;
  Deno.mkdirSync(sources);
  const { success } = await new Deno.Command("sh", {
    args: ["-c", 'git archive "$1" | tar -x -C "$2"', "sh", commit, sources],
    cwd: repository,
  }).output();
  if (!success) throw new Error(`Cannot take commit ${commit} out of git`);
  return await startLarder(`${folder}/earlier`, {
    kind: "earlier",
    repository: sources,
  });
}
