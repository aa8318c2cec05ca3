/**
 * Tests show their worth by failing without the cure that they guard:
 * `deno test src/rpc/transport -- --without=drainLoop`.
 *
 * @module
 */
import type { Cures } from "../options.ts";

const FLAG = "--without=";

/**
 * The cures that the command line switches off.
 *
 * @returns Each of them as `false`.
 */
export function curesOff(): Partial<Cures> {
  const names = Deno.args
    .filter((argument) => argument.startsWith(FLAG))
    .flatMap((argument) => argument.slice(FLAG.length).split(","));
  return Object.fromEntries(names.map((name) => [name, false]));
}
