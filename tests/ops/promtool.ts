/**
 * Prometheus's own check of what is written for it.
 *
 * @module
 */

/**
 * Runs promtool.
 *
 * @param args Its arguments.
 * @param text What it reads from stdin.
 * @returns What it complains about, empty for nothing; `undefined`, and a line
 * that says so, where there is no promtool.
 */
export async function promtool(
  args: readonly string[],
  text = "",
): Promise<string | undefined> {
  try {
    const child = new Deno.Command("promtool", {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [{ success, stdout, stderr }] = await Promise.all([
      child.output(),
      new Blob([text]).stream().pipeTo(child.stdin),
    ]);
    const decoder = new TextDecoder();
    return success ? "" : decoder.decode(stdout) + decoder.decode(stderr);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("skip: there is no promtool (Debian: prometheus)");
    return undefined;
  }
}
