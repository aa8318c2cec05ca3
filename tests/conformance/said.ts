/**
 * Runs a program to its end.
 *
 * @module
 */

/** Runs it; whether it succeeded, and all that it wrote. */
export async function said(
  program: string,
  args: readonly string[],
): Promise<{ readonly success: boolean; readonly output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { success, output: text.decode(stdout) + text.decode(stderr) };
}
