/**
 * What differs between two runs of the same outs, for people.
 *
 * @module
 */

import { hashOf, type LastInput, type LastRun, type Made } from "./last_run.ts";

/**
 * All differences; none: it is the same key.
 *
 * @param last The earlier run.
 * @param now What a run would be made of now.
 * @param keys What `--key` says now.
 */
export function differences(
  last: LastRun,
  now: Made,
  keys: readonly string[],
): readonly string[] {
  if (last.key === now.key && last.namespace === now.namespace) return [];
  const found: string[] = [];
  if (last.namespace !== now.namespace) {
    found.push(`the namespace was ${last.namespace}`);
  }
  if (last.command !== now.command) found.push("the command is another");
  for (const key of keys) {
    if (!last.keys.includes(hashOf(key))) found.push(`--key ${key} is new`);
  }
  if (last.keys.some((key) => !now.keys.includes(key))) {
    found.push("a --key is gone, or another");
  }
  found.push(...changes(last.env, now.env).map((each) => `--env ${each}`));
  if (last.stdin !== now.stdin) found.push("stdin is another");
  found.push(...inputChanges(last.inputs, now.inputs));
  return found.length > 0 ? found : ["something else differs"];
}

function inputChanges(
  last: readonly LastInput[],
  now: readonly LastInput[],
): string[] {
  const found: string[] = [];
  for (const input of now) {
    const old = last.find(({ name }) => name === input.name);
    if (!old) found.push(`key file ${input.name} is new`);
    else if (old.digest !== input.digest) {
      found.push(
        ...old.lines && input.lines
          ? changes(old.lines, input.lines)
          : [`${input.name} changed`],
      );
    }
  }
  for (const { name } of last) {
    if (!now.some((input) => input.name === name)) {
      found.push(`key file ${name} is gone`);
    }
  }
  return found;
}

/** What differs between two sets of names with values. */
function changes(
  last: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(now)) {
    if (!Object.hasOwn(last, name)) found.push(`${name} is new`);
    else if (last[name] !== value) found.push(`${name} changed`);
  }
  for (const name of Object.keys(last)) {
    if (!Object.hasOwn(now, name)) found.push(`${name} is gone`);
  }
  return found;
}
