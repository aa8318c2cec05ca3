/** The words that a test's server is started with. */

/**
 * Ports that are free, a stop that does not wait for abandoned work, and replies
 * of any size, which our clients take.
 */
const DEFAULTS = [
  ...["--local", "127.0.0.1:0", "--remote", "127.0.0.1:0"],
  ...["--drain-timeout", "50ms", "--max-reply-bytes", "64MiB"],
];
const LONG_NAMES: Readonly<Record<string, string>> = {
  "-l": "--local",
  "-r": "--remote",
};

/** `serve` of a root, which takes each flag once: what a test gives last counts. */
export function serveWords(root: string, args: readonly string[]): string[] {
  const flags = new Map<string, string[]>();
  let last: string[] = [];
  for (const word of [...DEFAULTS, ...args]) {
    if (word.startsWith("-")) {
      const [name = ""] = word.split("=");
      flags.set(LONG_NAMES[name] ?? name, last = [word]);
    } else last.push(word);
  }
  return ["serve", root, ...[...flags.values()].flat()];
}
