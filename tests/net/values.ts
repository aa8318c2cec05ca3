/**
 * Whether values are those that were computed, and everybody has the same.
 *
 * @module
 */

import type { Call, Computation } from "./history.ts";

/**
 * No value is one that no computation of its key produced, nor is it cut short
 * or put together of several; and of each key one is kept.
 */
export function* wrongValues(
  calls: readonly Call[],
  computations: readonly Computation[],
): Generator<string> {
  const computed = new Map(computations.map((each) => [each.id, each]));
  const right: Call[] = [];
  for (const each of calls) {
    const { call, key, id, size } = each;
    if (id === undefined) continue;
    const { key: ofKey, size: ofSize } = computed.get(id) ?? {};
    if (id === "mixed" || ofKey === key && ofSize !== size) {
      yield `${call} got a torn value for ${key}: ${size} bytes of ${ofSize}`;
    } else if (ofKey !== key) {
      yield `${call} got a wrong value for ${key}`;
    } else right.push(each);
  }
  yield* several(right, computed);
}

/** What was kept, or came from the cache, is one value for all. */
function* several(
  calls: readonly Call[],
  computed: ReadonlyMap<string, Computation>,
): Generator<string> {
  const shared = calls.filter(({ call, kind, source, id }) =>
    kind === "stream"
      // One that it has produced itself need not have been kept.
      ? computed.get(id!)!.call !== call
      : source !== "uncached"
  );
  for (const [key, all] of Map.groupBy(shared, ({ key }) => key)) {
    const values = Map.groupBy(all, ({ id }) => id);
    if (values.size < 2) continue;
    const by = [...values].map(([id, all]) =>
      `${id} by ${all.map(({ call }) => call)}`
    );
    yield `${key} was kept ${values.size} times: ${by.join("; ")}`;
  }
}
