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

/** Between the first two looks at what nobody tells of; most of it is soon so. */
const FIRST_PAUSE_MS = 1;
/** Between later looks, which come after twice the pause before. */
const MAX_PAUSE_MS = 20;

/** Pauses between looks at what nobody tells of. */
export function pauses(): () => Promise<void> {
  let nextMs = FIRST_PAUSE_MS;
  return async () => {
    const pauseMs = nextMs;
    nextMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  };
}

/** Waits until something has become so; fails when that takes too long. */
export async function until(
  isSo: () => Promise<boolean>,
  limitMs: number = PATIENCE_MS,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  const pause = pauses();
  while (!await isSo()) {
    if (performance.now() > endMs) {
      throw new Error(`gave up after ${limitMs} ms`);
    }
    await pause();
  }
}
