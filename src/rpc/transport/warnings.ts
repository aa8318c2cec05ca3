/**
 * Warnings that an operator can bear.
 *
 * @module
 */

/** Distinct messages that are remembered; some carry an error's text. */
const MAX_REMEMBERED = 100;

/**
 * Lets each distinct message through once: a missing field of Deno's internals
 * is met again on every connection.
 *
 * @param warn Where the messages go.
 * @returns The same, without repetitions.
 */
export function onceEach(
  warn: (message: string) => void,
): (message: string) => void {
  const seen = new Set<string>();
  return (message) => {
    if (seen.has(message) || seen.size >= MAX_REMEMBERED) return;
    seen.add(message);
    warn(message);
  };
}
