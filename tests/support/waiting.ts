/**
 * Waits that end.
 *
 * @module
 */

/** What a server that lives does within this time, on a loaded machine too. */
export const PATIENCE_MS = 15_000;

/** Fails when a promise takes too long. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  limitMs: number = PATIENCE_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`gave up after ${limitMs} ms: ${what}`)),
    limitMs,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs something for each number below `count`, `width` at a time. */
export async function eachOf(
  count: number,
  width: number,
  run: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  async function work(): Promise<void> {
    while (next < count) await run(next++);
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, work));
}

/** How often a condition is looked at that nobody tells of. */
const LOOK_MS = 20;

/** Waits until something has become so; fails when that takes too long. */
export async function until(
  isSo: () => Promise<boolean>,
  limitMs: number = PATIENCE_MS,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!await isSo()) {
    if (performance.now() > endMs) {
      throw new Error(`gave up after ${limitMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
