/**
 * Other ways in which people ask for the help or the version.
 *
 * @module
 */

/**
 * The words as this program knows them: `help run` for `run --help`, and
 * `version` or `-v` for `--version`.
 *
 * @param args The words after the program's name.
 */
export function asked(args: readonly string[]): readonly string[] {
  const [first, second, ...others] = args;
  if (first === "help") {
    const isNamed = second !== undefined && !second.startsWith("-");
    return isNamed ? [second, "--help", ...others] : ["--help"];
  }
  return /^(version|-v)$/.test(first ?? "") ? ["--version"] : args;
}
