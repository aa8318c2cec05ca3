/**
 * Tests that wait more than they work, at the same time.
 *
 * @module
 */

/** What a step leaves behind shows when all have ended. */
export const TOGETHER = {
  ...{ sanitizeOps: false, sanitizeResources: false, sanitizeExit: false },
} as const;

/** A step, which may have steps of its own. */
export type Step = (test: Deno.TestContext) => Promise<void>;

/** Runs steps of a test at the same time. */
export async function atOnce(
  test: Deno.TestContext,
  steps: ReadonlyMap<string, Step>,
): Promise<void> {
  await Promise.all(
    [...steps].map(([name, fn]) => test.step({ name, fn, ...TOGETHER })),
  );
}

/**
 * Registers a test whose steps run at the same time: tests that have nothing in
 * common but that they wait, and that are right however late they are.
 *
 * @returns What adds a step.
 */
export function sideBySide(name: string): (name: string, step: Step) => void {
  const steps = new Map<string, Step>();
  Deno.test(name, (test) => atOnce(test, steps));
  return (name, step) => {
    if (steps.has(name)) throw new TypeError(`two steps are called: ${name}`);
    steps.set(name, step);
  };
}
