/**
 * Tries to escape from a worker, which has the permissions of one of ours. Tests
 * copy it into a root, where workers may be loaded from.
 *
 * @module
 */

import { type Target, tryEscapes } from "./escapes.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Target>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data }) => {
  const outcomes = await tryEscapes(data);
  let env: string;
  try {
    env = JSON.stringify(Deno.env.toObject());
  } catch (error) {
    env = (error as Error).name;
  }
  scope.postMessage({ outcomes, env });
};
