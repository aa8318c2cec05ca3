/**
 * Keeps a broken cure from hanging the tests.
 *
 * @module
 */

/** Far longer than anything takes, even on a busy machine. */
const PATIENCE_MS = 10_000;

/**
 * Waits for something that must happen.
 *
 * @param promise What must settle.
 * @param what What is waited for, for the message.
 * @returns What it settles to; rejects when it takes for ever.
 */
export async function soon<T>(
  promise: Promise<T>,
  what = "what must happen",
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Not within ${PATIENCE_MS} ms: ${what}`)),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until a condition holds.
 *
 * @param condition The condition.
 */
export async function until(condition: () => boolean): Promise<void> {
  const startMs = Date.now();
  while (!condition()) {
    if (Date.now() - startMs > PATIENCE_MS) {
      throw new Error(`It does not come true: ${condition}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
